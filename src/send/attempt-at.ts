import { formatTime, type Failure } from '../base/index.js';
import type { DeliveryAttempt } from '../evidence/index.js';
import type { HostDecision } from '../tls-policy/index.js';
import type { DraftPolicy } from './applied-policies.js';
import { resultsOf, resultsOfRefusal, sessionFacts, attemptFailure } from './attempt-results.js';
import { sendFailures } from './failures.js';
import type { AttemptResult } from './try-server.js';

/** The circumstances of an attempt that do not depend on the server. */
interface Circumstances {
  readonly port: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly policies: readonly DraftPolicy[];
}

/** Formats one connection attempt as evidence of the delivery (`hermetic.outcome/1`). */
export function attemptAt(
  attempt: AttemptResult,
  host: HostDecision,
  circumstances: Circumstances & { readonly ip: string; readonly milliseconds: number },
): DeliveryAttempt {
  const { conn, greeting, cleartext } = attempt;
  const failure = attempt.failure ?? attempt.tlsFailure ?? unmetOf(attempt, host);
  return {
    at: formatTime(circumstances.at),
    milliseconds: circumstances.milliseconds,
    host: host.name,
    preference: host.preference,
    ip: circumstances.ip,
    port: circumstances.port,
    localIp: conn?.local.address,
    // RFC 5321 §4.2: the text of the greeting starts with the server's host name.
    greeting: greeting?.lines[0]?.split(' ')[0],
    state: stateOf(attempt),
    ...needs(host),
    failure: failure && attemptFailure(failure),
    session: sessionFacts(attempt, host),
    cleartext,
    results: resultsOf(attempt, host, circumstances.policies),
  };
}

function stateOf({ session, unreachable }: AttemptResult): DeliveryAttempt['state'] {
  if (session) return 'used';
  return unreachable ? 'unreachable' : 'failed';
}

/**
 * Records a host that was not contacted, because policy forbids it or because it has no
 * address.
 */
export function attemptWithoutServer(
  host: HostDecision,
  { port, at, policies }: Circumstances,
  forbidden: Failure | undefined,
): DeliveryAttempt {
  const missing = host.trouble ?? sendFailures.make('send-no-address', host.name);
  const { code, detail } = forbidden ?? missing;
  return {
    at: formatTime(at),
    milliseconds: 0,
    host: host.name,
    preference: host.preference,
    port,
    state: forbidden ? 'refused' : 'unreachable',
    ...needs(host),
    failure: { code, detail },
    cleartext: false,
    results: forbidden ? resultsOfRefusal(host, policies) : [],
  };
}

/** Returns the requirement for the host, also if a waiver suspends it. */
function needs({
  decision,
}: HostDecision): Pick<DeliveryAttempt, 'tls' | 'authenticate' | 'reasons'> {
  const { reasons } = decision;
  return decision.action === 'use'
    ? { tls: decision.tls, authenticate: decision.authenticate, reasons }
    : { tls: 'mandatory', authenticate: [], reasons };
}

/**
 * Returns the unmet requirement of a session that a waiver allowed. A trial run shows
 * with this requirement the mail that enforcement would have deferred.
 */
function unmetOf({ verdict }: AttemptResult, { decision }: HostDecision): Failure | undefined {
  if (decision.action !== 'use') return undefined;
  const unmet = decision.authenticate
    .map((mechanism) => verdict?.[mechanism])
    .find((result) => result?.ok === false);
  return unmet?.ok === false ? unmet.failure : undefined;
}

import { formatTime, type Failure } from '../base/index.js';
import type { DeliveryAttempt } from '../evidence/index.js';
import type { HostDecision } from '../tls-policy/index.js';
import type { DraftPolicy } from './applied-policies.js';
import { resultsOf, resultsOfRefusal, sessionFacts, failureEvidence } from './attempt-results.js';
import { sendFailures } from './failures.js';
import type { AttemptResult } from './try-server.js';

interface Circumstances {
  readonly port: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly policies: readonly DraftPolicy[];
}

/** An attempt at one address, as evidence. */
export function attemptAt(
  tried: AttemptResult,
  host: HostDecision,
  met: Circumstances & { readonly ip: string; readonly milliseconds: number },
): DeliveryAttempt {
  const { conn, greeting, cleartext, unreachable } = tried;
  const facts = sessionFacts(tried, host);
  const failure = tried.failure ?? tried.tlsFailure ?? unmetOf(tried, host);
  return {
    at: formatTime(met.at),
    milliseconds: met.milliseconds,
    host: host.name,
    preference: host.preference,
    ip: met.ip,
    port: met.port,
    ...(conn ? { localIp: conn.local.address } : {}),
    ...(greeting?.lines[0] === undefined
      ? {}
      : { greeting: greeting.lines[0].split(' ')[0] ?? '' }),
    state: tried.session ? 'used' : unreachable ? 'unreachable' : 'failed',
    ...needs(host),
    ...(failure ? { failure: failureEvidence(failure) } : {}),
    ...(facts ? { session: facts } : {}),
    cleartext,
    results: resultsOf(tried, host, met.policies),
  };
}

/** A host that was not contacted: policy forbids it, or it has no address. */
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

/** What had to hold, waived or not. */
function needs({
  decision,
}: HostDecision): Pick<DeliveryAttempt, 'tls' | 'authenticate' | 'reasons'> {
  const { reasons } = decision;
  return decision.action === 'use'
    ? { tls: decision.tls, authenticate: decision.authenticate, reasons }
    : { tls: 'mandatory', authenticate: [], reasons };
}

/** What would have kept the mail back, had it been enforced. */
function unmetOf({ verdict }: AttemptResult, { decision }: HostDecision): Failure | undefined {
  const judged =
    decision.action === 'use' ? decision.authenticate.map((mechanism) => verdict?.[mechanism]) : [];
  const unmet = judged.find((one) => one?.ok === false);
  return unmet?.ok === false ? unmet.failure : undefined;
}

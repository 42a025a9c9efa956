import { formatTime, type Failure } from '../base/index.js';
import type { DeliveryAttempt, DeliveryOutcome } from '../evidence/index.js';
import {
  causeOfHost,
  causeText,
  enforced,
  parseNextHop,
  resolvePolicy,
  type DomainDecision,
  type HostDecision,
} from '../tls-policy/index.js';
import type { SmtpSession, SmtpTranscriptLine } from '../smtp/index.js';
import { appliedPolicies, resolveReportUris, type DraftPolicy } from './applied-policies.js';
import { attemptAt, attemptWithoutServer } from './attempt-at.js';
import { attemptFailure } from './attempt-results.js';
import type { SendContext } from './context.js';
import { sendFailures } from './failures.js';
import { tryServer } from './try-server.js';

/**
 * Options of one connection, with requirements of the message in addition to the policy
 * of the domain.
 */
export interface ConnectRequest {
  /** True if the message requests REQUIRETLS (RFC 8689). */
  readonly requireTls?: boolean;
  /** True if the message has the header field `TLS-Required: No` (RFC 8689). */
  readonly tlsRequiredNo?: boolean;
  readonly signal?: AbortSignal;
}

/** The SMTP dialogue with one server. */
export interface SmtpTranscript {
  readonly host: string;
  readonly ip: string;
  readonly lines: readonly SmtpTranscriptLine[];
}

/** An open session or the failure, with the decision and the evidence in both cases. */
export type ConnectResult = {
  readonly decision: DomainDecision;
  readonly outcome: DeliveryOutcome;
  readonly conversations: readonly SmtpTranscript[];
} & (
  | {
      readonly ok: true;
      /**
       * A session that is ready for MAIL FROM, on a connection that meets the decision.
       * The caller closes the session with `quit()`.
       */
      readonly session: SmtpSession;
    }
  | { readonly ok: false; readonly failure: Failure }
);

/**
 * Makes the decision for a next hop, then tries hosts and addresses in order until a
 * session meets the decision (RFC 5321 §5.1, RFC 8461 §8.4 [8461-8.4-1],
 * RFC 7672 §2.2.1). A host that fails its requirement is skipped, but the other hosts of
 * the domain are tried. A failed policy never rejects mail permanently, since the domain
 * may repair its configuration while the mail is queued (RFC 8461 §5 [8461-5-4]).
 */
export async function connectVia(
  context: SendContext,
  nextHop: string,
  request: ConnectRequest = {},
): Promise<ConnectResult> {
  const { signal, requireTls, tlsRequiredNo } = request;
  const decision = await resolvePolicy(nextHop, {
    ...context,
    signal,
    require: requireTls ? 'verified' : context.require,
    tlsRequiredNo,
  });
  const startedAt = context.clock.now();
  const drafted = appliedPolicies(decision);
  // The TLS-RPT records are looked up while the servers are tried: a delivery must not
  // wait for a record that only the reports need.
  const reportLookup = resolveReportUris(drafted, context, signal);
  reportLookup.catch(() => undefined); // awaited below
  const port = portOf(nextHop, context);
  const walked = await walk(context, { decision, policies: drafted, port, request });
  const policies = await reportLookup.catch((error: unknown) => {
    walked.session?.close();
    throw error;
  });
  const failure = walked.session ? undefined : failureOf(decision, walked.attempts, request);
  const { waiver } = decision;
  const outcome: DeliveryOutcome = {
    schema: 'hermetic.outcome/1',
    domain: decision.domain,
    startedAt: formatTime(startedAt),
    finishedAt: formatTime(context.clock.now()),
    result: resultOf(failure),
    failure: failure && attemptFailure(failure),
    waiver,
    helo: context.helo,
    policies,
    attempts: walked.attempts,
  };
  const common = { decision, outcome, conversations: walked.conversations };
  if (walked.session) return { ...common, ok: true, session: walked.session };
  return { ...common, ok: false, failure: failure ?? sendFailures.make('send-no-server') };
}

function resultOf(failure: Failure | undefined): DeliveryOutcome['result'] {
  if (!failure) return 'connected';
  return failure.temporary ? 'deferred' : 'rejected';
}

/**
 * The input of one delivery attempt: the decision to enforce and the policies to report
 * under.
 */
interface Walk {
  readonly decision: DomainDecision;
  readonly policies: readonly DraftPolicy[];
  readonly port: number;
  readonly request: ConnectRequest;
}

interface Walked {
  readonly session?: SmtpSession;
  readonly attempts: readonly DeliveryAttempt[];
  readonly conversations: readonly SmtpTranscript[];
}

/** Tries the hosts in order and returns the first session that meets its requirement. */
async function walk(
  context: SendContext,
  { decision, policies, port, request }: Walk,
): Promise<Walked> {
  const { requireTls = false, signal } = request;
  const attempts: DeliveryAttempt[] = [];
  const conversations: SmtpTranscript[] = [];
  const { waiver } = decision;
  for (const host of inOrder(decision.hosts, context.random)) {
    const allowed = enforced(host, waiver);
    const forbidden =
      allowed.action === 'use'
        ? undefined
        : sendFailures.make('send-host-refused', groundText(host));
    if (forbidden || host.addresses.length === 0) {
      attempts.push(
        attemptWithoutServer(host, { port, at: context.clock.now(), policies }, forbidden),
      );
      continue;
    }
    for (const ip of host.addresses) {
      // RFC 5321 §5.1 allows a limit on the number of addresses that are tried for one
      // message.
      if (attempts.filter((earlier) => earlier.ip !== undefined).length >= context.maxAttempts)
        return { attempts, conversations };
      const began = context.clock.monotonic();
      const at = context.clock.now();
      const attempt = await tryServer(context, { host, ip, port, waiver, requireTls, signal });
      if (attempt.earlier) conversations.push({ host: host.name, ip, lines: attempt.earlier });
      conversations.push({ host: host.name, ip, lines: attempt.transcript });
      const milliseconds = Math.round(context.clock.monotonic() - began);
      attempts.push(attemptAt(attempt, host, { ip, port, at, milliseconds, policies }));
      if (attempt.session) return { session: attempt.session, attempts, conversations };
    }
  }
  return { attempts, conversations };
}

/**
 * Returns the failure that explains why no session was opened and whether a later attempt
 * can succeed.
 */
function failureOf(
  { action, route }: DomainDecision,
  attempts: readonly DeliveryAttempt[],
  { requireTls }: ConnectRequest,
): Failure {
  if (action === 'reject') return sendFailures.make('send-no-mail', route.kind);
  // RFC 7672 §2.1.2 [7672-2.1.2-1]
  if (route.kind === 'error')
    return sendFailures.make(
      'send-route-unknown',
      route.trouble && `${route.trouble.code} ${route.trouble.detail}`.trim(),
    );
  // RFC 8689 §4.2.1 [8689-4.2.1-3, 8689-4.2.1-4]: the message bounces after every server
  // has answered without support for REQUIRETLS. A server that did not answer may still
  // support REQUIRETLS.
  if (requireTls && attempts.every(({ state }) => state === 'refused' || state === 'failed')) {
    const code = attempts.some(({ failure }) => failure?.code === 'smtp-requiretls-not-offered')
      ? '5.7.30'
      : '5.7.10';
    return sendFailures.make('send-requiretls-failed', code);
  }
  const [first] = attempts;
  // RFC 7504 §3 [7504-3-1]: no later attempt will succeed if every host states that it
  // accepts no mail.
  if (first && attempts.every(({ failure }) => failure?.code === 'smtp-takes-no-mail'))
    return sendFailures.make('send-no-mail', `${first.host}: ${first.failure?.detail ?? ''}`);
  const telling = tellingAttempt(attempts);
  return sendFailures.make(
    'send-no-server',
    telling?.failure && `${telling.host}: ${telling.failure.code} ${telling.failure.detail}`.trim(),
  );
}

/**
 * Returns the attempt that best explains why there is no session: preferably a server
 * that failed, otherwise a host that policy forbids, otherwise any attempt.
 */
function tellingAttempt(attempts: readonly DeliveryAttempt[]): DeliveryAttempt | undefined {
  const firstIn = (state: DeliveryAttempt['state']): DeliveryAttempt | undefined =>
    attempts.find((attempt) => attempt.state === state);
  return firstIn('failed') ?? firstIn('refused') ?? attempts[0];
}

/** Returns the reason why policy forbids a host, as text. */
function groundText(host: HostDecision): string {
  const { says, trouble } = causeOfHost(host);
  return causeText(trouble ? { says, trouble } : { says });
}

/**
 * Sorts hosts by MX preference, never by their security (RFC 7672 §2.2.1 [7672-2.2.1-1]).
 * Hosts of equal preference are in random order.
 */
function inOrder(hosts: readonly HostDecision[], random: () => number): readonly HostDecision[] {
  return hosts
    .map((host) => ({ host, order: random() }))
    .sort((left, right) => left.host.preference - right.host.preference || left.order - right.order)
    .map(({ host }) => host);
}

function portOf(nextHop: string, { smtpPort }: SendContext): number {
  const hop = parseNextHop(nextHop, smtpPort);
  return hop.ok ? hop.value.port : smtpPort;
}

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
import { failureEvidence } from './attempt-results.js';
import type { SendContext } from './context.js';
import { sendFailures } from './failures.js';
import { tryServer } from './try-server.js';

export interface ConnectRequest {
  /** The message asks for REQUIRETLS (RFC 8689). */
  readonly requireTls?: boolean;
  /** The message says `TLS-Required: No` (RFC 8689). */
  readonly tlsRequiredNo?: boolean;
  readonly signal?: AbortSignal;
}

/** What was said with one server. */
export interface SmtpTranscript {
  readonly host: string;
  readonly ip: string;
  readonly lines: readonly SmtpTranscriptLine[];
}

export type ConnectResult = {
  readonly decision: DomainDecision;
  readonly outcome: DeliveryOutcome;
  readonly conversations: readonly SmtpTranscript[];
} & (
  | {
      readonly ok: true;
      /** Ready for MAIL FROM, on a connection as decided. Close it with `quit()`. */
      readonly session: SmtpSession;
    }
  | { readonly ok: false; readonly failure: Failure }
);

/**
 * Decides, then walks hosts and addresses in their order until one holds what was decided
 * (RFC 5321 §5.1, RFC 8461 §8.4 [8461-8.4-1], RFC 7672 §2.2.1). Policy never fails mail
 * for good: what it forbids today it may allow tomorrow (RFC 8461 §5 [8461-5-4]).
 */
export async function connectVia(
  context: SendContext,
  nextHop: string,
  request: ConnectRequest = {},
): Promise<ConnectResult> {
  const { signal } = request;
  const asked = signal ? { signal } : {};
  const decision = await resolvePolicy(nextHop, {
    ...context,
    ...asked,
    ...(request.requireTls ? { require: 'verified' } : {}),
    ...(request.tlsRequiredNo ? { tlsRequiredNo: true } : {}),
  });
  const startedAt = context.clock.now();
  const drafted = appliedPolicies(decision);
  // Who wants to hear of it is looked up while the servers are tried.
  const asking = resolveReportUris(drafted, context, signal);
  asking.catch(() => undefined); // It is waited for below.
  const walked = await walk(context, decision, drafted, portOf(nextHop, context), request);
  const policies = await asking.catch((error: unknown) => {
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
    result: !failure ? 'connected' : failure.temporary ? 'deferred' : 'rejected',
    ...(failure ? { failure: failureEvidence(failure) } : {}),
    ...(waiver ? { waiver } : {}),
    helo: context.helo,
    policies,
    attempts: walked.attempts,
  };
  const common = { decision, outcome, conversations: walked.conversations };
  if (walked.session) return { ...common, ok: true, session: walked.session };
  return { ...common, ok: false, failure: failure ?? sendFailures.make('send-no-server') };
}

interface Walked {
  readonly session?: SmtpSession;
  readonly attempts: readonly DeliveryAttempt[];
  readonly conversations: readonly SmtpTranscript[];
}

async function walk(
  context: SendContext,
  decision: DomainDecision,
  policies: readonly DraftPolicy[],
  port: number,
  { requireTls = false, signal }: ConnectRequest,
): Promise<Walked> {
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
      if (attempts.filter((a) => a.ip !== undefined).length >= context.maxAttempts)
        return { attempts, conversations };
      const began = context.clock.monotonic();
      const at = context.clock.now();
      const tried = await tryServer(context, { host, ip, port, waiver, requireTls, signal });
      if (tried.earlier) conversations.push({ host: host.name, ip, lines: tried.earlier });
      conversations.push({ host: host.name, ip, lines: tried.transcript });
      attempts.push(
        attemptAt(tried, host, {
          ip,
          port,
          at,
          milliseconds: Math.round(context.clock.monotonic() - began),
          policies,
        }),
      );
      if (tried.session) return { session: tried.session, attempts, conversations };
    }
  }
  return { attempts, conversations };
}

/** Why there is no session. */
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
  // RFC 8689 §4.2.1 [8689-4.2.1-3, 8689-4.2.1-4]: returned, once every server was asked;
  // one that did not answer may still keep the promise.
  if (requireTls && attempts.every(({ state }) => state === 'refused' || state === 'failed')) {
    const code = attempts.some(({ failure }) => failure?.code === 'smtp-requiretls-not-offered')
      ? '5.7.30'
      : '5.7.10';
    return sendFailures.make('send-requiretls-failed', code);
  }
  const [first] = attempts;
  // RFC 7504 §3 [7504-3-1]: no later attempt will succeed once every host says so.
  if (first && attempts.every(({ failure }) => failure?.code === 'smtp-takes-no-mail'))
    return sendFailures.make('send-no-mail', `${first.host}: ${first.failure?.detail ?? ''}`);
  const telling = tellingAttempt(attempts);
  return sendFailures.make(
    'send-no-server',
    telling?.failure && `${telling.host}: ${telling.failure.code} ${telling.failure.detail}`.trim(),
  );
}

/**
 * The attempt that says most about why there is no session: a server that failed, then a
 * host that policy forbids, then the rest.
 */
function tellingAttempt(attempts: readonly DeliveryAttempt[]): DeliveryAttempt | undefined {
  const of = (state: DeliveryAttempt['state']): DeliveryAttempt | undefined =>
    attempts.find((attempt) => attempt.state === state);
  return of('failed') ?? of('refused') ?? attempts[0];
}

/** The ground that forbids a host, as text. */
function groundText(host: HostDecision): string {
  const { says, trouble } = causeOfHost(host);
  return causeText(trouble ? { says, trouble } : { says });
}

/**
 * By preference, never by how safe a host is (RFC 7672 §2.2.1 [7672-2.2.1-1]); among
 * equals in random order.
 */
function inOrder(hosts: readonly HostDecision[], random: () => number): readonly HostDecision[] {
  return hosts
    .map((host) => ({ host, lot: random() }))
    .sort((a, b) => a.host.preference - b.host.preference || a.lot - b.lot)
    .map(({ host }) => host);
}

function portOf(nextHop: string, { smtpPort }: SendContext): number {
  const hop = parseNextHop(nextHop, smtpPort);
  return hop.ok ? hop.value.port : smtpPort;
}

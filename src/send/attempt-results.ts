import type { Failure } from '../base/index.js';
import {
  certificateFacts,
  type DeliveryAttempt,
  type PolicyFailure,
  type PolicyResult,
  type SessionFacts,
} from '../evidence/index.js';
import { matchMx } from '../mta-sts/index.js';
import type { HostDecision, ServerVerdict } from '../tls-policy/index.js';
import { appliesTo, type DraftPolicy } from './applied-policies.js';
import { resultTypeOf } from './result-type-of.js';
import type { AttemptResult } from './try-server.js';

/**
 * [8461-5-3, 8461-6-1] What one session means for each policy that bears on its host,
 * enforced or not; nothing where no session came about (RFC 8460 §4.3.4).
 */
export function resultsOf(
  tried: AttemptResult,
  host: HostDecision,
  policies: readonly DraftPolicy[],
): readonly PolicyResult[] {
  if (tried.unreachable) return [];
  return policies.flatMap((policy, index) => {
    if (!appliesTo(policy, host, policies)) return [];
    const failure = failureUnder(policy, tried, host);
    return [failure ? { policy: index, failure } : { policy: index }];
  });
}

/** What a host that is not contacted means for the policies that forbid it. */
export function resultsOfRefusal(
  host: HostDecision,
  policies: readonly DraftPolicy[],
): readonly PolicyResult[] {
  return policies.flatMap((policy, index): PolicyResult[] => {
    if (policy.type === 'sts' && !lists(policy, host))
      return [{ policy: index, failure: notListed(host) }];
    const forbids =
      policy.type === 'tlsa' &&
      appliesTo(policy, host, policies) &&
      policy.failure?.resultType === 'dnssec-invalid';
    return forbids && policy.failure ? [{ policy: index, failure: policy.failure }] : [];
  });
}

function failureUnder(
  policy: DraftPolicy,
  { tlsFailure, verdict }: AttemptResult,
  host: HostDecision,
): PolicyFailure | undefined {
  if (policy.type === 'sts' && !lists(policy, host)) return notListed(host);
  if (tlsFailure) return asReported(tlsFailure);
  const judged =
    policy.type === 'sts'
      ? verdict?.pkix
      : policy.type === 'tlsa' && host.tlsa.status === 'usable'
        ? verdict?.dane
        : undefined;
  return judged?.ok === false ? asReported(judged.failure) : undefined;
}

function lists({ mxHosts }: DraftPolicy, { name }: HostDecision): boolean {
  return mxHosts.some((pattern) => matchMx(pattern, name));
}

function notListed({ name }: HostDecision): PolicyFailure {
  return { resultType: 'validation-failure', code: 'sts-mx-mismatch', detail: name };
}

function asReported({ code, detail }: Failure): PolicyFailure {
  return { resultType: resultTypeOf(code, 'validation-failure'), code, detail };
}

/** The handshake as evidence. */
export function sessionFacts(
  { facts, verdict }: AttemptResult,
  host: HostDecision,
): SessionFacts | undefined {
  if (!facts) return undefined;
  const { version, suite, group, serverName } = facts;
  const certificate = verdict && shownCertificate(verdict, host);
  return {
    version,
    suite,
    ...(group === undefined ? {} : { group }),
    sni: serverName,
    ...(certificate ? { certificate } : {}),
  };
}

function shownCertificate(
  { leaf, sent, path, nameMatch, dane }: ServerVerdict,
  { tlsa }: HostDecision,
): SessionFacts['certificate'] {
  if (!leaf) return undefined;
  return {
    ...certificateFacts(leaf, sent),
    chain: path.chain,
    validity: path.validity,
    nameMatch: nameMatch ? 'match' : 'mismatch',
    dane: tlsa.status !== 'usable' ? 'not-applicable' : dane.ok ? 'match' : 'mismatch',
  };
}

/** A failure as stored in an attempt. */
export function failureEvidence({
  code,
  detail,
}: Failure): NonNullable<DeliveryAttempt['failure']> {
  return { code, detail };
}

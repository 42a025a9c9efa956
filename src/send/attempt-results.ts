import type { Failure } from '../base/index.js';
import {
  certificateFacts,
  type DeliveryAttempt,
  type PolicyFailure,
  type PolicyResult,
  type SessionFacts,
} from '../evidence/index.js';
import { matchMx } from '../mta-sts/index.js';
import { isPostQuantum } from '../tls/index.js';
import type { HostDecision, ServerVerdict } from '../tls-policy/index.js';
import { appliesTo, type DraftPolicy } from './applied-policies.js';
import { resultTypeOf } from './result-type-of.js';
import type { AttemptResult } from './try-server.js';

/**
 * Returns success or failure of one session under each policy that applies to its host. A
 * policy in mode `testing` is reported but not enforced [8461-5-3, 8461-6-1]. The list is
 * empty if no session was established (RFC 8460 §4.3.4).
 */
export function resultsOf(
  attempt: AttemptResult,
  host: HostDecision,
  policies: readonly DraftPolicy[],
): readonly PolicyResult[] {
  if (attempt.unreachable) return [];
  return policies.flatMap((draftPolicy, index) => {
    if (!appliesTo(draftPolicy, host, policies)) return [];
    return [{ policy: index, failure: failureUnder(draftPolicy, attempt, host) }];
  });
}

/** Returns a failure under each policy that forbids a host, which was skipped. */
export function resultsOfRefusal(
  host: HostDecision,
  policies: readonly DraftPolicy[],
): readonly PolicyResult[] {
  return policies.flatMap((draftPolicy, index): PolicyResult[] => {
    if (draftPolicy.type === 'sts' && !lists(draftPolicy, host))
      return [{ policy: index, failure: notListed(host) }];
    const forbids =
      draftPolicy.type === 'tlsa' &&
      appliesTo(draftPolicy, host, policies) &&
      draftPolicy.failure?.resultType === 'dnssec-invalid';
    return forbids && draftPolicy.failure ? [{ policy: index, failure: draftPolicy.failure }] : [];
  });
}

function failureUnder(
  draftPolicy: DraftPolicy,
  { tlsFailure, verdict }: AttemptResult,
  host: HostDecision,
): PolicyFailure | undefined {
  if (draftPolicy.type === 'sts' && !lists(draftPolicy, host)) return notListed(host);
  if (tlsFailure) return asReported(tlsFailure);
  const judged = resultUnder(draftPolicy, verdict, host);
  return judged?.ok === false ? asReported(judged.failure) : undefined;
}

/**
 * Returns the authentication result that a policy requires; undefined if the policy is
 * not usable.
 */
function resultUnder(
  { type }: DraftPolicy,
  verdict: ServerVerdict | undefined,
  { tlsa }: HostDecision,
): ServerVerdict['pkix'] | undefined {
  if (type === 'sts') return verdict?.pkix;
  return type === 'tlsa' && tlsa.status === 'usable' ? verdict?.dane : undefined;
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

/**
 * Returns whether the key exchange was post-quantum; undefined if TLS 1.3 negotiated a
 * group that Node does not name.
 */
function isPostQuantumSession(version: string, group: string | undefined): boolean | undefined {
  if (group !== undefined) return isPostQuantum(group);
  return version === 'TLSv1.3' ? undefined : false;
}

/** Formats the handshake as evidence; undefined if none was completed. */
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
    group,
    postQuantum: isPostQuantumSession(version, group),
    sni: serverName,
    certificate,
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
    nameMatch: matchOf(nameMatch),
    dane: tlsa.status === 'usable' ? matchOf(dane.ok) : 'not-applicable',
  };
}

function matchOf(matches: boolean): 'match' | 'mismatch' {
  return matches ? 'match' : 'mismatch';
}

/** Reduces a failure to the fields that evidence stores. */
export function attemptFailure({ code, detail }: Failure): NonNullable<DeliveryAttempt['failure']> {
  return { code, detail };
}

import { groupBy } from '../../base/index.js';
import { senderCases } from '../cases/all-cases.js';
import { senderMechanisms, type SenderCase } from '../cases/sender-case.js';
import type { Observation } from '../observation.js';
import type { SenderTestResult } from '../verdict.js';
import { attemptsIn, senderNetwork, showsRefusal, type Attempt } from './attempts.js';
import { decidesFor, isBySender, judgeCase, type Helpers, type TestFacts } from './judge-case.js';
import { judgeMechanism, type JudgedCase } from './judge-mechanism.js';
import { observedExposure } from './observed-exposure.js';
import {
  identityOf,
  nameDomainByCases,
  networksByCases,
  tlsOf,
  type AttemptAtCase,
} from './sender-identity.js';

/** The time of a judgement, and the cases that the test opened. */
export interface SenderJudgeOptions {
  /** Wall-clock time of the receivers, ISO 8601. */
  readonly now: string;
  /** Default: the whole catalogue. */
  readonly cases?: readonly SenderCase[] | undefined;
  /**
   * Milliseconds after the last observation of a case until silence or a refusal is
   * final. Default one minute, enough for a fallback within the same delivery.
   */
  readonly patienceMs?: number | undefined;
}

const PATIENCE_MS = 60_000;

/**
 * Judges a sender by the observations of the receivers, case by case and mechanism by
 * mechanism. Pure: the same observations and time give the same result, in any order of
 * the observations. The function ignores observations of unknown cases.
 */
export function judgeSender(
  observations: readonly Observation[],
  { now, cases = senderCases, patienceMs = PATIENCE_MS }: SenderJudgeOptions,
): SenderTestResult {
  const known = new Map(cases.map((senderCase) => [senderCase.id, senderCase]));
  const valid = observations.filter((one) => known.has(one.case));
  const byCase = groupBy(valid, (one) => one.case);
  const attempts = cases.flatMap((senderCase) =>
    attemptsIn(byCase.get(senderCase.id) ?? []).map((attempt) => ({
      caseId: senderCase.id,
      attempt,
    })),
  );
  const networks = networksByCases(attempts);
  const inNetwork = attempts.filter(({ attempt }) => attempt.network === networks[0]);
  const sender = { network: networks[0], nameDomain: nameDomainByCases(inNetwork) };
  const own = attempts.filter(({ attempt }) => isBySender(attempt, sender));
  const facts: TestFacts = {
    now: Date.parse(now),
    patienceMs,
    sender,
    isVisitor: isVisitor(own, valid),
    controlDelivered: own.some(({ attempt }) => attempt.accepted !== undefined),
    helpers: helpersOf(valid, new Set(own.map(({ caseId }) => caseId)), networks[0]),
    verifies: (senderCase) =>
      verifies(
        senderCase,
        known,
        own.filter(({ attempt }) => attempt.willing !== undefined || decidesFor(attempt, sender)),
      ),
  };
  const judged = new Map<string, JudgedCase>(
    cases.map((senderCase) => {
      const result = judgeCase(senderCase, byCase.get(senderCase.id) ?? [], facts);
      return [senderCase.id, { senderCase, result }];
    }),
  );
  return {
    schema: 'hermetic.sender/1',
    judgedAt: now,
    sender: identityOf(networks, valid),
    cases: [...judged.values()].map(({ result }) => result),
    mechanisms: senderMechanisms.map((mechanism) =>
      judgeMechanism(mechanism, { cases: judged, observations: valid }),
    ),
    exposure: observedExposure((id) => {
      const result = judged.get(id)?.result;
      return result?.met === 'open' ? undefined : result?.verdict;
    }),
    tls: tlsOf(networks[0], valid),
  };
}

/** Returns whether every case of a result is final: no case is open or in progress. */
export function isSettled({ cases }: SenderTestResult): boolean {
  return cases.every(
    ({ verdict, notes }) => verdict !== 'not-seen' && !notes.includes('still-open'),
  );
}

/**
 * Returns the sources of DNS questions and policy fetches at these cases. The network of
 * the sender also fetches policies; a policy crawler opens no SMTP connection.
 */
function helpersOf(
  observations: readonly Observation[],
  cases: ReadonlySet<string>,
  network: string | undefined,
): Helpers {
  const resolvers = new Set<string>();
  const fetchers = new Set(network === undefined ? [] : [network]);
  for (const one of observations) {
    if (!cases.has(one.case)) continue;
    if (one.kind === 'dns') resolvers.add(one.source);
    if (one.kind === 'policy' && one.status === 200) fetchers.add(senderNetwork(one.source));
  }
  return { resolvers, fetchers };
}

/**
 * Returns whether all attempts come from a scanner: the client left a faultless host
 * after the certificate and never sent MAIL, and no message is known to be in transit.
 */
function isVisitor(own: readonly AttemptAtCase[], observations: readonly Observation[]): boolean {
  if (observations.some(({ kind }) => kind === 'submitted' || kind === 'policy')) return false;
  if (own.some(({ attempt }) => attempt.willing !== undefined)) return false;
  const alerted = own.some(({ attempt }) =>
    attempt.observations.some(({ kind }) => kind === 'alert'),
  );
  return !alerted && own.some(({ caseId, attempt }) => caseId === 'plain' && attempt.leftByItself);
}

/**
 * Returns whether a delivery counts as verified: the sender refused a false identity
 * under the same mechanism, and accepted none. The delivery itself is not evidence,
 * because a receiver cannot observe a successful verification.
 */
function verifies(
  senderCase: SenderCase,
  known: ReadonlyMap<string, SenderCase>,
  own: readonly AttemptAtCase[],
): boolean {
  const attemptsAt = (twin: SenderCase): readonly Attempt[] =>
    own.filter(({ caseId }) => caseId === twin.id).map(({ attempt }) => attempt);
  return twinsOf(senderCase).some((ids) => {
    const twins = ids.flatMap((id) => known.get(id) ?? []);
    const accepted = twins.some((twin) => attemptsAt(twin).some(({ willing }) => willing));
    const refused = twins.some((twin) =>
      attemptsAt(twin).some((attempt) => showsRefusal(attempt, twin)),
    );
    return refused && !accepted;
  });
}

/**
 * Returns the cases with a wrong identity that a sender must refuse under a mechanism of
 * this case, by mechanism. A sender may also verify every certificate, without a policy.
 */
function twinsOf({ zone, host, policy }: SenderCase): readonly (readonly string[])[] {
  const { tlsa = [], certificate = 'valid' } = host;
  const twins: (readonly string[])[] = [];
  if (zone.dnssec === 'secure' && (tlsa.includes('key') || tlsa.includes('issuer')))
    twins.push(['dane-mismatch', 'dane-ta-name']);
  if (certificate !== 'valid' && certificate !== 'valid-rsa') return twins;
  twins.push(['self-signed', 'wrong-name']);
  if (policy?.mode === 'enforce') twins.push(['sts-self-signed', 'sts-expired', 'sts-wrong-name']);
  return twins;
}

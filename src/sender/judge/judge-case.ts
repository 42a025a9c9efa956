import { groupName, isPostQuantum } from '../../tls/index.js';
import type { SenderCase } from '../cases/sender-case.js';
import type { Observation, ObservationOf } from '../observation.js';
import type { CaseNote, CaseResult, CaseVerdict } from '../verdict.js';
import { reportsIn } from './case-reports.js';
import { attemptsIn, senderNetwork, showsRefusal, type Attempt } from './attempts.js';

/** The facts of the whole test that a single case needs. */
export interface TestFacts {
  /** Wall-clock time of the judgement, milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds after the last observation of a case until its verdict is final. */
  readonly patienceMs: number;
  readonly sender: JudgedSender;
  /**
   * A scanner made all attempts. A scanner disconnects from every host, which is not a
   * refusal.
   */
  readonly isVisitor: boolean;
  /**
   * Whether another case received a message from this sender, which proves that the
   * sender can use port 25.
   */
  readonly controlDelivered: boolean;
  /**
   * Sources of DNS questions and policy fetches for the cases that the sender connected
   * to.
   */
  readonly helpers: Helpers;
  /** Cases for which the sender refused the counterpart with a false identity. */
  readonly verifies: (senderCase: SenderCase) => boolean;
}

/** Sources of questions and fetches that belong to the judged sender. */
export interface Helpers {
  readonly resolvers: ReadonlySet<string>;
  /** Networks that fetched a policy. */
  readonly fetchers: ReadonlySet<string>;
}

/** The sender that a test judges, by its connections. */
export interface JudgedSender {
  /** The network with the most attempts; undefined without attempts. */
  readonly network: string | undefined;
  /** The domain of most EHLO names of the sender; undefined without EHLO names. */
  readonly nameDomain: string | undefined;
}

/** Returns whether an attempt comes from the judged sender. */
export function isBySender(
  { network, nameDomain = '' }: Attempt,
  { network: judged, nameDomain: known = '' }: JudgedSender,
): boolean {
  return network === judged && (nameDomain === '' || known === '' || nameDomain === known);
}

/**
 * Returns whether an attempt that ended without a message may be a decision of the judged
 * sender. The sender and a scanner behind the same address use different EHLO names.
 */
export function decidesFor(attempt: Attempt, sender: JudgedSender): boolean {
  if (sender.nameDomain !== undefined) return attempt.nameDomain === sender.nameDomain;
  return attempt.network === sender.network;
}

/** Judges one case by its own observations. */
export function judgeCase(
  senderCase: SenderCase,
  all: readonly Observation[],
  facts: TestFacts,
): CaseResult {
  const observations = decisive(senderCase, all);
  const every = attemptsIn(observations);
  const own = every.filter((attempt) => isBySender(attempt, facts.sender));
  const attempts = own.length > 0 ? own : every;
  const notes = new Set<CaseNote>();
  if (attempts.length < every.length || (own.length === 0 && every.length > 0))
    notes.add('other-network');
  const lastSeen = lastSign(observations);
  const open =
    lastSeen === undefined ||
    facts.now - lastSeen < facts.patienceMs ||
    attempts.some(({ ended }) => !ended);
  // A message that arrives through another server may be the one that this server
  // refused.
  const isElsewhere = every.some((one) => !attempts.includes(one) && one.accepted !== undefined);
  const canRefuse = !facts.isVisitor && !isElsewhere;
  const { verdict, step } =
    attempts.length > 0
      ? judgeAttempts(senderCase, { attempts, notes, canRefuse, sender: facts.sender })
      : judgeSilence(senderCase, { observations, facts, open, notes });
  const weighed = verdict === 'delivered-unverified' && facts.verifies(senderCase);
  const final: CaseVerdict = weighed ? 'delivered-verified' : verdict;
  if (open && !isDelivered(final) && lastSeen !== undefined) notes.add('still-open');
  const isLate = isDelivered(final) && fetchedLater(senderCase, all, attempts);
  if (isLate) notes.add('fetched-policy-later');
  const met = isLate || lacksFirst(senderCase, all) ? 'open' : meets(senderCase, final);
  if (met === 'no') notes.add('unexpected');
  return {
    case: senderCase.id,
    group: senderCase.group,
    expect: senderCase.expect,
    verdict: final,
    step,
    met,
    notes: [...notes],
    attempts: attempts.length,
    lastSeen: lastSeen === undefined ? undefined : new Date(lastSeen).toISOString(),
    reports: reportsIn(senderCase, all, { attempts: own, network: facts.sender.network }),
    evidence: evidenceIn(observations, attempts),
  };
}

/** Returns whether a verdict is one of the three deliveries. */
export function isDelivered(verdict: CaseVerdict): boolean {
  return verdict.startsWith('delivered-');
}

/**
 * Returns the decisive observations: the observations of the second message if the test
 * withdraws the policy in between. Observations of the first message show only that the
 * test is running.
 */
function decisive(
  senderCase: SenderCase,
  observations: readonly Observation[],
): readonly Observation[] {
  if (!senderCase.withdrawn) return observations;
  const second = observations.filter(
    ({ message = 1, kind }) => message === 2 && kind !== 'withdrawn',
  );
  const learned = observations.some((one) => one.kind === 'data' && one.reply < 300);
  if (second.length > 0 || learned) return second;
  return observations.filter((one) => !('connection' in one));
}

/**
 * Returns whether the first message is missing. A sender that did not send the first
 * message could not cache the policy.
 */
function lacksFirst({ withdrawn }: SenderCase, observations: readonly Observation[]): boolean {
  const isFirst = ({ message = 1 }: Observation): boolean => message === 1;
  return (
    withdrawn === true &&
    !observations.some((one) => isFirst(one) && one.kind === 'data' && one.reply < 300)
  );
}

interface Judged {
  readonly verdict: CaseVerdict;
  readonly step?: CaseResult['step'];
}

interface Attempted {
  readonly attempts: readonly Attempt[];
  readonly notes: Set<CaseNote>;
  readonly canRefuse: boolean;
  readonly sender: JudgedSender;
}

function judgeAttempts(senderCase: SenderCase, attempted: Attempted): Judged {
  const { attempts, notes, canRefuse, sender } = attempted;
  const failedTls = attempts.some(
    ({ accepted, reached }) =>
      accepted === undefined && ['starttls', 'handshake', 'certificate'].includes(reached),
  );
  if (attempts.some(({ accepted }) => accepted === 'plaintext')) {
    if (failedTls) notes.add('fell-back-to-plaintext');
    return { verdict: 'delivered-in-plaintext' };
  }
  if (attempts.some(({ accepted }) => accepted === 'secured'))
    return { verdict: 'delivered-unverified' };
  if (attempts.some(({ turnedAway }) => turnedAway)) notes.add('receiver-deferred');
  const willing = attempts.filter((attempt) => attempt.willing !== undefined);
  if (willing.some((attempt) => attempt.willing === 'plaintext'))
    notes.add('envelope-in-plaintext');
  const refusal = attempts
    .filter((attempt) => showsRefusal(attempt, senderCase) && decidesFor(attempt, sender))
    .at(-1);
  if (willing.length === 0 && refusal && canRefuse)
    return { verdict: 'refused', step: refusal.reached };
  return { verdict: 'deferred', step: attempts.at(-1)?.reached };
}

interface Silence {
  readonly observations: readonly Observation[];
  readonly facts: TestFacts;
  readonly open: boolean;
  readonly notes: Set<CaseNote>;
}

/** Judges a case without a connection. */
function judgeSilence(senderCase: SenderCase, silence: Silence): Judged {
  const { observations, notes } = silence;
  const submitted = observations.some(({ kind }) => kind === 'submitted');
  const asked = observations.some(({ kind }) => kind === 'dns');
  const fetched = observations.some((one) => one.kind === 'policy' && one.status === 200);
  if (fetched) notes.add('fetched-policy-only');
  else if (asked) notes.add('asked-dns-only');
  if (observations.some(({ kind }) => kind === 'not-submitted') && !submitted) {
    notes.add('not-submitted');
    return { verdict: 'not-started' };
  }
  const step = submitted ? refusedBefore(senderCase, silence) : undefined;
  if (step) return { verdict: 'refused', step };
  return { verdict: submitted || asked || fetched ? 'not-seen' : 'not-started' };
}

/**
 * Returns the step before a connection at which a sender decided against the host. The
 * conclusion requires that the fault of the case is visible at that step and that the
 * same sender reached another case, since silence has many causes.
 */
function refusedBefore(
  { decidedAt, zone }: SenderCase,
  { observations, facts, open }: Silence,
): 'dns' | 'policy' | undefined {
  if (open || !facts.controlDelivered) return undefined;
  const { resolvers, fetchers } = facts.helpers;
  if (decidedAt === 'policy') {
    const fetched = observations.some(
      (one) =>
        one.kind === 'policy' && one.status === 200 && fetchers.has(senderNetwork(one.source)),
    );
    return fetched ? 'policy' : undefined;
  }
  if (decidedAt !== 'dns') return undefined;
  const type = zone.dnssec === 'bogus-tlsa' ? 'TLSA' : 'MX';
  const asked = observations.some(
    (one) => one.kind === 'dns' && one.type === type && resolvers.has(one.source),
  );
  return asked ? 'dns' : undefined;
}

/**
 * Returns whether a result meets the expectation. A message in plaintext does not meet
 * `deliver` if the host offers STARTTLS.
 */
function meets({ expect, host }: SenderCase, verdict: CaseVerdict): CaseResult['met'] {
  if (expect === 'inform') return 'none';
  if (verdict === 'refused') return expect === 'refuse' ? 'yes' : 'no';
  if (!isDelivered(verdict)) return 'open';
  if (expect === 'refuse') return 'no';
  const plaintext = verdict === 'delivered-in-plaintext';
  return plaintext && (host.starttls ?? 'offered') === 'offered' ? 'no' : 'yes';
}

/**
 * Returns whether the only fault of a delivery is that it preceded the policy fetch: a
 * sender may fetch a policy in the background, and then apply it to the next message.
 */
function fetchedLater(
  { expect, policy, zone }: SenderCase,
  all: readonly Observation[],
  attempts: readonly Attempt[],
): boolean {
  if (expect !== 'refuse' || policy === undefined || zone.dnssec !== 'insecure') return false;
  const fetches = all.flatMap((one) =>
    one.kind === 'policy' && one.status === 200 ? [Date.parse(one.at)] : [],
  );
  const delivered = attempts.filter(({ accepted }) => accepted).map(({ lastAt }) => lastAt);
  return fetches.length > 0 && Math.min(...fetches) > Math.max(...delivered);
}

function lastSign(observations: readonly Observation[]): number | undefined {
  const times = observations
    // A report arrives a day later, and does not show an attempt.
    .filter(({ kind }) => kind !== 'not-submitted' && kind !== 'report')
    .map(({ at }) => Date.parse(at));
  return times.length === 0 ? undefined : Math.max(...times);
}

function evidenceIn(
  observations: readonly Observation[],
  attempts: readonly Attempt[],
): CaseResult['evidence'] {
  const questions = new Map<string, { type: string; dnssecOk: boolean }>();
  for (const one of observations) {
    if (one.kind !== 'dns') continue;
    questions.set(`${one.type} ${one.dnssecOk}`, { type: one.type, dnssecOk: one.dnssecOk });
  }
  return {
    dns: [...questions.values()],
    policyFetches: observations.filter(({ kind }) => kind === 'policy').length,
    tls: tlsIn(attempts),
  };
}

/** Returns the TLS of the last attempt that reached a ClientHello. */
function tlsIn(attempts: readonly Attempt[]): CaseResult['evidence']['tls'] {
  const last = attempts.filter(({ observations }) => find(observations, 'hello')).at(-1);
  if (!last) return undefined;
  const { observations } = last;
  const handshake = find(observations, 'handshake');
  const hello = find(observations, 'hello');
  return {
    version: handshake?.version,
    suite: handshake?.suite,
    serverName: hello?.serverName,
    hybrid: hello && hybridIn(hello, handshake?.group),
    alert: find(observations, 'alert')?.description,
  };
}

function hybridIn(
  { groups }: ObservationOf<'hello'>,
  agreed: string | undefined,
): 'used' | 'offered' | 'not-offered' {
  if (agreed !== undefined && isPostQuantum(agreed)) return 'used';
  return groups.map(groupName).some(isPostQuantum) ? 'offered' : 'not-offered';
}

function find<K extends Observation['kind']>(
  observations: readonly Observation[],
  kind: K,
): ObservationOf<K> | undefined {
  return observations.find((one): one is ObservationOf<K> => one.kind === kind);
}

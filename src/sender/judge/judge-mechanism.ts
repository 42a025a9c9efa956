import type { SenderCase, SenderMechanism } from '../cases/sender-case.js';
import type { Observation } from '../observation.js';
import type { CaseResult, MechanismResult, MechanismVerdict } from '../verdict.js';
import { isDelivered } from './judge-case.js';

/** A case with its result, as evidence of a mechanism. */
export interface JudgedCase {
  readonly senderCase: SenderCase;
  readonly result: CaseResult;
}

/** All results of a test, and its observations. */
export interface JudgedTest {
  readonly cases: ReadonlyMap<string, JudgedCase>;
  readonly observations: readonly Observation[];
}

/** Judges one mechanism by the results of its cases. */
export function judgeMechanism(mechanism: SenderMechanism, judged: JudgedTest): MechanismResult {
  switch (mechanism) {
    case 'starttls':
      return judgeStarttls(judged);
    case 'requiretls':
      return judgeRequireTls(judged);
    default:
      return judgePolicy(mechanism, judged);
  }
}

/**
 * Judges MTA-STS, DANE or DNSSEC. A verdict needs a case that was correctly delivered,
 * and a case that must not be delivered. A case proves nothing if the sender also refuses
 * its host without the mechanism, or if another network attempted the delivery.
 */
function judgePolicy(mechanism: SenderMechanism, judged: JudgedTest): MechanismResult {
  const cases = [...judged.cases.values()].filter(({ senderCase }) =>
    senderCase.evidenceOf.includes(mechanism),
  );
  const valid = cases.filter((one) => counts(one, judged));
  const ids = (wanted: (one: JudgedCase) => boolean): string[] =>
    valid.filter(wanted).map(({ senderCase }) => senderCase.id);
  const delivered = ids(
    ({ senderCase, result }) => senderCase.expect === 'deliver' && isDelivered(result.verdict),
  );
  const refused = ids(({ senderCase, result }) => senderCase.expect === 'refuse' && yes(result));
  const faults = ids(({ result }) => result.met === 'no');
  const missed = ids(({ senderCase, result }) => senderCase.expect === 'refuse' && no(result));
  const isDecided = refused.length + missed.length > 0;
  const missing = [
    ...(delivered.length > 0 ? [] : unsettled(cases, 'deliver')),
    ...(isDecided ? [] : unsettled(cases, 'refuse')),
    ...(isDecided ? [] : missingContrasts(cases, judged)),
  ];
  const settled = delivered.length > 0 && isDecided;
  return {
    mechanism,
    verdict: settled ? policyVerdict(refused, faults, inUse(mechanism, cases, judged)) : CANNOT,
    proof: [...delivered, ...refused].filter((id) => !faults.includes(id)),
    faults: settled ? faults : [],
    missing,
  };
}

const CANNOT: MechanismVerdict = 'cannot-tell';
const yes = ({ met }: CaseResult): boolean => met === 'yes';
const no = ({ met }: CaseResult): boolean => met === 'no';

function policyVerdict(
  refused: readonly string[],
  faults: readonly string[],
  used: boolean,
): MechanismVerdict {
  if (refused.length > 0) return faults.length > 0 ? 'enforces-wrongly' : 'enforces';
  return used ? 'observes-only' : 'does-not-use';
}

/**
 * Returns whether the result of a case is due to the mechanism, and to this sender: a
 * refusal needs a delivery to the same host without the mechanism.
 */
function counts({ senderCase, result }: JudgedCase, { cases }: JudgedTest): boolean {
  if (result.notes.includes('other-network')) return false;
  if (result.verdict !== 'refused' || senderCase.contrast === undefined) return true;
  const contrast = cases.get(senderCase.contrast)?.result;
  return contrast !== undefined && isDelivered(contrast.verdict);
}

/**
 * Returns contrast cases without a result: refusals that depend on these cases are not
 * evidence.
 */
function missingContrasts(cases: readonly JudgedCase[], judged: JudgedTest): string[] {
  const uncounted = cases.filter((one) => yes(one.result) && !counts(one, judged));
  const contrasts = uncounted.flatMap(({ senderCase: { contrast } }) => contrast ?? []);
  const isOpen = (id: string): boolean => {
    const result = judged.cases.get(id)?.result;
    return result === undefined || !(isDelivered(result.verdict) || result.verdict === 'refused');
  };
  return [...new Set(contrasts)].filter(isOpen).slice(0, 2);
}

/** Returns the cases that would settle the question, cases of the quick set first. */
function unsettled(cases: readonly JudgedCase[], expect: SenderCase['expect']): string[] {
  return cases
    .filter(({ senderCase, result }) => senderCase.expect === expect && result.met === 'open')
    .map(({ senderCase }) => senderCase)
    .sort((left, right) => Number(right.quick ?? false) - Number(left.quick ?? false))
    .slice(0, 2)
    .map(({ id }) => id);
}

/**
 * Returns whether the sender requested the policy: by a fetch, a TLSA question, or the DO
 * bit.
 */
function inUse(
  mechanism: SenderMechanism,
  cases: readonly JudgedCase[],
  { observations }: JudgedTest,
): boolean {
  const ids = new Set(cases.map(({ senderCase }) => senderCase.id));
  return observations.some((one) => {
    if (!ids.has(one.case)) return false;
    if (mechanism === 'mta-sts') return one.kind === 'policy' && one.status !== undefined;
    if (one.kind !== 'dns') return false;
    return mechanism === 'dane' ? one.type === 'TLSA' : one.dnssecOk;
  });
}

/**
 * Judges opportunistic TLS, which is `observes-only`: the sender uses TLS if offered, but
 * does not require it. Refusal of invalid certificates gives no protection if the sender
 * sends in plaintext without TLS, because an attacker strips STARTTLS (RFC 7435 §3).
 */
function judgeStarttls({ cases }: JudgedTest): MechanismResult {
  const base = (id: string): CaseResult | undefined => ownResult(cases, id);
  const plain = base('plain');
  const clear = base('clear');
  const faults = ['self-signed', 'expired', 'wrong-name'].filter((id) => base(id)?.met === 'no');
  const done = (result: CaseResult | undefined): boolean =>
    result !== undefined && (isDelivered(result.verdict) || result.verdict === 'refused');
  const missing = ['plain', 'clear'].filter((id) => !done(base(id)));
  const proof = ['plain', 'clear'].filter((id) => done(base(id)));
  const settled = (verdict: MechanismVerdict): MechanismResult => ({
    mechanism: 'starttls',
    verdict,
    proof,
    faults: verdict === 'enforces-wrongly' ? faults : [],
    missing: verdict === CANNOT ? missing : [],
  });
  if (plain?.verdict === 'delivered-in-plaintext') return settled('does-not-use');
  if (!plain || !isDelivered(plain.verdict) || !clear || !done(clear)) return settled(CANNOT);
  if (clear.verdict === 'refused') return settled('enforces');
  return settled(faults.length > 0 ? 'enforces-wrongly' : 'observes-only');
}

/** Returns the result of a case; undefined if another sender contacted its host. */
function ownResult(cases: JudgedTest['cases'], id: string): CaseResult | undefined {
  const result = cases.get(id)?.result;
  return result?.notes.includes('other-network') ? undefined : result;
}

/** Judges REQUIRETLS: only messages that ask for it are evidence (RFC 8689 §4.2.1). */
function judgeRequireTls({ cases, observations }: JudgedTest): MechanismResult {
  const asked = observations.some(
    (one) =>
      one.kind === 'mail' && one.case === 'requiretls' && one.parameters.includes('REQUIRETLS'),
  );
  const kept = ownResult(cases, 'requiretls');
  const absent = ownResult(cases, 'requiretls-absent');
  const decided = asked && kept && isDelivered(kept.verdict) && absent;
  const delivered = absent !== undefined && isDelivered(absent.verdict);
  const result = (verdict: MechanismVerdict, faults: string[] = []): MechanismResult => ({
    mechanism: 'requiretls',
    verdict,
    proof: verdict === CANNOT ? [] : ['requiretls', 'requiretls-absent'],
    faults,
    missing: verdict === CANNOT ? ['requiretls', 'requiretls-absent'] : [],
  });
  if (decided && delivered) return result('enforces-wrongly', ['requiretls-absent']);
  if (decided && absent.verdict === 'refused') return result('enforces');
  return result(CANNOT);
}

import type { SenderMechanism } from '../cases/sender-case.js';
import type { MechanismVerdict } from '../verdict.js';
import type { CasePrediction } from './predict-sender.js';
import type { Fact, SenderModel } from './sender-model.js';

/** The predicted verdict of one mechanism. */
export interface MechanismPrediction {
  readonly mechanism: SenderMechanism;
  readonly verdict: MechanismVerdict;
  /** The reason, as a sentence without a full stop. */
  readonly reason: string;
  /** The line of the configuration that decides. */
  readonly line: string;
  /** Cases whose outcome violates the standard. */
  readonly faults: readonly string[];
}

/** Judges each mechanism by its facts and the predicted cases. Pure. */
export function judgePrediction(
  model: SenderModel,
  predictions: readonly CasePrediction[],
): readonly MechanismPrediction[] {
  return (['starttls', 'mta-sts', 'dane', 'dnssec', 'requiretls'] as const).map((mechanism) =>
    judgeMechanism(mechanism, model, predictions),
  );
}

function judgeMechanism(
  mechanism: SenderMechanism,
  model: SenderModel,
  predictions: readonly CasePrediction[],
): MechanismPrediction {
  const { smartHost } = model;
  const fact = factOf(mechanism, model);
  const answer = (
    verdict: MechanismVerdict,
    reason: string,
    faults: readonly string[] = [],
  ): MechanismPrediction => ({ mechanism, verdict, reason, line: fact.source.line, faults });
  if (!smartHost.known)
    return { ...answer('cannot-tell', smartHost.reason), line: smartHost.source.line };
  if (smartHost.value !== undefined)
    return {
      ...answer('cannot-tell', `mail goes through ${smartHost.value}: predict that server`),
      line: smartHost.source.line,
    };
  if (!fact.known) return answer('cannot-tell', fact.reason);
  if (fact.value === 'no')
    return answer('does-not-use', 'the configuration does not use this mechanism');
  if (mechanism === 'requiretls')
    return fact.value === 'weakened'
      ? answer(
          'observes-only',
          'the sender delivers REQUIRETLS mail to servers that do not offer REQUIRETLS',
        )
      : answer(
          'enforces',
          'the sender delivers REQUIRETLS mail only to servers that offer REQUIRETLS',
        );
  return judgeCases(mechanism, fact.value, predictions, answer);
}

/**
 * `no`: not in use. `weak`: in use, but some mail is delivered in violation of the
 * mechanism.
 */
type Use = 'no' | 'weak' | 'weakened' | 'strict';

function factOf(mechanism: SenderMechanism, model: SenderModel): Fact<Use> {
  const { rules, resolver, requireTls } = model;
  switch (mechanism) {
    case 'starttls':
      return map(rules.tls, (tls) => {
        if (tls === 'never') return 'no';
        return tls === 'opportunistic' ? 'weak' : 'strict';
      });
    case 'mta-sts':
      return map(rules.mtaSts, ({ use }) => {
        if (use === 'no') return 'no';
        return use === 'observe' ? 'weak' : 'strict';
      });
    case 'dane':
      if (rules.dane.known && resolver.known && resolver.value === 'does-not')
        return { known: true, value: 'no', source: resolver.source };
      return map(rules.dane, ({ use }) => {
        if (use === 'no') return 'no';
        return use === 'observe' ? 'weak' : 'strict';
      });
    case 'dnssec':
      return map(resolver, (value) => (value === 'validates' ? 'strict' : 'no'));
    case 'requiretls':
      return map(requireTls, (value) => (value === 'enforce' ? 'strict' : value));
  }
}

function map<T>(fact: Fact<T>, to: (value: T) => Use): Fact<Use> {
  return fact.known ? { ...fact, value: to(fact.value) } : fact;
}

function judgeCases(
  mechanism: SenderMechanism,
  use: Use,
  predictions: readonly CasePrediction[],
  answer: (v: MechanismVerdict, reason: string, faults?: readonly string[]) => MechanismPrediction,
): MechanismPrediction {
  // A sender that requires TLS everywhere may be stricter than opportunistic TLS.
  const strictTls = mechanism === 'starttls' && use === 'strict';
  const evidence = predictions.filter(({ case: { id, evidenceOf } }) =>
    strictTls ? id === 'plain' : evidenceOf.includes(mechanism),
  );
  const refused = new Set(
    predictions
      .filter(({ delivery }) => delivery.result === 'deferred')
      .map(({ case: { id } }) => id),
  );
  // If the sender also refuses the host without the mechanism, the case proves nothing
  // about the mechanism.
  const faults = evidence.filter(
    (prediction) =>
      isFault(mechanism, prediction) &&
      !(prediction.delivery.result === 'deferred' && refused.has(prediction.case.contrast ?? '')),
  );
  const names = faults.map(({ case: { id } }) => id);
  const open = evidence.filter(
    ({ case: { expect }, delivery }) => expect !== 'inform' && delivery.result === 'unknown',
  );
  const [first] = open;
  if (use === 'weak' && mechanism !== 'starttls')
    return answer(
      'observes-only',
      'the sender delivers mail although the policy forbids it',
      names,
    );
  if (names.length > 0)
    return answer(
      'enforces-wrongly',
      `${names.join(', ')}: ${faults[0]?.delivery.reason ?? ''}`,
      names,
    );
  if (first !== undefined) {
    const { reason, source } = first.delivery;
    return { ...answer('cannot-tell', reason), line: source.line };
  }
  if (use === 'weak')
    return answer('observes-only', 'the sender uses TLS if offered, and does not require it');
  return answer('enforces', 'every case ends as the standard requires');
}

/**
 * Returns whether a case violates the standard. A delivery in plaintext, if TLS is
 * offered, is a fault of STARTTLS.
 */
function isFault(
  mechanism: SenderMechanism,
  { case: { expect }, delivery: { result } }: CasePrediction,
): boolean {
  if (result === 'unknown' || expect === 'inform') return false;
  if (expect === 'refuse') return result !== 'deferred';
  return result === 'deferred' || (mechanism === 'starttls' && result === 'cleartext');
}

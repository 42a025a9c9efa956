import type { PredictedVerdict, SenderPrediction } from '../predict/prediction.js';
import type { CaseResult, CaseVerdict, SenderTestResult } from '../verdict.js';

/** One case as predicted from the configuration and as observed. */
export interface ComparedCase {
  readonly case: string;
  readonly predicted: PredictedVerdict;
  readonly observed: CaseVerdict;
  /**
   * `not-predicted`: the configuration does not determine the result. `not-observed`: the
   * test did not settle the case.
   */
  readonly agrees: 'yes' | 'no' | 'not-predicted' | 'not-observed';
  /** The reason of the prediction. */
  readonly reason: string;
}

/**
 * Compares a prediction with a test, case by case. A refused and a deferred message count
 * as equal: the configuration shows the delay of a message, not which side ended the
 * connection. A short test does not observe a delivery that is predicted for a later
 * attempt.
 */
export function comparePrediction(
  prediction: SenderPrediction,
  { cases }: SenderTestResult,
): readonly ComparedCase[] {
  const results = new Map(cases.map((one) => [one.case, one]));
  return prediction.cases.flatMap((one) => {
    const result = results.get(one.case);
    if (!result) return [];
    const { case: id, verdict: predicted, reason } = one;
    const agrees = agreement(one, result);
    return [{ case: id, predicted, observed: result.verdict, agrees, reason }];
  });
}

function agreement(
  { verdict, delaySeconds = 0 }: SenderPrediction['cases'][number],
  result: CaseResult,
): ComparedCase['agrees'] {
  const observed = result.verdict;
  if (observed === 'not-seen' || observed === 'not-started') return 'not-observed';
  if (verdict === 'cannot-tell') return 'not-predicted';
  const waits = observed === 'refused' || observed === 'deferred';
  if (waits && delaySeconds > 0) return 'yes';
  if (waits) return verdict === 'refused' || verdict === 'deferred' ? 'yes' : 'no';
  return verdict === observed ? 'yes' : 'no';
}

/**
 * The failure catalogues of all parts in one table.
 *
 * Each part declares its failures with `defineFailures`: a stable code, the party that
 * has to act, whether a retry can succeed, the clause, one human-readable sentence and
 * the fix. This part joins the catalogues, so that it can explain a code from any place
 * (a result, a log line, a reply to Postfix). The same table is the source of
 * `docs/errors.md` and `hermetic explain CODE`.
 *
 * @example
 * ```ts
 * const failure = {
 *   code: 'http-timeout',
 *   blame: 'network',
 *   temporary: true,
 *   detail: '',
 * } as const;
 * console.log(explainFailure(failure));
 * ```
 */
export { allFailures } from './all-failures.js';
export { explainFailure, failureCodes, findFailure } from './explain-failure.js';

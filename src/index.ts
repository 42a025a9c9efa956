/**
 * Hermetic: TLS for mail between servers.
 *
 * @example
 * import { check } from 'hermetic';
 * const result = await check('example.com');
 * console.log(result.verdict);
 */
export {
  check,
  collect,
  grade,
  baseline,
  type CheckOptions,
  type CollectOptions,
  type Profile,
} from './check/index.js';
export {
  checkResultSchema,
  evidenceSchema,
  type CheckResult,
  type Evidence,
  type Finding,
  type Verdict,
} from './evidence/index.js';
export { connect, createSender, deliver, type SenderOptions } from './send/index.js';
export type { Attack, DeliveryResult, SenderClass } from './tls-policy/index.js';
export { HermeticError, isHermeticError } from './base/index.js';

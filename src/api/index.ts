/**
 * Hermetic: TLS for mail between servers.
 *
 * Mail between servers uses STARTTLS, which an on-path attacker can remove. MTA-STS
 * (RFC 8461) and DANE (RFC 7672) prevent that. `check` reports how well a domain is
 * protected, `createSender` delivers mail as the recipient's policies require, and the
 * subpaths export the single parts: `hermetic/check`, `hermetic/send`,
 * `hermetic/publish`, `hermetic/tls-rpt`, `hermetic/mta-sts`, `hermetic/dane`,
 * `hermetic/dns`, `hermetic/nodemailer` and `hermetic/lab`. Everything else is internal
 * and changes without notice.
 *
 * Expected faults of other systems are values: a `Failure`, or an entry of the result.
 * `HermeticError` is thrown for wrong arguments and faults of this machine.
 *
 * @example
 * ```ts
 * import { check } from 'hermetic';
 * const result = await check('example.com');
 * console.log(result.verdict);
 * ```
 */
export { check, type CheckOptions } from '../check/index.js';
export type { CheckResult, Finding, Verdict } from '../evidence/index.js';
export {
  connect,
  createSender,
  deliver,
  type Delivery,
  type Mail,
  type Sender,
  type SenderOptions,
} from '../send/index.js';
export type { Attack, DeliveryResult, SenderClass } from '../tls-policy/index.js';
export { explainFailure } from '../catalogue/index.js';
export { HermeticError, isHermeticError, type Failure, type Result } from '../base/index.js';
export { guarded, nodeNetwork, type Network } from '../net/index.js';

/**
 * Postfix adapter: a socketmap server for `smtp_tls_policy_maps` (postconf(5),
 * socketmap_table(5)).
 *
 * Before each delivery Postfix looks up the next hop in the map. The reply names a TLS
 * level (`dane-only`, `dane`, `secure`, `may`) with attributes, and Postfix enforces it.
 * NOTFOUND leaves the configuration of main.cf in force; TEMP defers the mail.
 *
 * One answer covers all MX hosts of a domain, so an answer cannot demand DANE of some
 * hosts and MTA-STS of others. An answer is never weaker than the requirement of a host
 * that Postfix may use; `answer-table.ts` and docs/postfix.md show the table of answers.
 *
 * At a DANE level Postfix relies on the AD bit of its own resolver. Without the AD bit,
 * `dane` silently means `may`. So the adapter probes this resolver every minute, and no
 * answer relies on a resolver that does not validate.
 *
 * Caches, in the order in which a request passes them: `PreparedAnswers` (replies with
 * their framing, until the decision expires, at most an hour), the MTA-STS cache of
 * `send` (max_age of each policy), and the resolver's cache (TTL of each answer).
 *
 * @example
 * ```ts
 * const decision = await resolvePolicy('example.com', deps);
 * answerOf(decision, { version: '3.7', validates: true }).reply; // OK dane-only
 * ```
 */
export { answerOf, type AnswerOptions, type PostfixAnswer } from './answer-of.js';
export {
  daneColumns,
  stsRows,
  tableAnswer,
  type DaneColumn,
  type StsRow,
  type TableAnswer,
} from './answer-table.js';
export { formatAnswer, type Entry } from './format-answer.js';
export { startPostfixMap, type PostfixMap, type PostfixMapOptions } from './postfix-map.js';
export { postfixVersions, releaseOf, type PostfixVersion } from './postfix-version.js';
export { PreparedAnswers, type Prepared } from './prepared-answers.js';
export { probeResolver, type ProbeOptions, type ProbeState } from './resolver-probe.js';
export { serveSocketmap, frame, type Malformed, type SocketmapOptions } from './serve-socketmap.js';
export { postfixSection, type PostfixSettings } from './settings.js';

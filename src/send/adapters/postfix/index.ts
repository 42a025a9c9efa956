/**
 * Postfix: a socketmap server that answers smtp_tls_policy_maps (postconf(5),
 * socketmap_table(5)) with what policy decides for a domain. The table of answers is in
 * `answer-table.ts` and docs/postfix.md.
 *
 * @example answerOf(await resolvePolicy('example.com', deps), { version: '3.7',
 * validates: true }).reply; // OK dane-only
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

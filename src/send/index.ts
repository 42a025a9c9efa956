/**
 * Sending: what a mail server or program obeys. RFC 8461, RFC 7672.
 *
 * @example
 * answerOf(await resolvePolicy('example.com', deps), { version: '3.7', validates: true }).reply; // OK dane-only
 */
export {
  answerOf,
  daneColumns,
  formatAnswer,
  frame,
  postfixSection,
  postfixVersions,
  PreparedAnswers,
  probeResolver,
  releaseOf,
  serveSocketmap,
  startPostfixMap,
  stsRows,
  tableAnswer,
} from './adapters/postfix/index.js';
export type {
  AnswerOptions,
  DaneColumn,
  Entry,
  Malformed,
  PostfixAnswer,
  PostfixMap,
  PostfixMapOptions,
  PostfixSettings,
  PostfixVersion,
  Prepared,
  ProbeOptions,
  ProbeState,
  SocketmapOptions,
  StsRow,
  TableAnswer,
} from './adapters/postfix/index.js';

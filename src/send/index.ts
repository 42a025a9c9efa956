/**
 * Delivering mail so that policy is obeyed: a session as `policy` decides or none, with
 * the outcome of every attempt as data; and what makes other mail servers obey it. RFC
 * 5321, RFC 3207, RFC 8461, RFC 7672, RFC 8689.
 *
 * @example const { outcome } = await connect('example.com'); console.log(outcome.result,
 * outcome.attempts.map((a) => `${a.host} ${a.failure?.code ?? a.state}`));
 */
export { connect, createSender, deliver, type Sender } from './sender.js';
export {
  forgetPolicy,
  forgottenRevision,
  POLICY_CACHE,
  stsStore,
  type StsStoreOptions,
} from './sts-store.js';
export type { SenderOptions } from './context.js';
export type { ConnectRequest, ConnectResult, SmtpTranscript } from './connect.js';
export type { Delivery, Mail, Recipient } from './deliver.js';
export { reportedPolicies, type ReportedOutcome } from './reported-policies.js';
export { sendFailures } from './failures.js';
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

/**
 * Sending mail under TLS policy (RFC 5321, RFC 3207, RFC 7672, RFC 8461, RFC 8689).
 *
 * For each next hop a sender looks up MX hosts, TLSA records and the MTA-STS policy and
 * asks `tls-policy` for the requirements of each host. Then it tries the hosts by
 * preference and uses the first session that meets its requirement:
 *
 * - A host that fails is skipped. Mail without a usable host is deferred; a policy alone
 *   never bounces mail (RFC 8461 §5, RFC 7672 §2.2).
 * - Opportunistic TLS continues in plaintext if the handshake fails, since nothing
 *   requires TLS there. A mandatory handshake never falls back.
 * - No command that reveals the message or its envelope precedes authentication.
 * - REQUIRETLS (RFC 8689) raises the requirement of one message, `TLS-Required: No`
 *   lowers it. Both are recorded in the outcome.
 *
 * Each attempt is recorded as data: `hermetic.outcome/1` holds decision, attempts and the
 * result under each policy, and TLS-RPT reports are counted from it. A peer's fault is a
 * result, never an exception.
 *
 * Two adapters connect this part to other software. `adapters/postfix` answers the
 * socketmap `smtp_tls_policy_maps`; Postfix then enforces the policy itself.
 * `adapters/nodemailer` is a transport that delivers directly. The policy cache of
 * `stsStore` is durable: a cached policy protects until its max_age ends even if an
 * attacker blocks every later fetch (RFC 8461 §10.2).
 *
 * Queueing and retries are left to the caller, signing and composing to the mail library.
 *
 * @example
 * ```ts
 * const { outcome } = await connect('example.com');
 * for (const { host, state, failure } of outcome.attempts)
 *   console.log(host, failure?.code ?? state);
 * ```
 */
export { connect, createSender, deliver, type Sender } from './sender.js';
export {
  forgetPolicy,
  forgottenRevision,
  POLICY_CACHE,
  policyTables,
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

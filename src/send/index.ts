/**
 * Sends mail under TLS policies (RFC 5321, RFC 3207, RFC 7672, RFC 8461, RFC 8689).
 *
 * For each next hop a sender looks up MX hosts, TLSA records and the MTA-STS policy, from
 * which `tls-policy` computes the requirement for each host. Then the sender tries the
 * hosts by MX preference and uses the first session that meets its requirement:
 *
 * - A host that fails is skipped. Mail without a usable host is deferred; a policy alone
 *   never bounces mail (RFC 8461 §5, RFC 7672 §2.2).
 * - If TLS is opportunistic and the handshake fails, the mail is sent in plaintext, since
 *   no policy requires TLS. If TLS is mandatory, the sender never falls back to
 *   plaintext.
 * - The sender reveals the message and its envelope only after it has authenticated the
 *   server, if a policy requires authentication.
 * - REQUIRETLS (RFC 8689) raises the requirement for one message; `TLS-Required: No`
 *   lowers the requirement. The outcome records both.
 *
 * Each attempt is recorded as data: `hermetic.outcome/1` contains the decision, the
 * attempts and the result under each policy. TLS-RPT reports are counted from these
 * outcomes. A peer's fault is a result, never an exception.
 *
 * Two adapters connect this part to other software. `adapters/postfix` answers the
 * socketmap `smtp_tls_policy_maps`. Postfix then enforces the policy itself.
 * `adapters/nodemailer` is a nodemailer transport that delivers directly to MX hosts.
 * `stsStore` saves the policy cache on disk: a cached policy protects mail until its
 * max_age ends, even if an attacker blocks every later fetch (RFC 8461 §10.2).
 *
 * The caller queues and retries mail. The mail library composes and signs it.
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

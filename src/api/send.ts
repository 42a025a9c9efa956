/**
 * Deliver mail as the recipient's policies require (RFC 7672, RFC 8461), or answer the
 * policy questions of Postfix.
 */
export {
  connect,
  createSender,
  deliver,
  reportedPolicies,
  startPostfixMap,
  stsStore,
  type ConnectRequest,
  type ConnectResult,
  type Delivery,
  type Mail,
  type PostfixMap,
  type PostfixMapOptions,
  type Recipient,
  type ReportedOutcome,
  type Sender,
  type SenderOptions,
  type SmtpTranscript,
  type StsStoreOptions,
} from '../send/index.js';
export { decideDomain, decideHost, resolvePolicy } from '../tls-policy/index.js';

/**
 * TLS for a client of mail servers: RFC 9846, RFC 5246, RFC 9325.
 *
 * Node's own TLS completes handshakes but hides facts that a mail operator needs: the
 * versions, suites and groups that a server accepts, and its certificates. This part adds
 * these facts.
 *
 * - `handshake` completes one handshake with node:tls and returns the negotiated
 *   parameters and the chain exactly as sent. It accepts any certificate: opportunistic
 *   TLS protects against passive observers even without authentication (RFC 7435).
 * - `authenticate` also requires a trusted, valid chain with the name of the server.
 * - `wire/` encodes ClientHellos from SSLv2 to TLS 1.3 and parses the plaintext part of
 *   the answer. This codec needs no keys.
 * - `prober/` plans which hello to send next. If a server refuses a hello with many
 *   suites, it refuses all of them, so few connections are needed. Plan, inference and
 *   summary are pure functions of a log.
 *
 * An alert, a closed connection and silence are different results with different codes.
 * Silence proves nothing about a server.
 *
 * This part leaves certificate validation to `x509`, STARTTLS to `smtp`, and the grading
 * of versions and suites to the profiles of `check`.
 *
 * @example
 * ```ts
 * console.log(suiteName(0x1301)); // TLS_AES_128_GCM_SHA256
 * ```
 */
export {
  handshake,
  type HandshakeRequest,
  type HandshakeResult,
  type HandshakeFacts,
} from './handshake.js';
export {
  authenticate,
  authenticateServer,
  type Authenticated,
  type ServerIdentity,
} from './authenticate.js';
export { senderGroups } from './sender-groups.js';
export { senderHellos, type SenderHello } from './sender-hellos.js';
export { readFirstHello } from './first-hello.js';
export { renegotiate } from './renegotiate.js';
export { isStrictSession, servingTls, strictTls, type TlsSettings } from './settings.js';
export { tlsFailures } from './failures.js';
export { builtinTrustStore } from './roots.js';
export {
  ProtocolVersion,
  Extension,
  buildClientHello,
  readClientHello,
  FlightReader,
  bitLength,
  encodeUnsigned,
  vector,
  suites,
  suiteName,
  suitesWhere,
  groups,
  groupName,
  groupTable,
  isPostQuantum,
  signatureSchemeName,
  signatureSchemeTable,
  buildSsl2ClientHello,
  readSsl2ServerHello,
  type TlsAlert,
  type ClientHello,
  type FlightState,
  type Group,
  type KeyExchange,
  type ReceivedHello,
  type ServerFlight,
  type ServerHello,
  type ServerKeyExchange,
  type Ssl2Answer,
  type Suite,
  type SuiteAuthentication,
} from './wire/index.js';
export {
  runProbes,
  isLost,
  nextQuestion,
  summarise,
  askHello,
  infer,
  evaluate,
  settleKey,
  type AskHelloRequest,
  helloFor,
  only,
  suites12,
  suites13,
  suitesOld,
  groups12,
  groups13,
  type TlsAnswer,
  type Ask,
  type Goals,
  type HelloVersion,
  type Inventory,
  type LargeHello,
  type LargeHelloResult,
  type OldVersion,
  type ProbeRecord,
  type Inference,
  type TlsQuestion,
  type RunOptions,
  type Tristate,
  type QuestionTopic,
} from './prober/index.js';

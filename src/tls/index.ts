/**
 * TLS as a mail server is seen from outside: one completed handshake with the chain as
 * sent, hellos written and answers read by hand, and a prober that plans which of them to
 * spend (RFC 9846, RFC 5246, RFC 9325).
 *
 * @example console.log(suiteName(0x1301)); // TLS_AES_128_GCM_SHA256
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
export { renegotiate } from './renegotiate.js';
export type { TlsSettings } from './settings.js';
export { servingTls } from './serving.js';
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
  type OldVersion,
  type ProbeRecord,
  type Inference,
  type TlsQuestion,
  type RunOptions,
  type Tristate,
  type QuestionTopic,
} from './prober/index.js';

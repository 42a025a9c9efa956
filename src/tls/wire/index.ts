/**
 * The plaintext part of TLS, encoded and parsed here: ClientHello from SSLv2 to TLS 1.3,
 * and the server's first flight (RFC 9846, RFC 5246, RFC 8422, RFC 6101). Node cannot
 * send a hello with one chosen suite of every version ever assigned, so a prober needs
 * its own codec. This part generates no secret key and completes no handshake;
 * `handshake` uses node:tls for both.
 */
export {
  ProtocolVersion,
  Extension,
  buildClientHello,
  type ClientHello,
  type KeyShare,
} from './client-hello.js';
export { KEY_SHARE_RANDOM, keyShareOf, X25519_MLKEM768 } from './key-share.js';
export { buildRecordedHello, RECORDED_HELLO_RANDOM } from './recorded-hello.js';
export { readClientHello, type ReceivedHello } from './read-client-hello.js';
export { FlightReader, type FlightState } from './flight-reader.js';
export {
  bitLength,
  type TlsAlert,
  type ServerFlight,
  type ServerHello,
  type ServerKeyExchange,
} from './server-flight.js';
export { encodeUnsigned, vector } from './byte-reader.js';
export {
  suites,
  suiteName,
  suitesWhere,
  type Suite,
  type KeyExchange,
  type SuiteAuthentication,
} from './suite.js';
export { groups, groupName, groupTable, isPostQuantum, type Group } from './groups-registry.js';
export { signatureSchemeName, signatureSchemeTable } from './signature-schemes-registry.js';
export { buildSsl2ClientHello, readSsl2ServerHello, type Ssl2Answer } from './ssl2.js';

/**
 * A TLS server in a script, for protocols that OpenSSL no longer supports: SSLv2, SSLv3,
 * export ciphers, RC4 and anonymous suites. The server answers a hello with a valid first
 * flight (certificate chain and signed key exchange included) and never completes a
 * handshake: a prober needs no more to determine the accepted parameters.
 */
export { respond } from './respond.js';
export { answerHello } from './answer-hello.js';
export type { ResponderConfig, ResponderCertificate } from './responder-config.js';

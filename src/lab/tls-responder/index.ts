/**
 * A TLS server that exists only up to its first flight: any version, suite, group and
 * habit, with real certificates and signatures.
 */
export { respond } from './respond.js';
export { answerHello } from './answer-hello.js';
export type { ResponderConfig, ResponderCertificate } from './responder-config.js';

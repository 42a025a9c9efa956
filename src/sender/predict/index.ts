/**
 * Predicts how a sender treats mail, from the configuration of its mail server.
 *
 * 1. A reader turns a configuration into a `SenderModel`: the rules by which the server
 *    uses TLS, each with the line that states it. A setting that a reader does not
 *    understand becomes an unknown fact with its reason. The readers are `readPostfix`,
 *    `readExim`, `readOpenSmtpd` and `readOwn`.
 * 2. `predictSender` applies the rules to the cases of the test, and to each class of
 *    receiving domain under each attack. `predictSender` does not depend on the mail server
 *    program.
 *
 * Readers and `predictSender` are pure. The prediction is only as complete as the
 * configuration: cells are `cannot-tell` if they depend on a smart host, a table that
 * only its server can answer, or the TLS library.
 *
 * @example
 * ```ts
 * const text = 'smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n';
 * const readTable = () => ({ ok: false, reason: 'not read' }) as const;
 * const model = readPostfix({ text, readTable, domain: 'example.com' });
 * predictSender(model, senderCases).mechanisms; // dane: enforces
 * ```
 */
export {
  predictionSchema,
  predictionSchemas,
  predictSender,
  type SenderPrediction,
} from './prediction.js';
export { renderPrediction } from './render-prediction.js';
export { resolverStates, type ResolverState } from './assumptions.js';
export type { SenderModel } from './sender-model.js';
export { fileTypes, type ReadTable, type TableName } from './postfix/lookup-tables.js';
export { policyServers, type PolicyServer } from './postfix/policy-servers.js';
export { readPostfix } from './postfix/read-postfix.js';
export { readExim } from './exim/read-exim.js';
export { readOpenSmtpd } from './opensmtpd/read-opensmtpd.js';
export { readOwn, type OwnSettings } from './read-own.js';
export { splitTlsLibrary } from './tls-library.js';
export { senderPrograms, type SenderProgram } from './sender-model.js';

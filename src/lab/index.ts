/**
 * A whole mail internet in one process: a signed DNS root with its zones, mail servers
 * good and bad, policy hosts, and people on the path. Real sockets, real TLS and real
 * signatures; only the addresses are mapped (documentation addresses to ephemeral
 * loopback ports), so nothing needs root or collides.
 *
 * @example const lab = await createLab(); console.log(lab.scenarios.map((s) =>
 * `${s.domain}: ${s.says}`)); await lab.close();
 */
export { createLab, type Lab, type LabOptions } from './lab.js';
export type { Exposed } from './expose.js';
export { allScenarios, scenariosFor } from './scenarios/all-scenarios.js';
export { cellsOf, type Scenario, type Expectation, type Row } from './scenarios/scenario.js';
export { LabDns, type DnsFault, type ResolverHabit } from './dns/lab-dns.js';
export { LabNetwork } from './network/lab-network.js';
export type { ZoneSpec } from './dns/zone.js';
export {
  mailServer,
  type Admission,
  type MailServerOptions,
  type ReceivedMail,
  type SmtpHabit,
} from './actors/mail-server.js';
export { PolicyHost, type PolicySite } from './actors/policy-host.js';
export { AcmeCa } from './actors/acme-ca.js';
export { AcmeProblem } from './actors/acme-signed.js';
export type {
  AcmeCaHabits,
  AcmeCaOptions,
  AcmeCertificate,
  AcmeOrder,
} from './actors/acme-ca-types.js';
export { validateOver, type ValidateChallenge } from './actors/acme-validate.js';
export { labAttacks, type LabAttack } from './attackers/start-attack.js';
export { stripStarttls, type Stripping } from './attackers/strip-starttls.js';
export {
  respond,
  answerHello,
  type ResponderConfig,
  type ResponderCertificate,
} from './tls-responder/index.js';

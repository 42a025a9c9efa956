/**
 * A simulated mail internet in one process, for tests, demonstrations and learning.
 *
 * Tests of a check or a delivery need servers that really fail. The lab has a signed DNS
 * root with about sixty domains below it. Each domain is a scenario: a mail server with
 * an expired certificate, a zone with a bogus signature, a policy host that redirects, an
 * on-path attacker who strips STARTTLS. Each scenario states the expected verdict,
 * findings and exposure, and the tests compare these with the results of `check`.
 *
 * Sockets, TLS handshakes and signatures are real; only addresses are mapped. A service
 * at a documentation address (RFC 5737: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24)
 * listens on an ephemeral loopback port, and `LabNetwork` maps the address to that port.
 * The lab therefore needs neither root nor network access, and many labs run
 * concurrently.
 *
 * - `dns/`: zones signed on demand, with NSEC or NSEC3, behind one resolver.
 * - `actors/`: mail servers with configurable behaviour, policy hosts, an ACME CA, a PKI.
 * - `attackers/`: the attacks of RFC 8461 §10 and RFC 7672 §1.3, which a test starts and
 *   ends.
 * - `tls-responder/`: a scripted TLS server for SSLv2 to TLS 1.3, including the export
 *   and RC4 suites that OpenSSL no longer supports.
 * - `scenarios/`: the domains, as data.
 *
 * - `synthetic/`: an internet of any size whose facts are computed from the number of the
 *   domain, for scans and benchmarks.
 *
 * The expectations are written manually, never computed by the code under test.
 *
 * @example
 * ```ts
 * const lab = await createLab();
 * for (const { domain, says } of lab.scenarios) console.log(`${domain}: ${says}`);
 * await lab.close();
 * ```
 */
export { createLab, type Lab, type LabOptions } from './lab.js';
export type { Exposed } from './expose.js';
export { allScenarios, scenariosFor } from './scenarios/all-scenarios.js';
export { cellsOf, type Scenario, type Expectation, type Row } from './scenarios/scenario.js';
export {
  LabDns,
  type DnsFault,
  type LabDnsOptions,
  type LabQuestion,
  type ResolverHabit,
} from './dns/lab-dns.js';
export { LabNetwork } from './network/lab-network.js';
export type { ZoneSpec } from './dns/zone.js';
export {
  mailServer,
  type ConnectionRule,
  type MailServerOptions,
  type ReceivedMail,
  type SmtpHabit,
} from './actors/mail-server.js';
export { PolicyHost, type PolicySite, type PolicyRequest } from './actors/policy-host.js';
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
export {
  dropLargeHellos,
  MAX_PASSED_HELLO,
  type LargeHelloLoss,
} from './attackers/drop-large-hellos.js';
export { stripStarttls, type StripMethod } from './attackers/strip-starttls.js';
export {
  respond,
  answerHello,
  type ResponderConfig,
  type ResponderCertificate,
} from './tls-responder/index.js';
export {
  startSyntheticInternet,
  type AddressCounts,
  type SyntheticCounts,
  type SyntheticInternet,
} from './synthetic/synthetic-internet.js';
export type {
  SyntheticDomain,
  SyntheticFacts,
  SyntheticOptions,
  SyntheticShares,
} from './synthetic/synthetic-facts.js';

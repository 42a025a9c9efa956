/**
 * Scans many domains: the state of mail TLS of a country, a list or a customer base.
 *
 * Cost and load grow with the distinct mail servers, and not with the domains:
 * - `facts/` observes in four steps that many domains share: the DNS facts of a domain, those
 *   of a mail host, one visit to an address, and the MTA-STS policy. Each observation is
 *   plain JSON. The `hermetic.evidence/1` of one domain is composed from them on demand.
 * - `grade/` grades domains by their facts. Domains with equal facts, apart from names and
 *   times, share one grade.
 * - `classes/` assigns the classes of misconfiguration that published studies count.
 *
 * "Could not tell" is a separate answer everywhere: in grades, statistics and changes.
 *
 * @example
 * ```ts
 * const domain = await observeDomain('example.com', options);
 * const hosts = await Promise.all(
 *   domain.mx.map(async ({ name }) => {
 *     const host = await observeHost(name, options);
 *     const visits = [];
 *     for (const address of host.addresses)
 *       visits.push(await visitHost({ ...host, address, host: name }, options));
 *     return { host, visits };
 *   }),
 * );
 * const policy = announcesPolicy(domain) ? await observePolicy(domain, options) : undefined;
 * const { verdict, classes } = new DomainGrader().grade({ domain, policy, hosts });
 * ```
 */
export {
  domainObservationSchema,
  hostObservationSchema,
  stsObservationSchema,
  visitObservationSchema,
  type DomainObservation,
  type HostObservation,
  type ScannedDomain,
  type ScannedHost,
  type StsObservation,
  type VisitObservation,
} from './facts/observations.js';
export {
  announcesPolicy,
  observeDomain,
  observeHost,
  observePolicy,
  visitHost,
  type ObserveOptions,
  type VisitTarget,
} from './facts/observe.js';
export { composeEvidence, type ScanVantage } from './facts/compose-evidence.js';
export {
  DomainGrader,
  gradeDomain,
  summariseGrade,
  type DomainGrade,
  type GraderOptions,
} from './grade/grade-domain.js';
export { measuresOf, type Measures } from './grade/measures.js';
export {
  classIds,
  classRegistry,
  type ClassId,
  type MisconfigurationClass,
} from './classes/class-registry.js';
export { classBits, classesOf, classesOfBits } from './classes/classes-of.js';

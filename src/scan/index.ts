/**
 * Scans many domains to measure the mail TLS of a country, a list or a customer base.
 *
 * Cost and load grow with the number of distinct mail servers, not of domains:
 * - `facts/` observes in four steps that many domains share: the DNS facts of a domain,
 *   the DNS facts of a mail host, one visit to an address, and the MTA-STS policy. Each
 *   observation is plain JSON. On demand, this folder composes the `hermetic.evidence/1`
 *   of one domain from the observations.
 * - `grade/` grades domains by their facts. Domains with equal facts, apart from names and
 *   times, share one grade.
 * - `classes/` assigns the classes of misconfiguration that published studies count.
 * - `family/` decides which host names of a provider or a hosting server are visited, and
 *   infers the others.
 * - `schedule/` computes due times, and the pauses after an address refused a visit.
 * - `changes/` compares two observations of a domain.
 * - `statistics/` defines every number: its unit, the total and the unknown share.
 * - `export/` writes results as JSON lines, CSV and Parquet, with a data dictionary.
 * - `list/` checks a list in memory, without a database.
 *
 * Grades, statistics and changes treat "could not tell" as a separate answer.
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
export { measuresOf, measureValues, type Measures } from './grade/measures.js';
export {
  classIds,
  classRegistry,
  type ClassId,
  type MisconfigurationClass,
} from './classes/class-registry.js';
export { classBits, classesOf, classesOfBits } from './classes/classes-of.js';
export { ListCheck, type ListCounts, type ListLimits } from './list/check-list.js';
export { familyOf, operatorOf, OWN_OPERATOR } from './family/family-of.js';
export {
  afterVisit,
  inferenceError,
  inferVisit,
  newFamily,
  planVisit,
  type FamilyAtAddress,
  type InferenceError,
  type PlannedName,
  type PlannedVisit,
} from './family/inference.js';
export { hashFraction } from './family/sample.js';
export {
  domainInterval,
  firstDue,
  hostInterval,
  nextDue,
  visitInterval,
  visitIsDue,
  type DomainPace,
  type VisitReason,
} from './schedule/due.js';
export {
  decideRest,
  REST_LEVELS,
  rested,
  type RestDecision,
  type RestState,
  type TurnedAway,
} from './schedule/rest.js';
export {
  applyChanges,
  changeKinds,
  compareSnapshots,
  snapshotOf,
  type ChangeKind,
  type DomainChange,
  type DomainSnapshot,
  type SnapshotComparison,
} from './changes/changes.js';
export {
  statisticDefinitions,
  statisticPages,
  type StatisticAnswer,
  type StatisticDefinition,
  type StatisticPage,
} from './statistics/definitions.js';
export {
  StatisticsCollector,
  type Statistic,
  type StatisticCount,
  type StatisticRow,
} from './statistics/collect-statistics.js';
export {
  dataDictionary,
  exportColumns,
  type ColumnValue,
  type ExportColumn,
  type ScanResultRow,
} from './export/columns.js';
export {
  csvHeader,
  csvRow,
  jsonLine,
  scanResultSchema,
  scanSchemas,
} from './export/export-rows.js';
export { parquetChunks } from './export/parquet-chunks.js';
export { judgeContact } from './schedule/judge-contact.js';
export { resultRow } from './live/result-row.js';
export { liveWork, type LiveOptions, type LiveWork } from './live/live-work.js';
export {
  controlScan,
  Database,
  explainDomain,
  exportScan,
  FactStore,
  listScans,
  loadList,
  migrate,
  openCluster,
  politeness,
  requireMigrated,
  returnAddress,
  runWorker,
  scanChanges,
  scanFailures,
  scanNumbered,
  scanProgress,
  scanStatistics,
  startScan,
  storeOptOuts,
  takeAddress,
  type DomainList,
  type ExplainedDomain,
  type EndedContact,
  type ExportedDomain,
  type HeldAddress,
  type LoadedList,
  type LocalCluster,
  type Politeness,
  type ScanChange,
  type ScanOptions,
  type ScanProgress,
  type ScanState,
  type ScanStatistic,
  type ScanWork,
  type StoredScan,
  type WantedContact,
  type WorkerOptions,
} from './engine/index.js';

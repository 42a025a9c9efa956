export { openCluster, type LocalCluster } from './database/cluster.js';
export { Database, type DatabaseOptions } from './database/database.js';
export { migrate, requireMigrated } from './database/migrate.js';
export { scanFailures, type ScanFailureCode } from './database/failures.js';
export type * from './contract/scan-work.js';
export {
  returnAddress,
  takeAddress,
  type EndedContact,
  type HeldAddress,
  type NotHeld,
  type WantedContact,
} from './contacts/take-address.js';
export { explainDomain, type ExplainedDomain } from './jobs/explain-domain.js';
export { FactStore } from './database/store-facts.js';
export { scanChanges, type ScanChange } from './scans/scan-changes.js';
export { scanStatistics } from './scans/scan-statistics.js';
export { controlScan, startScan, type ScanOptions } from './scans/control-scan.js';
export { exportScan, type ExportedDomain } from './scans/export-scan.js';
export { loadList, type DomainList, type LoadedList } from './scans/load-list.js';
export { listScans, scanNumbered, type ScanState, type StoredScan } from './scans/stored-scan.js';
export { scanProgress, type ScanProgress } from './scans/scan-progress.js';
export { politeness, type Politeness } from './visits/politeness.js';
export { runWorker, type WorkerOptions } from './worker.js';
export { storeOptOuts } from './scans/store-opt-outs.js';

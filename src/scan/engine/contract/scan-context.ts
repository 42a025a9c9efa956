import type { Clock } from '../../../base/index.js';
import type { Database } from '../database/database.js';
import type { FactStore } from '../database/store-facts.js';
import type { HostStore } from '../database/store-hosts.js';
import type { ScanWork, WebVisits } from './scan-work.js';

/**
 * The inputs of a worker: database, observations, clock, and the signal that ends the
 * worker.
 */
export interface ScanContext {
  readonly database: Database;
  readonly work: ScanWork;
  readonly facts: FactStore;
  readonly hosts: HostStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The contacts of this worker with policy hosts, for one scan. */
  readonly web: { of(scanId: number): WebVisits };
}

import type { Clock } from '../../../base/index.js';
import type { Database } from '../database/database.js';
import { FactStore } from '../database/store-facts.js';
import { HostStore } from '../database/store-hosts.js';
import type { ScanWork } from './scan-work.js';

/** The inputs of a worker: database, observations, clock, and the end of the worker. */
export interface ScanContext {
  readonly database: Database;
  readonly work: ScanWork;
  readonly facts: FactStore;
  readonly hosts: HostStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export function scanContext(
  given: Pick<ScanContext, 'database' | 'work' | 'clock' | 'signal'>,
): ScanContext {
  const { database } = given;
  return { ...given, facts: new FactStore(database), hosts: new HostStore(database) };
}

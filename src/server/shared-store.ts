import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { collectGarbage, steadyTime, type Clock } from '../base/index.js';
import type { StsCache } from '../mta-sts/index.js';
import { PUBLISHING } from '../publish/config.js';
import { POLICY_CACHE, policyTables, stsStore } from '../send/index.js';
import {
  findDamage,
  migrateWhenFree,
  openStore,
  storeError,
  type JobWrites,
  type Store,
} from '../store/index.js';
import type { Log } from './log.js';
import { labelled, single, type Metric } from './metrics.js';

/** The database and its policy cache, which one configuration may use until `release`. */
export interface StoreLease {
  readonly store: Store;
  readonly stsCache: StsCache;
  /** Resolves when the database is closed, or stays open for another configuration. */
  release(): Promise<void>;
}

/** The source of a configuration's database. */
export interface StoreSource {
  /**
   * Opens or shares the database of a file. Rejects with HermeticError if the file cannot
   * be opened.
   */
  lease(filePath: string): Promise<StoreLease>;
}

/**
 * Milliseconds that the start blocks while another process locks the database. Later,
 * when ports are open, no call may block the event loop.
 */
const START_WAIT = 5000;
/**
 * Maximum octets of a database that the start reads completely to find damage, which
 * takes half a second.
 */
const MAX_VERIFIED = 256_000_000;

interface Opened {
  readonly key: string;
  readonly store: Store;
  readonly stsCache: StsCache;
  readonly isDamaged: boolean;
  leases: number;
}

/**
 * The connection of the daemon to its database. A reload with the same file keeps the
 * connection, and the policies in memory that could not be stored yet. If the file was
 * moved away, the reload opens the path again.
 */
export class SharedStore implements StoreSource {
  #opened: Opened | undefined;
  #busyTimeoutMs = START_WAIT;

  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /**
   * Opens or shares the database of a file. If the file cannot be opened, rejects with
   * HermeticError and keeps the previous connection.
   */
  async lease(filePath: string): Promise<StoreLease> {
    const identity = filePath === ':memory:' ? filePath : resolve(filePath);
    const before = this.#opened;
    const current =
      before?.key === identity && before.store.inPlace()
        ? before
        : await this.#open(identity, filePath);
    this.#opened = current;
    current.leases++;
    return {
      store: current.store,
      stsCache: current.stsCache,
      release: () => this.#release(current, before),
    };
  }

  /**
   * Ends the phase of the start: from now on no call blocks the event loop to wait for a
   * lock of another process.
   */
  serving(): void {
    this.#busyTimeoutMs = 0;
    this.#opened?.store.setBusyTimeout(0);
  }

  /** The jobs that cannot write to the database, each with the code of the failure. */
  get failing(): readonly { readonly job: string; readonly code: string }[] {
    if (this.#opened?.isDamaged) return [{ job: 'store', code: 'store-corrupt' }];
    const jobs = this.#opened?.store.writes() ?? [];
    return jobs.flatMap(({ job, failure }) => (failure ? [{ job, code: failure.code }] : []));
  }

  metrics(): readonly Metric[] {
    const jobs = this.#opened?.store.writes() ?? [];
    const perJob = (
      value: (jobWrites: JobWrites) => number,
    ): readonly (readonly [string, number])[] =>
      jobs.map((jobWrites) => [jobWrites.job, value(jobWrites)]);
    return [
      labelled('store_writes_total', 'counter', 'Successful writes to the database.', {
        label: 'job',
        values: perJob(({ written }) => written),
      }),
      labelled(
        'store_write_failures_total',
        'counter',
        'Failed writes to the database: a full disk, a lock of another process, a damaged file.',
        { label: 'job', values: perJob(({ failed }) => failed) },
      ),
      labelled('store_job_failing', 'gauge', '1: the last write of this job failed.', {
        label: 'job',
        values: perJob(({ failure }) => Number(failure !== undefined)),
      }),
      single(
        'store_in_place',
        'gauge',
        '0: the database file was moved or replaced while it was open.',
        Number(this.#opened?.store.inPlace() ?? true),
      ),
    ];
  }

  async #open(key: string, filePath: string): Promise<Opened> {
    const stateStore = await openStore(filePath, {
      busyTimeoutMs: this.#busyTimeoutMs,
      checkpointThread: true,
      exclusiveWhenFull: true,
      onChange: (jobWrites) => this.#note(jobWrites),
    });
    for (const exposed of stateStore.exposed)
      this.log.warn('store-exposed', {
        ...exposed,
        fix: 'other users can open this file: run chmod 600 as its owner',
      });
    if (stateStore.isExclusive)
      this.log.error('store-exclusive', {
        file: stateStore.file,
        effect:
          'the disk is full; the daemon answers with policies, and no other program can read the file',
        fix: 'free space on the disk, then restart hermetic',
      });
    try {
      const isDamaged = this.#busyTimeoutMs > 0 && this.#refusesDamaged(stateStore);
      await migrateWhenFree(stateStore, policyTables);
      const stsCache = stsStore(stateStore, {
        now: steadyTime(this.clock),
        onReadFailure: (error) =>
          this.log.error('policy-cache-unreadable', {
            error: error.message,
            effect: 'the daemon fetches policies again and answers from memory',
          }),
      });
      return { key, store: stateStore, stsCache, isDamaged, leases: 0 };
    } catch (error) {
      stateStore.close();
      throw error;
    }
  }

  /**
   * Makes a damaged database read-only and returns true: the operator can save the
   * remaining content, and the daemon still answers policy requests. Reading the whole
   * file delays no client, because no port is open yet.
   */
  #refusesDamaged(stateStore: Store): boolean {
    const { file } = stateStore;
    if (file === ':memory:' || statSync(file).size > MAX_VERIFIED) return false;
    const damage = findDamage(stateStore);
    if (damage === undefined) return false;
    const failure = storeError('store-corrupt', file);
    stateStore.refuseWrites(failure);
    this.log.error('store-damaged', {
      file,
      damage,
      effect: 'the daemon writes nothing, answers with policies from memory, and defers reports',
      fix: failure.fix,
    });
    return true;
  }

  async #release(lease: Opened, before: Opened | undefined): Promise<void> {
    if (--lease.leases > 0) return;
    // If the new configuration could not start, the database of the previous one is used
    // again.
    if (this.#opened === lease) this.#opened = before && before.leases > 0 ? before : undefined;
    await lease.store.settle();
    lease.store.close();
    // A closed connection keeps its file descriptors until its statements are
    // garbage-collected.
    if (this.#opened) collectGarbage();
  }

  #note({ job, failure }: JobWrites): void {
    if (!failure) return this.log.info('store-writes-again', { job });
    this.log.error('store-write-failed', {
      job,
      code: failure.code,
      error: failure.message,
      effect: EFFECTS[job],
      fix: failure.fix,
    });
  }
}

/** The effects on the daemon while a job cannot write, by job. */
const EFFECTS: Readonly<Record<string, string>> = {
  [POLICY_CACHE]: 'the daemon keeps MTA-STS policies in memory, and a restart loses them',
  report: 'the daemon defers reports; senders try again',
  reporting: 'sessions stay in memory; the daemon sends reports later',
  [PUBLISHING]: 'publishing is delayed; policies and certificates stay in place',
  watch: 'the daemon saves no results of checks, and reports changes later',
  pages: 'the check page starts no check; results of running checks are lost',
};

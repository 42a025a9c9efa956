import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  exportScan,
  loadList,
  migrate,
  openCluster,
  scanNumbered,
  startScan,
  type Database,
  type LocalCluster,
  type Politeness,
} from '../../../src/scan/engine/index.js';
import { until } from '../process.js';
import type { CountedWorld } from './counted-work.js';

/** Limits of the tests: short times, with the same ratios as the defaults. */
export const testRules: Partial<Politeness> = {
  spacingMs: 300,
  dailyBudget: 40,
  visitMs: 1500,
  abandonedMs: 6000,
};

/** A separate PostgreSQL cluster, and the scans in it. */
export class ScanWorld {
  readonly folder: string;
  readonly #cluster: LocalCluster;
  readonly database: Database;
  readonly #workers = new Set<ChildProcess>();

  private constructor(folder: string, cluster: LocalCluster, database: Database) {
    this.folder = folder;
    this.#cluster = cluster;
    this.database = database;
  }

  static async open(): Promise<ScanWorld> {
    const outer = mkdtempSync(join(tmpdir(), 'hermetic-scan-'));
    // The server must not run as root.
    chmodSync(outer, 0o755);
    const folder = join(outer, 'cluster');
    const cluster = await openCluster(folder, { create: true });
    const database = await cluster.open();
    await migrate(database);
    return new ScanWorld(folder, cluster, database);
  }

  /** Deletes all scans and all cached facts. */
  async reset(): Promise<void> {
    await this.database.execute(
      'DROP SCHEMA hermetic_scan CASCADE; DROP SCHEMA hermetic_jobs CASCADE',
    );
    await migrate(this.database);
  }

  /** Starts a scan of `count` domains and returns its number. */
  start(name: string, count: number): Promise<number> {
    return this.startNames(
      name,
      Array.from({ length: count }, (_, n) => `d${n}.example`),
    );
  }

  /** Starts a scan of these domains and returns its number. */
  async startNames(name: string, domains: readonly string[]): Promise<number> {
    const file = join(this.folder, '..', `${name}.txt`);
    writeFileSync(file, domains.map((domain) => `${domain}\n`).join(''));
    const { id } = await loadList(this.database, { file, name });
    return startScan(this.database, id);
  }

  /** Starts a worker process that observes this world. */
  spawnWorker(world: CountedWorld, rules: Partial<Politeness> = testRules): ChildProcess {
    const script = join(import.meta.dirname, 'scan-worker.js');
    const worker = spawn(
      process.execPath,
      [script, join(this.folder, 'socket'), JSON.stringify(world), JSON.stringify(rules)],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    this.#workers.add(worker);
    worker.once('exit', () => this.#workers.delete(worker));
    return worker;
  }

  killWorkers(): void {
    for (const worker of this.#workers) worker.kill('SIGKILL');
  }

  async finished(scan: number, timeoutMs = 120_000): Promise<void> {
    await until(
      `the end of scan ${scan}`,
      async () => (await scanNumbered(this.database, scan)).state === 'done',
      () => '',
      timeoutMs,
    );
  }

  /** Returns the exported rows of a scan as text. */
  async exported(scan: number): Promise<string> {
    const rows: string[] = [];
    for await (const row of exportScan(this.database, scan)) rows.push(JSON.stringify(row));
    return rows.join('\n');
  }

  async close(): Promise<void> {
    this.killWorkers();
    await this.database.close();
    await this.#cluster.close();
    rmSync(join(this.folder, '..'), { recursive: true, force: true });
  }
}

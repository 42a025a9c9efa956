import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, parseConfig, startDaemon } from '../../src/server/index.js';
import { openStore } from '../../src/store/index.js';
import { prepareReports } from '../../src/tls-rpt-receive/index.js';
import { prepareWatch, recordCheck } from '../../src/watch/index.js';
import { storeTestReports } from './report/reports.js';
import { atHost, healthyResult } from './watch-results.js';

/** A running daemon with every job, and data for every metric. */
export interface ScrapedDaemon {
  /** Port of `/metrics` on 127.0.0.1. */
  readonly port: number;
  close(): Promise<void>;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * Starts the daemon over a database with two watched domains, one with an open alarm, and
 * TLS reports about the other. No check is due and no name server answers, so the daemon
 * contacts only loopback addresses.
 */
export async function startScrapedDaemon(): Promise<ScrapedDaemon> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-scrape-'));
  const file = join(folder, 'hermetic.db');
  mkdirSync(join(folder, 'keys'), { mode: 0o700 });
  writeFileSync(join(folder, 'password'), 'secret', { mode: 0o600 });
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\n');
  await fillStore(file);
  const config = parseConfig(`
store: {file: ${file}}
resolver: {addresses: ['127.0.0.1:9']}
metrics: {listen: '127.0.0.1:0'}
postfix: {version: '3.7', listen: '127.0.0.1:0', resolver: {file: ${join(folder, 'resolv.conf')}}}
watch: {domains: [good.example, broken.example], everyHours: 720}
report:
  domains: [good.example]
  checkHours: 0
  mailboxes: [{server: imap.example.com, address: 127.0.0.1, port: 9, user: a, password: ${join(folder, 'password')}}]
reporting: {organization: One, contact: tls@example.com}
publish: {keys: ${join(folder, 'keys')}, everyMinutes: 0, domains: {}, hosts: {}}
pages: {operatorPort: '127.0.0.1:0'}
`);
  if (!config.ok) throw new Error(JSON.stringify(config.failure));
  const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
  const daemon = await startDaemon(config.value, log, { version: '0.0.0-test' });
  const at = daemon.listening.find(({ what }) => what === 'metrics')?.at;
  if (!at || !('port' in at)) throw new Error('no metrics port');
  return {
    port: at.port,
    async close() {
      await daemon.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function fillStore(file: string): Promise<void> {
  const store = await openStore(file);
  prepareReports(store);
  prepareWatch(store);
  const now = Date.now();
  const scope = { domains: ['good.example', 'broken.example'], channels: [] };
  for (const hours of [3, 2]) {
    const at = now - hours * HOUR;
    for (const domain of scope.domains) {
      const result = healthyResult(domain);
      const plant = domain === 'broken.example' ? atHost('starttls-absent') : undefined;
      await recordCheck(store, { domain, result: plant ? plant(result) : result }, scope, at);
    }
  }
  const details = [{ result: 'certificate-expired', count: 2, mx: 'mx.good.example' }];
  const policies = [{ domain: 'good.example', ok: 90, failed: 2, details }];
  const day = new Date(now - DAY).toISOString().slice(0, 10);
  storeTestReports(store, [{ reporter: 'sender.example', day, policies }]);
  store.close();
}

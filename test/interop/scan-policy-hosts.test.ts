import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { startSyntheticInternet, type SyntheticInternet } from '../../src/lab/index.js';
import { controlScan, scanProgress } from '../../src/scan/engine/index.js';
import { until } from './process.js';
import { ScanWorld } from './scan/scan-world.js';

/**
 * Domains, each with a policy, at two addresses of policy hosts and three mail providers.
 */
const DOMAINS = 40;
const shares = {
  ...{ ownHosts: 0, nullMx: 0, noMail: 0, signed: 0, sts: 1, stsFaulty: 0 },
  ...{ tlsRpt: 0, tlsa: 0, withoutStarttls: 0, busy: 0 },
};

let internet: SyntheticInternet;
let world: ScanWorld;

before(async () => {
  internet = await startSyntheticInternet({ domains: DOMAINS, policyAddresses: 2, shares });
  world = await ScanWorld.open();
  writeFileSync(join(world.folder, '..', 'anchor'), `${internet.anchorLine}\n`);
  writeFileSync(join(world.folder, '..', 'roots.pem'), internet.rootPem);
});
after(async () => {
  await (world as ScanWorld | undefined)?.close();
  await internet.close();
});

const workers = new Set<ChildProcess>();

/** Starts `hermetic worker` in a separate process. */
function startWorker(...more: readonly string[]): ChildProcess {
  const { resolver, smtpPort, httpsPort } = internet;
  const outer = join(world.folder, '..');
  const worker = spawn(
    process.execPath,
    [
      join(import.meta.dirname, '../../src/cli/main.js'),
      'worker',
      ...['--database', databaseUrl(), '--resolver', `127.0.0.1:${resolver.port}`],
      ...['--trust-anchor', join(outer, 'anchor'), '--ca', join(outer, 'roots.pem')],
      ...['--smtp-port', `${smtpPort}`, '--https-port', `${httpsPort}`],
      ...['--spacing', '0', '--timeout', '5', ...more],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
  return worker;
}

function databaseUrl(): string {
  return `postgres://hermetic@/postgres?host=${encodeURIComponent(join(world.folder, 'socket'))}`;
}

async function stopWorkers(): Promise<void> {
  for (const worker of workers) worker.kill('SIGKILL');
  await until(
    'the end of the workers',
    () => Promise.resolve(workers.size === 0),
    () => '',
  );
}

/** Starts a scan of all domains. */
async function startScan(name: string): Promise<number> {
  await world.reset();
  internet.resetCounts();
  return world.startNames(name, [...internet.facts.names()]);
}

test('an address of policy hosts has one visitor at a time, over all workers', async () => {
  const scan = await startScan('policies');
  for (let count = 0; count < 2; count++) startWorker('--policy-spacing', '0.1');
  await world.finished(scan);
  await stopWorkers();
  const { policyHosts } = internet.counts();
  assert.deepEqual(
    { ...policyHosts, leastGapMs: policyHosts.leastGapMs >= 20 },
    {
      ...{ connections: DOMAINS, addresses: 2, mostAtAddress: DOMAINS / 2, mostOpen: 1 },
      leastGapMs: true,
    },
  );
  const { verdicts } = await scanProgress(world.database, scan);
  assert.deepEqual(verdicts, { warn: DOMAINS });
});

test('a dead worker blocks its address and loses no policy', async () => {
  const scan = await startScan('killed');
  const first = startWorker('--policy-spacing', '0.05');
  await until(
    'some policies',
    () => Promise.resolve(internet.counts().policyFetches >= 8),
    () => '',
  );
  first.kill('SIGKILL');
  await world.database.query(
    `UPDATE hermetic_scan.web_address SET next_at = now() WHERE next_at > now()`,
  );
  await world.database.query(`UPDATE hermetic_scan.scan_slice SET due_at = now()`);
  startWorker('--policy-spacing', '0.02');
  await world.finished(scan);
  await stopWorkers();
  assert.equal(internet.counts().policyHosts.mostOpen, 1);
  assert.deepEqual((await scanProgress(world.database, scan)).verdicts, { warn: DOMAINS });
});

test('the daily budget of policy hosts holds over workers, and a pause stops them', async () => {
  const scan = await startScan('budget');
  for (let count = 0; count < 2; count++)
    startWorker('--policy-spacing', '0', '--policy-budget', '7');
  await until(
    'the budget',
    () => Promise.resolve(internet.counts().policyFetches >= 14),
    () => '',
  );
  await systemClock.sleep(1500);
  assert.equal(internet.counts().policyHosts.mostAtAddress, 7);
  const slices = async () =>
    world.database.query<{ stage: number }>('SELECT stage FROM hermetic_scan.scan_slice');
  assert.deepEqual(await slices(), [{ stage: 0 }], 'the other domains wait for the next day');
  const spent = await world.database.query<{ spent: number }>(
    'SELECT spent FROM hermetic_scan.web_address',
  );
  assert.deepEqual(spent, [{ spent: 7 }, { spent: 7 }]);
  // The next day begins while the scan is paused.
  await controlScan(world.database, scan, 'pause');
  await world.database.execute(
    `UPDATE hermetic_scan.web_address SET day = day - 1; UPDATE hermetic_scan.scan_slice SET due_at = now()`,
  );
  await systemClock.sleep(1500);
  assert.equal(internet.counts().policyFetches, 14);
  await controlScan(world.database, scan, 'resume');
  await until(
    'the budget of the next day',
    () => Promise.resolve(internet.counts().policyFetches >= 28),
    () => '',
  );
  await stopWorkers();
  assert.equal(internet.counts().policyHosts.mostAtAddress, 14);
});

test('busy and opted-out policy hosts get no request and are unknown', async () => {
  internet.busyPolicyHosts.add(internet.facts.policyAddress(0));
  try {
    const scan = await startScan('busy');
    const [, second = ''] = internet.facts.names();
    await world.database.query(
      `INSERT INTO hermetic_scan.opt_out (entry, name) VALUES ('mta-sts', $1)`,
      [`mta-sts.${second}`],
    );
    startWorker('--policy-spacing', '0.01', '--max-rests', '0');
    await world.finished(scan);
    await stopWorkers();
    const connectionsTo = (index: number): number | undefined =>
      internet.countsAt(internet.facts.policyAddress(index))?.connections;
    assert.deepEqual([0, 1].map(connectionsTo), [1, DOMAINS / 2 - 1]);
    const { verdicts } = await scanProgress(world.database, scan);
    assert.deepEqual(verdicts, { warn: DOMAINS / 2 - 1, inconclusive: DOMAINS / 2 + 1 });
  } finally {
    internet.busyPolicyHosts.clear();
  }
});

test('after the rest of a policy host its domains are fetched again', async () => {
  const busy = internet.facts.policyAddress(1);
  internet.busyPolicyHosts.add(busy);
  const scan = await startScan('rest');
  startWorker('--policy-spacing', '0.01');
  await until(
    'the other policies',
    () => Promise.resolve(internet.counts().policyFetches === DOMAINS / 2 + 1),
    () => '',
  );
  await systemClock.sleep(1000);
  assert.equal(internet.countsAt(busy)?.connections, 1, 'it rests for 15 minutes');
  internet.busyPolicyHosts.clear();
  const [{ minutes } = { minutes: 0 }] = await world.database.query<{ minutes: number }>(
    `SELECT (extract(epoch FROM max(next_at) - now()) / 60)::float8 AS minutes
      FROM hermetic_scan.web_address`,
  );
  assert.ok(minutes > 14 && minutes < 19, `${minutes}`);
  await world.database.execute(
    'UPDATE hermetic_scan.web_address SET next_at = now(); UPDATE hermetic_scan.scan_slice SET due_at = now()',
  );
  await world.finished(scan);
  await stopWorkers();
  assert.deepEqual((await scanProgress(world.database, scan)).verdicts, { warn: DOMAINS });
});

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { scanContext } from '../../src/scan/engine/create-context.js';
import {
  controlScan,
  scanNumbered,
  scanProgress,
  scanStatistics,
  startScan,
  type WebVisits,
} from '../../src/scan/engine/index.js';
import { observeHosts } from '../../src/scan/engine/jobs/observe-hosts.js';
import { observeNames } from '../../src/scan/engine/jobs/observe-names.js';
import { startDueScans } from '../../src/scan/engine/scans/due-scans.js';
import { FactStore } from '../../src/scan/engine/database/store-facts.js';
import { pruneScans } from '../../src/scan/engine/scans/prune-scans.js';
import { claimSlice, SLICE_DOMAINS } from '../../src/scan/engine/scans/scan-slices.js';
import { claimVisits } from '../../src/scan/engine/visits/claim-visits.js';
import { completeVisits } from '../../src/scan/engine/visits/complete-visits.js';
import { politeness } from '../../src/scan/engine/visits/politeness.js';
import { runProgram, until } from './process.js';
import { countedWork } from './scan/counted-work.js';
import { CountingServers } from './scan/counting-servers.js';
import { ScanWorld, testRules } from './scan/scan-world.js';

/** Domains of two slices. */
const DOMAINS = 1.2 * SLICE_DOMAINS;

let world: ScanWorld;
let servers: CountingServers;

before(async () => {
  servers = await CountingServers.open();
  world = await ScanWorld.open();
});
beforeEach(() => servers.forget());
after(async () => {
  servers.close();
  await (world as ScanWorld | undefined)?.close();
});

let undisturbed: string;

test('a scan connects once for each host at each address', async () => {
  const scan = await world.start('first', DOMAINS);
  const workers = [
    world.spawnWorker({ port: servers.port }),
    world.spawnWorker({ port: servers.port }),
  ];
  await world.finished(scan);
  for (const worker of workers) worker.kill('SIGTERM');
  const { verdicts, visits, graded } = await scanProgress(world.database, scan);
  assert.deepEqual(verdicts, { pass: DOMAINS });
  assert.equal(graded, DOMAINS);
  assert.equal(visits.visited, DOMAINS / 5);
  assert.equal(servers.connections, DOMAINS / 5);
  assert.equal(servers.overlaps, 0);
  assert.equal(servers.broken, 0);
  undisturbed = await world.exported(scan);
});

test('a second scan of unchanged domains opens no connection', async () => {
  const scan = await world.start('again', DOMAINS);
  const worker = world.spawnWorker({ port: servers.port });
  await world.finished(scan);
  worker.kill('SIGTERM');
  assert.equal(servers.connections, 0);
  assert.equal(await world.exported(scan), undisturbed);
  const changes = await world.database.query('SELECT FROM hermetic_scan.change');
  assert.equal(changes.length, 0);
});

test('a changed domain is one change, and other domains write nothing', async () => {
  const scan = await world.start('changed', DOMAINS);
  const worker = world.spawnWorker({ port: servers.port, changedBelow: 6 });
  await world.finished(scan);
  worker.kill('SIGTERM');
  assert.equal(servers.connections, 0);
  const changes = await world.database.query<{ domain_id: number; kind: string }>(
    'SELECT domain_id, kind FROM hermetic_scan.change WHERE scan_id = $1',
    [scan],
  );
  assert.deepEqual(
    changes.map(({ kind }) => kind),
    Array.from({ length: 6 }, () => 'changed'),
  );
  const touched = await world.database.query(
    `SELECT FROM hermetic_scan.domain d JOIN hermetic_scan.scan s ON s.id = $1
      WHERE d.changed_at >= s.started_at`,
    [scan],
  );
  assert.equal(touched.length, 6);
});

test('a pause holds within one visit, and a resumed scan ends', async () => {
  await world.reset();
  const scan = await world.start('paused', DOMAINS);
  world.spawnWorker({ port: servers.port });
  await until(
    'a visit',
    () => Promise.resolve(servers.connections > 20),
    () => '',
  );
  await controlScan(world.database, scan, 'pause');
  // Running visits end, and no new visit begins.
  await until(
    'the end of all visits',
    () => Promise.resolve(servers.open === 0),
    () => '',
  );
  const atPause = servers.connections;
  await systemClock.sleep(2000);
  assert.equal(servers.connections, atPause);
  await controlScan(world.database, scan, 'resume');
  await world.finished(scan);
  world.killWorkers();
  assert.equal(servers.connections, DOMAINS / 5);
  assert.equal(await world.exported(scan), undisturbed);
});

test('the daily budget of an address holds over workers and scans', async () => {
  await world.reset();
  const scan = await world.start('budget', DOMAINS);
  const rules = { ...testRules, spacingMs: 0, dailyBudget: 2 };
  for (let worker = 0; worker < 3; worker++) world.spawnWorker({ port: servers.port }, rules);
  const addresses = DOMAINS / 30;
  await until(
    'the budget',
    () => Promise.resolve(servers.connections >= 2 * addresses),
    () => '',
  );
  await systemClock.sleep(1500);
  world.killWorkers();
  assert.equal(servers.mostAtOneAddress, 2);
  assert.equal(servers.connections, 2 * addresses);
  const { visits, graded } = await scanProgress(world.database, scan);
  assert.equal(visits.waiting, DOMAINS / 5 - 2 * addresses);
  assert.equal(graded, 0);
});

test('an opted-out host gets no connection, and the next scan checks the list again', async () => {
  await world.reset();
  const hosts = DOMAINS / 5;
  const scanned = async (name: string, counted: object) => {
    servers.forget();
    const scan = await world.start(name, DOMAINS);
    const worker = world.spawnWorker({ port: servers.port, ...counted });
    await world.finished(scan);
    worker.kill('SIGTERM');
    return (await scanProgress(world.database, scan)).visits;
  };
  const refused = await scanned('refused', { optedOutBelow: 10 });
  assert.deepEqual([refused.optedOut, refused.visited], [10, hosts - 10]);
  assert.equal(servers.connections, hosts - 10);
  const spent = await world.database.query<{ n: number }>(
    'SELECT sum(spent)::int AS n FROM hermetic_scan.address',
  );
  assert.equal(spent[0]?.n, hosts - 10, 'a refused visit gives its connection back');
  // The certificates of these visits expire before the next scan.
  await scanned('allowed', { validMs: -1 });
  assert.equal(servers.connections, 10);
  const last = await scanned('ended certificates', {});
  assert.equal(servers.connections, 10, 'only visits whose certificate has ended');
  assert.equal(last.visited, hosts);
});

test('a scan pauses while its resolvers fail and stores no unknown fact', async () => {
  await world.reset();
  const { database } = world;
  const scan = await world.start('resolver', 10);
  const counted = countedWork({ port: servers.port });
  const observe = (resolverFails: boolean): Promise<number> => {
    const work = {
      ...counted,
      resolverFails: () => resolverFails,
      observeDomain: async (domain: string, signal: AbortSignal, web: WebVisits) => ({
        ...(await counted.observeDomain(domain, signal, web)),
        known: false,
      }),
    };
    return observeNames(
      scanContext({ database, work, clock: systemClock, signal: timeout() }),
      scan,
    );
  };
  assert.equal(await observe(true), 0);
  const { state, reason } = await scanNumbered(database, scan);
  assert.deepEqual([state, reason], ['paused', 'own-network']);
  assert.equal((await scanProgress(database, scan)).observed, 0);
  await controlScan(database, scan, 'resume');
  assert.equal(await observe(false), 1, 'the slice is free at once');
  assert.equal((await scanProgress(database, scan)).observed, 10);
});

test('an inferred host is visited when a domain with a policy uses it', async () => {
  await world.reset();
  const { database } = world;
  const scan = await world.start('policy', DOMAINS);
  const counted = countedWork({ port: servers.port });
  const workOf = (visitAlways: boolean) => ({
    ...counted,
    observeDomain: async (domain: string, signal: AbortSignal, web: WebVisits) => ({
      ...(await counted.observeDomain(domain, signal, web)),
      hosts: ['mx7.example'],
      visitAlways,
    }),
  });
  const contextOf = (work: typeof counted) =>
    scanContext({ database, work, clock: systemClock, signal: timeout() });
  await observeNames(contextOf(workOf(false)), scan);
  const { params } = await scanNumbered(database, scan);
  await observeHosts(contextOf(counted), { id: scan, ...params });
  await database.execute(`UPDATE hermetic_scan.visit SET state = 2;
    UPDATE hermetic_scan.neighbourhood SET due_at = 'infinity'`);
  const state = async (): Promise<object | undefined> =>
    (
      await database.query(
        `SELECT v.state, v.required, n.due_at <= now() AS due
          FROM hermetic_scan.visit v JOIN hermetic_scan.address a ON a.id = v.address_id
          JOIN hermetic_scan.neighbourhood n USING (net)`,
      )
    )[0];
  assert.deepEqual(await state(), { state: 2, required: false, due: false });
  await observeNames(contextOf(workOf(true)), scan);
  assert.deepEqual(await state(), { state: 0, required: true, due: true });
});

test('a list is scanned again at its interval, after the end of its scan', async () => {
  await world.reset();
  const { database } = world;
  const first = await world.start('due', DOMAINS);
  const [list] = await database.query<{ id: number }>('SELECT id FROM hermetic_scan.list');
  await startScan(database, list?.id ?? 0, { everyDays: 7, revisitDays: 3 });
  await age(first, 8);
  assert.deepEqual(await startDueScans(database), [], 'the scan is open');
  await endScan(first);
  await age(first, 6);
  assert.deepEqual(await startDueScans(database), [], 'the interval has not passed');
  await age(first, 8);
  const [second = 0, ...others] = await startDueScans(database);
  assert.deepEqual([second > first, others], [true, []]);
  assert.equal((await scanNumbered(database, second)).params.revisitMs, 14 * 86_400_000);
  assert.deepEqual(await startDueScans(database), [], 'it was started already');
  await controlScan(database, second, 'cancel');
  await age(second, 30);
  assert.deepEqual(await startDueScans(database), [], 'a cancelled scan is not repeated');
});

test('rows of old scans are deleted, and statistics and the newest scan stay', async () => {
  const { database } = world;
  await world.reset();
  const scans: number[] = [];
  for (let round = 0; round < 3; round++) {
    const scan = await world.start('pruned', DOMAINS);
    scans.push(scan);
    await database.query(
      `INSERT INTO hermetic_scan.stat (scan_id, page, key, counted, n, of, unknown)
        VALUES ($1, 'overview', 'mail', 'domains', 1, 2, 0)`,
      [scan],
    );
    await database.query(
      'INSERT INTO hermetic_scan.scan_domain (scan_id, domain_id, known) VALUES ($1, 1, false)',
      [scan],
    );
    await endScan(scan);
  }
  const [oldest = 0, middle = 0, newest = 0] = scans;
  for (const scan of [oldest, newest]) await age(scan, 500);
  assert.equal(await pruneScans(database), 1);
  await assert.rejects(world.exported(oldest), { code: 'scan-pruned' });
  assert.equal(await world.exported(middle), '');
  assert.equal((await scanStatistics(database, oldest)).length, 1);
  const rows = await database.query<{ scan_id: number }>(
    'SELECT DISTINCT scan_id FROM hermetic_scan.scan_domain ORDER BY scan_id',
  );
  assert.deepEqual(
    rows.map(({ scan_id }) => scan_id),
    [middle, newest],
  );
  assert.equal(await pruneScans(database), 0, 'a second run deletes nothing');
});

test('an export that reads a scan keeps its rows until the next run', async () => {
  const { database } = world;
  await age(2, 500);
  await database.transaction(async (tx) => {
    await tx.query('SELECT FROM hermetic_scan.scan_domain_2 LIMIT 1');
    assert.equal(await pruneScans(database), 0);
  });
  assert.equal(await pruneScans(database), 1);
});

test('visits are deleted after their retention, except those of an open scan', async () => {
  const { database } = world;
  await world.reset();
  const scan = await world.start('old visits', DOMAINS);
  await database.query(
    `INSERT INTO hermetic_scan.visit (address_id, host_id, scan_id, state, visited_at)
      SELECT n, n, $1, 1, now() - n * interval '50 days' FROM generate_series(1, 4) n`,
    [scan],
  );
  await database.query('INSERT INTO hermetic_scan.scan_host (scan_id, host_id) VALUES ($1, 4)', [
    scan,
  ]);
  await pruneScans(database);
  const left = async (): Promise<readonly number[]> =>
    (
      await database.query<{ host_id: number }>(
        'SELECT host_id FROM hermetic_scan.visit ORDER BY host_id',
      )
    ).map(({ host_id }) => host_id);
  assert.deepEqual(await left(), [1, 4], '50 days, and the host of an open scan');
  await controlScan(database, scan, 'cancel');
  await pruneScans(database);
  assert.deepEqual(await left(), [1]);
});

test('a fact is deleted days after its last reference, unless it is saved again', async () => {
  const { database } = world;
  await world.reset();
  await world.start('facts', 1);
  const saved = (names: readonly string[]): Promise<number[]> =>
    new FactStore(database).save(names.map((name) => ({ name })));
  const [held] = await saved(['held', 'unused', 'again']);
  await database.query('UPDATE hermetic_scan.domain SET fact_id = $1 WHERE id = 1', [held ?? 0]);
  const left = async (): Promise<readonly string[]> =>
    (
      await database.query<{ name: string }>(
        "SELECT body ->> 'name' AS name FROM hermetic_scan.fact ORDER BY id",
      )
    ).map(({ name }) => name);
  await pruneScans(database);
  await pruneScans(database);
  assert.deepEqual(await left(), ['held', 'unused', 'again'], 'marked, and younger than a week');
  await database.execute(
    `UPDATE hermetic_scan.fact SET unused_since = unused_since - interval '8 days'`,
  );
  await saved(['again']);
  await pruneScans(database);
  assert.deepEqual(await left(), ['held', 'again']);
  await database.execute('UPDATE hermetic_scan.domain SET fact_id = NULL');
  await pruneScans(database);
  await database.execute(
    `UPDATE hermetic_scan.fact SET unused_since = unused_since - interval '8 days'`,
  );
  await database.query('UPDATE hermetic_scan.domain SET fact_id = $1 WHERE id = 1', [held ?? 0]);
  await pruneScans(database);
  assert.deepEqual(await left(), ['held'], 'a mark never outweighs a reference');
});

/** Moves a scan into the past. */
async function age(scan: number, days: number): Promise<void> {
  await world.database.query(
    `UPDATE hermetic_scan.scan SET started_at = now() - $2 * interval '1 day',
      finished_at = CASE WHEN state = 'done' THEN now() - $2 * interval '1 day'
        ELSE finished_at END WHERE id = $1`,
    [scan, days],
  );
}

async function endScan(scan: number): Promise<void> {
  await world.database.query(
    "UPDATE hermetic_scan.scan SET state = 'done', finished_at = now() WHERE id = $1",
    [scan],
  );
}

test('results of a slice whose lease ended are dropped', async () => {
  await world.reset();
  const { database } = world;
  const scan = await world.start('slices', DOMAINS);
  const work = countedWork({ port: servers.port });
  const context = scanContext({ database, work, clock: systemClock, signal: timeout() });
  const [other, free] = [
    await claimSlice(database, scan, 'names'),
    await claimSlice(database, scan, 'names'),
  ];
  assert.deepEqual([other?.number, free?.number], [0, 1], 'two claims have two slices');
  assert.equal(await claimSlice(database, scan, 'names'), undefined, 'no slice is free');
  await endLeases();
  let taken = 0;
  const slow = {
    ...work,
    // Another worker takes over the slice while this worker observes it.
    observeDomain: async (domain: string, signal: AbortSignal, web: WebVisits) => {
      if (taken++ === 0) {
        await endLeases();
        assert.equal((await claimSlice(database, scan, 'names'))?.number, 0);
      }
      return work.observeDomain(domain, signal, web);
    },
  };
  assert.equal(await observeNames({ ...context, work: slow }, scan), 1);
  const { observed, hosts } = await scanProgress(database, scan);
  assert.deepEqual([observed, hosts.total], [0, 0]);
  await endLeases();
  assert.equal(await observeNames(context, scan), 1);
  assert.equal((await scanProgress(database, scan)).observed, SLICE_DOMAINS);
});

function timeout(): AbortSignal {
  return AbortSignal.timeout(60_000);
}

async function endLeases(): Promise<void> {
  await world.database.execute("UPDATE hermetic_scan.scan_slice SET due_at = '-infinity'");
}

test('results of visits are stored once, although the reply to COMMIT was lost', async () => {
  await world.reset();
  const { database } = world;
  // The visits of a small scan are due at once.
  const scan = await world.start('stored twice', 500);
  const work = countedWork({ port: servers.port });
  const context = scanContext({ database, work, clock: systemClock, signal: timeout() });
  await observeNames(context, scan);
  const { params } = await scanNumbered(database, scan);
  await observeHosts(context, { id: scan, ...params });
  const rules = { ...politeness, ...testRules };
  const networks = await claimVisits(context, randomUUID(), { limit: 40, rules });
  const completed = networks.map((network) => ({
    network,
    made: network.visits.map((visit) => {
      const observation = { facts: { greeting: '220' }, connections: 1 };
      return {
        visit,
        result: { observation, decision: work.judgeVisit(undefined, observation) },
      };
    }),
  }));
  const visits = completed.flatMap(({ made }) => made).length;
  assert.ok(visits > 5, `${visits} visits`);
  const counts = async (): Promise<object | undefined> =>
    (
      await database.query(
        `SELECT (SELECT connections FROM hermetic_scan.scan WHERE id = $1) AS connections,
          (SELECT sum(spent)::int FROM hermetic_scan.address) AS spent,
          (SELECT sum(equal)::int FROM hermetic_scan.family_total) AS equal`,
        [scan],
      )
    )[0];
  await completeVisits(context, completed, rules);
  const once = await counts();
  assert.deepEqual((once as { readonly connections: number }).connections, visits);
  await completeVisits(context, completed, rules);
  assert.deepEqual(await counts(), once);
});

test('host names of one family are inferred after the first visits', async () => {
  await world.reset();
  const scan = await world.start('inferred', DOMAINS);
  const worker = world.spawnWorker({ port: servers.port, infers: true });
  await world.finished(scan);
  worker.kill('SIGTERM');
  const { visits, verdicts } = await scanProgress(world.database, scan);
  assert.deepEqual(verdicts, { pass: DOMAINS });
  // The scan always visits hosts of domains with a policy, which is every second host.
  assert.equal(visits.visited + visits.inferred, DOMAINS / 5);
  // Equal results at other addresses are inferred, so most addresses need one visit.
  assert.ok(visits.inferred >= DOMAINS / 20, `${visits.inferred} inferred`);
  assert.equal(servers.connections, visits.visited);
});

test('killed and stopped workers, and a restart of PostgreSQL, change no result', async () => {
  await world.reset();
  const scan = await world.start('chaos', DOMAINS);
  const rules = { ...testRules, spacingMs: 800 };
  const spawn = (): ChildProcess => world.spawnWorker({ port: servers.port }, rules);
  let workers: ChildProcess[] = Array.from({ length: 4 }, spawn);
  let done = false;
  const finished = world.finished(scan, 180_000).finally(() => (done = true));
  const [frozen] = workers;
  await systemClock.sleep(3000);
  // The worker is stopped for longer than its lease, so the other workers take over its
  // visits.
  frozen?.kill('SIGSTOP');
  let kills = 0;
  for (let round = 0; !done && round < 60; round++) {
    await systemClock.sleep(1500);
    const running = workers.filter(({ killed, exitCode }) => !killed && exitCode === null);
    const victim = running.filter((worker) => worker !== frozen)[round % 3];
    if (round < 6 && victim) {
      victim.kill('SIGKILL');
      kills++;
      workers = [...running.filter((worker) => worker !== victim), spawn()];
    }
    if (round === 2) await restartServer();
    if (round === 5) frozen?.kill('SIGCONT');
  }
  await finished;
  world.killWorkers();
  assert.ok(kills >= 3, `${kills} kills`);
  assert.equal(await world.exported(scan), undisturbed);
  assert.equal(servers.overlaps, 0);
  assert.ok(servers.mostAtOneAddress <= (testRules.dailyBudget ?? 0));
});

/** Restarts the server of the cluster as its owner. */
async function restartServer(): Promise<void> {
  const data = join(world.folder, 'data');
  const owner = statSync(data).uid;
  await runProgram('setpriv', [
    ...[`--reuid=${owner}`, '--clear-groups', 'sh', '-c'],
    `cd / && $(ls -d /usr/lib/postgresql/*/bin | tail -1)/pg_ctl -D ${data} -m fast -w restart -l ${join(world.folder, 'server.log')} >/dev/null 2>&1`,
  ]);
}

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { scanProgress } from '../../src/scan/engine/index.js';
import { runProgram } from './process.js';
import { CountingServers } from './scan/counting-servers.js';
import { ScanWorld, testRules } from './scan/scan-world.js';

const DOMAINS = 600;

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
  const workers = [world.spawnWorker(servers.port), world.spawnWorker(servers.port)];
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
  const worker = world.spawnWorker(servers.port);
  await world.finished(scan);
  worker.kill('SIGTERM');
  assert.equal(servers.connections, 0);
  assert.equal(await world.exported(scan), undisturbed);
  const changes = await world.database.query('SELECT FROM hermetic_scan.change');
  assert.equal(changes.length, 0);
});

test('killed and stopped workers, and a restart of PostgreSQL, change no result', async () => {
  await world.reset();
  const scan = await world.start('chaos', DOMAINS);
  let workers: ChildProcess[] = Array.from({ length: 4 }, () => world.spawnWorker(servers.port));
  let done = false;
  const finished = world.finished(scan, 180_000).finally(() => (done = true));
  const [frozen] = workers;
  await systemClock.sleep(3000);
  // Longer than its lease: the others take over its visits.
  frozen?.kill('SIGSTOP');
  let kills = 0;
  for (let round = 0; !done && round < 60; round++) {
    await systemClock.sleep(1500);
    const running = workers.filter(({ killed, exitCode }) => !killed && exitCode === null);
    const victim = running.filter((worker) => worker !== frozen)[round % 3];
    if (round < 6 && victim) {
      victim.kill('SIGKILL');
      kills++;
      workers = [...running.filter((worker) => worker !== victim), world.spawnWorker(servers.port)];
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
  const { stdout } = { stdout: String(statSync(data).uid) };
  await runProgram('setpriv', [
    ...[`--reuid=${stdout}`, '--clear-groups', 'sh', '-c'],
    `cd / && $(ls -d /usr/lib/postgresql/*/bin | tail -1)/pg_ctl -D ${data} -m fast -w restart -l ${join(world.folder, 'server.log')} >/dev/null 2>&1`,
  ]);
}

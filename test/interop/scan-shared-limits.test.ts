import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { systemClock } from '../../src/base/index.js';
import { AddressVisits, type ConnectionBudget } from '../../src/check/index.js';
import type { AddressEvidence } from '../../src/evidence/index.js';
import { returnAddress, takeAddress } from '../../src/scan/index.js';
import { sharedAddresses } from '../../src/server/shared-addresses.js';
import { until } from './process.js';
import { CountingServers } from './scan/counting-servers.js';
import { ScanWorld, testRules } from './scan/scan-world.js';

let world: ScanWorld;
let servers: CountingServers;

before(async () => {
  servers = await CountingServers.open();
  world = await ScanWorld.open();
});
beforeEach(async () => {
  await world.reset();
  servers.forget();
});
after(async () => {
  servers.close();
  await (world as ScanWorld | undefined)?.close();
});

const socket = (): string => join(world.folder, 'socket');

test('three processes share the budget of an address, one at a time', async () => {
  const script = join(import.meta.dirname, 'scan', 'contact-worker.js');
  const args = [script, socket(), '127.0.0.9', `${servers.port}`, '25'];
  const ended = [1, 2, 3].map(async () => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const [code] = (await once(child, 'exit')) as [number];
    return code;
  });
  assert.deepEqual(await Promise.all(ended), [0, 0, 0]);
  assert.deepEqual([servers.connections, servers.overlaps], [25, 0]);
  const rows = await world.database.query('SELECT spent, reserved FROM hermetic_scan.address');
  assert.deepEqual(rows, [{ spent: 25, reserved: 0 }]);
});

/** Returns the visits of a check page that shares the limits of the scans. */
function page(dailyBudget: number) {
  const errors: string[] = [];
  const shared = sharedAddresses({
    url: `postgres://hermetic@/postgres?host=${encodeURIComponent(socket())}`,
    ...{ dailyBudget, longestMs: 10_000, clock: systemClock },
    onError: ({ message }) => errors.push(message),
  });
  const visits = new AddressVisits({
    ...{ perVisit: 3, perDay: 60, reuseMs: 0, shared },
    now: () => systemClock.monotonic(),
  });
  const visit = (host: string, address: string): Promise<AddressEvidence> =>
    visits.limiter({ fresh: true }).run(host, address, (budget) => probe(address, budget));
  return { shared, errors, visit };
}

async function probe(ip: string, budget: ConnectionBudget): Promise<AddressEvidence> {
  for (let count = 0; budget.remaining > 0 && count < 2; count++) {
    budget.consume();
    const session = connect({ host: ip, port: servers.port });
    await once(session, 'data');
    session.write('QUIT\r\n');
    await once(session, 'close');
  }
  return { ip, status: 'reachable', connections: [] };
}

test('the check page and a scan in another process share the budget of an address', async () => {
  const { visit, shared, errors } = page(7);
  const first = await visit('mx.example', '127.1.0.1');
  assert.equal(first.status, 'reachable');
  await world.database.query('UPDATE hermetic_scan.address SET next_at = now()');
  // The 30 domains have 6 hosts at the address: with the two earlier connections, one
  // exceeds the budget.
  await world.start('shared', 30);
  const rules = { ...testRules, spacingMs: 0, dailyBudget: 7 };
  const worker = world.spawnWorker({ port: servers.port }, rules);
  await until(
    'the budget',
    () => Promise.resolve(servers.connections >= 7),
    () => '',
  );
  const last = await visit('mx.example', '127.1.0.1');
  assert.deepEqual([last.status, last.reason], ['inconclusive', 'net-budget']);
  worker.kill('SIGKILL');
  assert.deepEqual([servers.connections, servers.overlaps, errors], [7, 0, []]);
  await shared.close();
});

test('returning an expired contact changes nothing', async () => {
  const wanted = {
    ...{ table: 'address' as const, address: '2001:db8::25', names: ['mx.example'] },
    ...{ connections: 2, dailyBudget: 10, holdMs: 60_000 },
  };
  const lost = await takeAddress(world.database, wanted);
  assert.equal(lost.kind, 'held');
  const other = await takeAddress(world.database, wanted);
  assert.ok(other.kind === 'later' && !other.isSpent && other.ms > 55_000);
  await world.database.query('UPDATE hermetic_scan.address SET next_at = now()');
  const holder = await takeAddress(world.database, wanted);
  assert.ok(lost.kind === 'held' && holder.kind === 'held');
  await returnAddress(world.database, lost, { connections: 0, pauseMs: 0 });
  assert.equal((await takeAddress(world.database, wanted)).kind, 'later');
  await returnAddress(world.database, holder, { connections: 2, pauseMs: 0 });
  const [row] = await world.database.query<{ spent: number; net: string }>(
    'SELECT spent, net::text FROM hermetic_scan.address',
  );
  assert.deepEqual(row, { spent: 4, net: '2001:db8::/48' });
});

test('the opt-outs of scans apply to checks, by address and by name', async () => {
  const { visit, shared } = page(60);
  await world.database.execute(
    `INSERT INTO hermetic_scan.opt_out (entry, net, name) VALUES
      ('net', '127.9.0.0/16', NULL), ('name', NULL, '*.quiet.example')`,
  );
  const results = [
    await visit('mx.example', '127.9.0.1'),
    await visit('mx.quiet.example', '127.8.0.1'),
    await visit('quiet.example', '127.8.0.1'),
  ];
  assert.deepEqual(
    results.map(({ reason, status }) => reason ?? status),
    ['opt-out', 'opt-out', 'reachable'],
  );
  assert.equal(servers.connections, 2);
  await shared.close();
});

test('checks contact no mail server while the database is unreachable', async () => {
  const errors: Error[] = [];
  const shared = sharedAddresses({
    ...{ url: 'postgres://hermetic@/postgres?host=/nonexistent', dailyBudget: 60 },
    ...{ longestMs: 1000, clock: systemClock, onError: (error: Error) => errors.push(error) },
  });
  const wanted = { hostName: 'mx.example', address: '127.8.0.1', connections: 1 };
  assert.deepEqual(await shared.take(wanted), { refused: 'net-budget' });
  assert.equal(errors.length, 1);
});

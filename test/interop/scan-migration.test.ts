import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { scanMigrations } from '../../src/scan/engine/database/migrations.js';
import { migrate, scanProgress } from '../../src/scan/engine/index.js';
import { CountingServers } from './scan/counting-servers.js';
import { ScanWorld } from './scan/scan-world.js';

/** The number of migrations before the first version with slices. */
const BEFORE_SLICES = 3;

let world: ScanWorld;
let servers: CountingServers;

before(async () => {
  servers = await CountingServers.open();
  world = await ScanWorld.open();
});
after(async () => {
  servers.close();
  await (world as ScanWorld | undefined)?.close();
});

test('an open scan of an earlier version continues after the migration', async () => {
  const { database } = world;
  await database.execute('DROP SCHEMA hermetic_scan CASCADE; CREATE SCHEMA hermetic_scan');
  await database.execute(
    `CREATE TABLE hermetic_scan.migration (
      number int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
  );
  for (const [index, statements] of scanMigrations.slice(0, BEFORE_SLICES).entries()) {
    for (const statement of statements) await database.execute(statement);
    await database.query('INSERT INTO hermetic_scan.migration (number) VALUES ($1)', [index + 1]);
  }
  // 700 domains, alternately looked up but not graded, and not looked up.
  await database.execute(`
    INSERT INTO hermetic_scan.list (name, source, cited_as, digest, loaded)
      VALUES ('old', 'old.txt', '', '', true);
    INSERT INTO hermetic_scan.domain (name, tld)
      SELECT 'd' || n || '.example', 'example' FROM generate_series(0, 699) n;
    INSERT INTO hermetic_scan.list_domain (list_id, domain_id, rank)
      SELECT 1, id, id FROM hermetic_scan.domain;
    INSERT INTO hermetic_scan.fact (digest, body) VALUES ('x', '{"b": 1, "a": 2}');
    INSERT INTO hermetic_scan.scan (list_id, state, domains, params)
      VALUES (1, 'running', 700, '{"revisitMs": 1000000, "spreadMs": 0}');
    CREATE TABLE hermetic_scan.scan_domain_1 PARTITION OF hermetic_scan.scan_domain
      FOR VALUES IN (1);
    INSERT INTO hermetic_scan.scan_domain (scan_id, domain_id, state, known, fact_id)
      SELECT 1, id, id % 2, true, nullif(id % 2, 0) FROM hermetic_scan.domain`);
  await migrate(database);
  const slices = await database.query(
    'SELECT number, stage, lease_no FROM hermetic_scan.scan_slice ORDER BY number',
  );
  assert.deepEqual(slices, [
    { number: 0, stage: 0, lease_no: 0 },
    { number: 1, stage: 0, lease_no: 0 },
  ]);
  const worker = world.spawnWorker({ port: servers.port }, { spacingMs: 0, dailyBudget: 100 });
  await world.finished(1);
  worker.kill('SIGTERM');
  assert.deepEqual((await scanProgress(database, 1)).verdicts, { pass: 700 });
});

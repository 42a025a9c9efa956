import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { migrateStore, openStore, type Store } from '../../src/store/index.js';
import { runCli } from '../support/run-cli.js';

let folder: string;
let store: Store;
const at = (name: string): string => join(folder, name);
const rows = (of: Store): number =>
  of.prepare<{ n: number }>('SELECT count(*) AS n FROM note').get()?.n ?? -1;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-backup-'));
  store = await openStore(at('h.db'));
  migrateStore(store, 'test', ['CREATE TABLE note (text TEXT)']);
});

after(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

const add = (text: string): Promise<unknown> =>
  store.write('test', () => store.prepare('INSERT INTO note VALUES (?)').run(text));

test('a backup during writes is one consistent state', async () => {
  await add('one');
  let writing = true;
  const writer = (async () => {
    while (writing) await add('more');
  })();
  const backup = await runCli(['backup', at('copy.db'), '--store', at('h.db')]);
  writing = false;
  await writer;
  assert.deepEqual([backup.code, backup.err], [0, '']);
  assert.equal(statSync(at('copy.db')).mode & 0o777, 0o600);
  const copy = await openStore(at('copy.db'));
  const counted = rows(copy);
  copy.close();
  assert.ok(counted >= 1 && counted <= rows(store));
});

test('a backup replaces no file and leaves none behind when it fails', async () => {
  const existing = await runCli(['backup', at('copy.db'), '--store', at('h.db')]);
  assert.equal(existing.code, 2);
  const absent = await runCli(['backup', at('other.db'), '--store', at('none.db')]);
  assert.equal(absent.code, 2);
  assert.match(absent.err, /store-absent/);
  assert.deepEqual(
    readdirSync(folder).filter((name) => /other|part/.test(name)),
    [],
  );
});

test('restore installs the backup and keeps the former database', async () => {
  store.close();
  const flags = ['--store', at('h.db'), '--socket', at('none.sock')];
  const restored = await runCli(['restore', at('copy.db'), ...flags]);
  assert.deepEqual([restored.code, restored.err], [0, '']);
  assert.match(restored.out, /the former database is \S+h\.db\.before-/);
  store = await openStore(at('h.db'));
  assert.ok(rows(store) >= 1);
});

test('restore refuses a file that is not a backup, and changes nothing', async () => {
  const before = readdirSync(folder).length;
  writeFileSync(at('text'), 'not a database at all');
  const foreign = await openStore(at('foreign.db'));
  foreign.close();
  for (const name of ['text', 'foreign.db', 'missing.db']) {
    const refused = await runCli(['restore', at(name), '--store', at('h.db')]);
    assert.equal(refused.code, 2, name);
  }
  assert.equal(readdirSync(folder).length, before + 2);
});

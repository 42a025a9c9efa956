import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { openStore } from '../../src/store/index.js';
import { AccountTable } from '../../src/web/index.js';
import { runCli } from '../support/run-cli.js';

const program = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

test('user adds, lists and removes accounts next to a running daemon', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-user-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a.db');
  const daemon = await openStore(file);
  t.after(() => daemon.close());
  const accounts = new AccountTable(daemon);
  const add = (name: string, input: string): ReturnType<typeof spawnSync> =>
    spawnSync(
      process.execPath,
      [program, 'user', 'add', name, '--customer', 'acme', '--store', file],
      { input, encoding: 'utf8' },
    );
  const added = add('Alice', 'correct horse battery\nsecond line\n');
  assert.equal(added.stderr, '');
  assert.equal(added.status, 0);
  assert.deepEqual(accounts.find('alice')?.customers, ['acme']);
  assert.match(accounts.find('alice')?.password ?? '', /^scrypt\$15\$8\$3\$/);
  assert.match(String(add('bob', 'short\n').stderr), /web-password-short/);
  const list = await runCli(['user', 'list', '--store', file]);
  assert.equal(list.out, 'alice  viewer  acme\n');
  assert.equal((await runCli(['user', 'remove', 'alice', '--store', file])).code, 0);
  const again = await runCli(['user', 'remove', 'alice', '--store', file]);
  assert.equal(again.code, 2);
  assert.match(again.err, /web-user-unknown/);
  const actions = accounts.audit.list(5).map(({ action }) => action);
  assert.deepEqual(actions, ['user-remove', 'user-add']);
});

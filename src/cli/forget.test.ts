import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { stsStore } from '../send/index.js';
import { openStore } from '../store/index.js';
import { runCli } from '../../test/support/run-cli.js';

test('policy forget works while another process has the database open', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-forget-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'a.db');
  const daemon = await openStore(file);
  t.after(() => daemon.close());
  const cache = stsStore(daemon);
  const at = Date.now();
  const policy = { id: 'x1', mode: 'enforce', maxAge: 604_800, mx: ['mx.one.example'] } as const;
  await cache.put({
    domain: 'one.example',
    policy: { ...policy, body: '', fetchedAt: at },
    usedAt: at,
  });
  const done = await runCli(['policy', 'forget', 'ONE.example', '--store', file]);
  assert.equal(done.code, 0);
  assert.match(done.out, /one\.example: forgotten: mode enforce, id x1/);
  assert.equal(cache.get('one.example'), undefined);
  const again = await runCli(['policy', 'forget', 'one.example', '--store', file]);
  assert.match(again.out, /no policy is cached/);
  const absent = await runCli(['policy', 'forget', 'one.example', '--store', join(folder, 'b.db')]);
  assert.equal(absent.code, 2);
  assert.match(absent.err, /store-absent/);
  assert.equal((await runCli(['policy', 'forget', 'not a domain', '--store', file])).code, 2);
});

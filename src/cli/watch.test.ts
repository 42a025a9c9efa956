import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { runCli } from '../../test/support/run-cli.js';
import { watchOutputSchema, watchStateSchema } from '../watch/index.js';

function stateFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-watch-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'watch.json');
}

test('a healthy domain is remembered and reports nothing', async (t) => {
  const file = stateFile(t);
  const { code, out, err } = await runCli(['watch', '--lab', 'good.example', '--state', file]);
  assert.deepEqual([code, out, err], [0, 'good.example: pass\n', '']);
  const state = watchStateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  assert.deepEqual(Object.keys(state.domains), ['good.example']);
});

test('a failing domain is an alarm at the second check, with exit status 1, and once', async (t) => {
  const file = stateFile(t);
  const check = (): ReturnType<typeof runCli> =>
    runCli(['watch', '--lab', 'plaintext.example', '--state', file]);
  const first = await check();
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /not confirmed yet/);
  const second = await check();
  assert.equal(second.code, 1);
  assert.match(second.out, /^NEW plaintext\.example .*\n.*starttls-absent.*\n1\. /);
  const third = await check();
  assert.equal(third.code, 0);
  assert.match(third.out, /^plaintext\.example: fail, alarms open: 1\n$/);
});

test('--json prints the alarms and each domain, and --quiet only alarms', async (t) => {
  const file = stateFile(t);
  const json = await runCli(['watch', '--lab', 'good.example', '--state', file, '--json']);
  const { alarms, domains } = watchOutputSchema.parse(JSON.parse(json.out));
  assert.deepEqual(alarms, []);
  assert.equal(domains[0]?.verdict, 'pass');
  const quiet = await runCli(['watch', '--lab', 'good.example', '--state', file, '-q']);
  assert.deepEqual([quiet.code, quiet.out], [0, '']);
});

test('a damaged state file is refused and left as it is', async (t) => {
  const file = stateFile(t);
  writeFileSync(file, '{"schema": "hermetic.watch-state/1", "domains": 1}');
  const { code, err } = await runCli(['watch', '--lab', 'good.example', '--state', file]);
  assert.equal(code, 2);
  assert.match(err, /watch-state-invalid/);
  assert.match(readFileSync(file, 'utf8'), /"domains": 1/);
});

test('a watch without a state file or a domain is misuse', async (t) => {
  assert.equal((await runCli(['watch', 'good.example'])).code, 2);
  assert.equal((await runCli(['watch', '--state', stateFile(t)])).code, 2);
});

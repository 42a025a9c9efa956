import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { runCli } from '../../test/support/run-cli.js';
import { healthyResult, policyMode } from '../../test/support/watch-results.js';
import { healthy, HOUR, Watched } from '../../test/support/watched.js';
import { openStore } from '../store/index.js';
import {
  prepareWatch,
  recordCheck,
  unsentAlarms,
  watchOutputSchema,
  watchStateSchema,
} from '../watch/index.js';

function stateFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-watch-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'watch.json');
}

test('a healthy domain is stored and causes no alarm', async (t) => {
  const file = stateFile(t);
  const { code, out, err } = await runCli(['watch', '--lab', 'good.example', '--state', file]);
  assert.deepEqual([code, out, err], [0, 'good.example: pass\n', '']);
  const state = watchStateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  assert.deepEqual(Object.keys(state.domains), ['good.example']);
});

test('a failing domain causes one alarm, at the second check, with exit status 1', async (t) => {
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

test('a watch needs a state file and a domain', async (t) => {
  assert.equal((await runCli(['watch', 'good.example'])).code, 2);
  assert.equal((await runCli(['watch', '--state', stateFile(t)])).code, 2);
});

/** Returns the saved state after two checks that found a loss, with its alarm open. */
function lossFile(t: TestContext): string {
  const file = stateFile(t);
  const watched = new Watched();
  watched.check(healthy);
  for (let check = 0; check < 2; check++) watched.check(policyMode('testing'));
  writeFileSync(file, JSON.stringify(watched.state));
  return file;
}

test('watch accept shows the loss, and writes only with --yes', async (t) => {
  const file = lossFile(t);
  const before = readFileSync(file, 'utf8');
  const args = ['watch', 'accept', 'a.example', '--state', file];
  const shown = await runCli(args);
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /^To accept for a\.example:\n {2}sts-weaker: MTA-STS mode enforce -> /);
  assert.match(shown.out, /Nothing was written/);
  assert.equal(readFileSync(file, 'utf8'), before);
  const other = await runCli([...args, '--rule', 'dane-lost', '--yes']);
  assert.deepEqual([other.code, readFileSync(file, 'utf8')], [1, before]);
  const done = await runCli([...args, '--reason', 'planned', '--yes']);
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /^Accepted for a\.example \(planned\):/);
  assert.equal((await runCli([...args, '--yes'])).code, 1, 'nothing is left');
  const status = await runCli(['watch', 'status', '--state', file]);
  assert.match(status.out, /alarms open: 0\n {2}sts-weaker: .*accepted by \S+ on .*: planned\n$/);
  const json = await runCli(['watch', 'status', 'a.example', '--state', file, '--json']);
  const { alarmsOpen, accepted } = JSON.parse(json.out) as {
    readonly alarmsOpen: number;
    readonly accepted: readonly { readonly rule: string }[];
  };
  assert.deepEqual([alarmsOpen, accepted[0]?.rule], [0, 'sts-weaker']);
  assert.equal((await runCli(['watch', 'status', 'b.example', '--state', file])).code, 2);
});

test('watch accept writes the database of the daemon, with an audit line', async (t) => {
  const file = `${stateFile(t)}.db`;
  const store = await openStore(file);
  prepareWatch(store);
  const scope = { domains: ['a.example'], channels: ['mail'] };
  const at = Date.now() - 10 * HOUR;
  for (const [index, plant] of [healthy, loss, loss].entries())
    await recordCheck(
      store,
      { domain: 'a.example', result: plant(healthyResult('a.example')) },
      scope,
      at + index * HOUR,
    );
  await store.settle();
  const args = ['watch', 'accept', 'a.example', '--store', file];
  assert.match((await runCli(args)).out, /Nothing was written/);
  assert.equal(unsentAlarms(store, 'mail').length, 1, 'the plan wrote nothing');
  const { code, err } = await runCli([...args, '--reason', 'planned', '--yes']);
  assert.equal(code, 0, err);
  assert.deepEqual(
    unsentAlarms(store, 'mail').map(({ kind, rule }) => `${kind} ${rule}`),
    ['added sts-weaker', 'ended sts-weaker'],
  );
  const audit = store.prepare('SELECT action, subject, outcome, way FROM web_audit').all();
  assert.deepEqual(
    audit.map((row) => ({ ...(row as object) })),
    [
      {
        ...{ action: 'watch-accept', subject: 'a.example sts-weaker' },
        ...{ outcome: 'done', way: 'command' },
      },
    ],
  );
  const next = { domain: 'a.example', result: loss(healthyResult('a.example')) };
  for (const hours of [4, 5])
    assert.deepEqual(await recordCheck(store, next, scope, at + hours * HOUR), []);
  assert.match((await runCli(['watch', 'status', '--store', file])).out, /accepted by/);
  store.close();
});

const loss = policyMode('testing');

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openReports } from '../../src/tls-rpt-receive/index.js';
import { reportJson } from '../support/report/mail.js';
import { verifyStore } from '../../src/store/index.js';
import { holdLock } from '../support/foreign-lock.js';
import { waitUntil } from '../support/wait-until.js';
import { DaemonProcess } from './testing-daemon.js';
import { isLong, testSize } from '../support/test-size.js';

const cli = 'dist/src/cli/main.js';
const today = new Date().toISOString().slice(0, 10);

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-life-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const has = (program: string): boolean => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/**
 * Runs a script with SQLite in another process, as another client of the database does.
 */
function node(script: string, ...args: readonly string[]): string {
  const driver = JSON.stringify(import.meta.resolve('@photostructure/sqlite'));
  const code = `import { DatabaseSync } from ${driver}; const [file, other] = process.argv.slice(1); ${script}`;
  return execFileSync(process.execPath, ['--input-type=module', '-e', code, ...args], {
    encoding: 'utf8',
  });
}

/** Other programs that read the database and exit. */
const foreign: Readonly<Record<string, (file: string) => void>> = {
  'another SQLite': (file) =>
    void node(
      `const d = new DatabaseSync(file); d.prepare('SELECT count(*) FROM report').get(); d.close();`,
      file,
    ),
  'a reader that changes the mode': (file) => {
    chmodSync(file, 0o644);
    foreign['another SQLite']?.(file);
  },
  ...(has('sqlite3')
    ? {
        'sqlite3 select': (file: string) =>
          void execFileSync('sqlite3', [file, 'SELECT count(*) FROM report']),
        'sqlite3 .backup': (file: string) =>
          void execFileSync('sqlite3', [file, `.backup ${file}.copy`]),
        'sqlite3 checkpoint': (file: string) =>
          void execFileSync('sqlite3', [file, 'PRAGMA wal_checkpoint(TRUNCATE)']),
      }
    : {}),
};

async function idsIn(file: string): Promise<ReadonlySet<string>> {
  const store = await openReports(file);
  assert.deepEqual(verifyStore(store), []);
  const rows = store.prepare<{ id: string }>('SELECT report_id AS id FROM report').all();
  store.close();
  return new Set(rows.map(({ id }) => id));
}

/** Sends reports and returns the ids of those that were acknowledged. */
async function postMany(daemon: DaemonProcess, name: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `${name}${i}`);
  const statuses = await Promise.all(ids.map((id) => daemon.post(reportJson(1, 1, id, today))));
  return ids.filter((_, i) => statuses[i] === 201);
}

function importBeside(daemon: DaemonProcess, folder: string, id: string): void {
  const file = join(folder, `${id}.json`);
  writeFileSync(file, reportJson(1, 1, id, today));
  execFileSync(process.execPath, [cli, 'report', 'import', file, '--store', daemon.store]);
}

test('the daemon keeps its file locks through every operation', { timeout: 300_000 }, async (t) => {
  const folder = folderFor(t);
  const daemon = await DaemonProcess.start(t, folder);
  assert.equal((await postMany(daemon, 'first', 1)).length, 1);
  const held = daemon.locks();
  assert.ok(held.length >= 2, held.join('\n'));
  const same = (what: string): Promise<unknown> =>
    waitUntil(`the same locks after ${what}`, () => daemon.locks().join('\n') === held.join('\n'));
  const operations: Readonly<Record<string, () => unknown>> = {
    reload: () => daemon.reload(),
    'failed reload': () => daemon.reload('broken'),
    'reload that cannot listen': () =>
      daemon.reload({
        more: "reporting: {feed: '192.0.2.1:1', organization: a, contact: a@b.example, helo: a.example}\n",
      }),
    'reload to another configuration': () => daemon.reload({ more: '\n' }),
    'report import': () => importBeside(daemon, folder, 'beside'),
    // The command exits with status 1 if a domain has failures.
    'report show': () =>
      spawnSync(process.execPath, [cli, 'report', 'show', '--store', daemon.store]),
    reports: () => postMany(daemon, 'more', 20),
    'a second daemon': async () => (await DaemonProcess.start(t, folder)).end('SIGTERM'),
    'a second daemon that is killed': async () =>
      (await DaemonProcess.start(t, folder)).end('SIGKILL'),
    ...Object.fromEntries(
      Object.entries(foreign).map(([name, run]) => [name, () => run(daemon.store)]),
    ),
  };
  for (const [what, run] of Object.entries(operations)) {
    await run();
    await same(what);
  }
  await daemon.end('SIGTERM');
});

/**
 * Pairs of a program and a signal. The short form has one signal for each program, and at
 * least two programs for each signal.
 */
const endings = Object.entries(foreign).flatMap(([who, run], i) =>
  (['SIGKILL', 'SIGTERM'] as const)
    .filter((_, j) => isLong || i % 2 === j)
    .map((signal) => ({ who, run, signal })),
);

for (const { who, run, signal } of endings)
  test(
    `${who} after a reload, then ${signal}: every acknowledged report is stored`,
    { timeout: 120_000 },
    async (t) => {
      const folder = folderFor(t);
      const daemon = await DaemonProcess.start(t, folder);
      const taken = await postMany(daemon, 'a', 5);
      await daemon.reload();
      run(daemon.store);
      taken.push(...(await postMany(daemon, 'b', 30)));
      importBeside(daemon, folder, 'beside');
      await daemon.reload('broken');
      run(daemon.store);
      taken.push(...(await postMany(daemon, 'c', 15)), 'beside');
      assert.equal(taken.length, 51, daemon.said);
      await daemon.end(signal);
      if (signal === 'SIGTERM') {
        // The database file is complete: a copy without its log contains all data.
        copyFileSync(daemon.store, `${daemon.store}.alone`);
        const alone = await idsIn(`${daemon.store}.alone`);
        assert.deepEqual(
          taken.filter((id) => !alone.has(id)),
          [],
        );
      }
      const stored = await idsIn(daemon.store);
      assert.deepEqual(
        taken.filter((id) => !stored.has(id)),
        [],
      );
    },
  );

test('many reloads do not change the number of descriptors', { timeout: 300_000 }, async (t) => {
  const daemon = await DaemonProcess.start(t, folderFor(t));
  const after = async (reloads: number): Promise<number> => {
    for (let i = 0; i < reloads; i++) await daemon.reload();
    return daemon.descriptors();
  };
  const early = await after(10);
  const late = await after(testSize(30, 200));
  assert.ok(late <= early + 2, `${early}, then ${late}`);
  await daemon.end('SIGTERM');
});

test(
  'reloads that change the file or fail do not change the number of descriptors',
  { timeout: 300_000 },
  async (t) => {
    const daemon = await DaemonProcess.start(t, folderFor(t));
    const after = async (rounds: number): Promise<number> => {
      for (let i = 0; i < rounds; i++) {
        await daemon.reload({ store: `${i % 2}.db` });
        await daemon.reload({
          store: '3.db',
          more: "reporting: {feed: '192.0.2.1:1', organization: a, contact: a@b.example, helo: a.example}\n",
        });
      }
      let fewest = daemon.descriptors();
      for (let i = 0; i < 20; i++, await pause(10)) fewest = Math.min(fewest, daemon.descriptors());
      return fewest;
    };
    const early = await after(10);
    const late = await after(testSize(10, 50));
    assert.ok(late <= early + 5, `${early}, then ${late}`);
    await daemon.end('SIGTERM');
  },
);

/**
 * Returns the longest answer of GET /health and of a Postfix lookup, in milliseconds,
 * until stopped.
 */
function watch(daemon: DaemonProcess): { stop(): Promise<number> } {
  let running = true;
  const longest = async (once: () => Promise<unknown>): Promise<number> => {
    let most = 0;
    while (running) {
      const began = performance.now();
      await once();
      most = Math.max(most, performance.now() - began);
      await pause(5);
    }
    return most;
  };
  const lookup = (): Promise<unknown> => {
    const socket = connect(daemon.port('postfix'), '127.0.0.1');
    socket.on('error', () => undefined).write('21:hermetic .example.com,');
    // A reload ends the connections of the previous configuration.
    const ended = new Promise((resolve) => socket.once('data', resolve).once('close', resolve));
    return ended.finally(() => socket.destroy());
  };
  const work = Promise.all([longest(() => daemon.get('/health')), longest(lookup)]);
  return {
    async stop() {
      running = false;
      return Math.max(...(await work));
    },
  };
}

test(
  'a foreign lock delays no answer: reports get 503 and are accepted afterwards',
  { timeout: 120_000 },
  async (t) => {
    const daemon = await DaemonProcess.start(t, folderFor(t));
    const holder = await holdLock(t, daemon.store);
    const watching = watch(daemon);
    const statuses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => daemon.post(reportJson(1, 1, `held${i}`, today))),
    );
    assert.deepEqual([...new Set(statuses)], [503]);
    assert.match(await daemon.get('/health'), /^degraded: report store-busy$/m);
    assert.match(await daemon.get('/metrics'), /^hermetic_store_job_failing\{job="report"\} 1$/m);
    assert.equal(
      (daemon.said.match(/store-write-failed job=report/g) ?? []).length,
      1,
      'logged once',
    );
    await daemon.reload();
    const longest = await watching.stop();
    // A call that waits for the lock takes 5 s. A delay by a busy machine is shorter.
    assert.ok(longest < 4500, `${longest} ms`);
    holder.stdin.end();
    await once(holder, 'exit');
    assert.equal((await postMany(daemon, 'after', 5)).length, 5);
    assert.match(await daemon.get('/health'), /^ok$/m);
    await daemon.end('SIGTERM');
    assert.equal((await idsIn(daemon.store)).size, 5);
  },
);

test(
  'a moved database acknowledges nothing until a reload opens the new one',
  { timeout: 120_000 },
  async (t) => {
    const folder = folderFor(t);
    const daemon = await DaemonProcess.start(t, folder);
    const taken = await postMany(daemon, 'old', 3);
    execFileSync('mkdir', [join(folder, 'moved')]);
    execFileSync('sh', ['-c', `mv ${daemon.store}* ${join(folder, 'moved')}`]);
    assert.equal(await daemon.post(reportJson(1, 1, 'lost', today)), 503);
    assert.match(await daemon.get('/health'), /store-replaced/);
    await daemon.reload();
    taken.push(...(await postMany(daemon, 'new', 3)));
    assert.equal(taken.length, 6);
    await daemon.end('SIGKILL');
    const moved = await idsIn(join(folder, 'moved', 'hermetic.db'));
    const now = await idsIn(daemon.store);
    assert.deepEqual(
      taken.filter((id) => !moved.has(id) && !now.has(id)),
      [],
    );
    assert.equal(now.size, 3);
  },
);

test('the daemon makes an existing database private', { timeout: 240_000 }, async (t) => {
  const folder = folderFor(t);
  const first = await DaemonProcess.start(t, folder);
  await postMany(first, 'a', 1);
  await first.end('SIGKILL');
  const files = ['', '-wal', '-shm'].map((suffix) => `${first.store}${suffix}`);
  for (const file of files) chmodSync(file, 0o644);
  const second = await DaemonProcess.start(t, folder);
  for (const file of files) assert.equal((statSync(file).mode & 0o777).toString(8), '600', file);
  await second.end('SIGTERM');
  assert.ok(readFileSync(first.store).length > 0);
});

test('a reload that needs new tables waits for a foreign lock and blocks no answer', async (t) => {
  const folder = folderFor(t);
  const daemon = await DaemonProcess.start(t, folder);
  const holder = await holdLock(t, daemon.store);
  const more = "pages: {operatorPort: '127.0.0.1:0'}\n";
  const reloaded = daemon.reload({ more });
  const watching = watch(daemon);
  for (let n = 0; n < 20; n++) assert.match(await daemon.get('/health'), /^ok$/m);
  assert.doesNotMatch(daemon.said, / (reloaded|reload-failed) /);
  holder.stdin.end();
  await reloaded;
  const longest = await watching.stop();
  assert.ok(longest < 4500, `${longest} ms`);
  // On a busy machine the reload may need its whole timeout of five seconds.
  if (/reload-failed/.test(daemon.said)) await daemon.reload();
  assert.match(daemon.said, / reloaded .*pages/);
  await daemon.end('SIGTERM');
});

test(
  'a publishing round waits for a foreign lock and then continues',
  { timeout: 120_000 },
  async (t) => {
    const folder = folderFor(t);
    const more = `publish:
  keys: ${folder}/keys
  dns: {own: {kind: print}}
  hosts: {}
  domains: {rcpt.example: {mode: testing, mx: [mx.rcpt.example], policyHost: policy.rcpt.example, dns: own}}
  everyMinutes: 1
`;
    const daemon = await DaemonProcess.start(t, folder, { more });
    const holder = await holdLock(t, daemon.store);
    await daemon.reload();
    await daemon.says(/store-write-failed job=publish code=store-busy/);
    assert.match(await daemon.get('/health'), /^degraded: publish store-busy$/m);
    holder.stdin.end();
    await daemon.says(/store-writes-again job=publish/);
    assert.doesNotMatch(daemon.said, /publish-round-failed/);
    await daemon.end('SIGTERM');
  },
);

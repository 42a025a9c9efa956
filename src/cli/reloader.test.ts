import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { createLog, parseConfigFiles, type Daemon } from '../server/index.js';
import { Reloader } from './reloader.js';

interface Setting {
  readonly reloader: Reloader;
  readonly starting: Promise<Daemon>;
  /** Ends the reload that is running. */
  finish(): void;
  reloads(): number;
  readonly lines: string[];
  readonly file: string;
}

/** Runs a test with a daemon whose reloads end when the test calls `finish`. */
async function withDaemon(play: (setting: Setting) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-reloader-'));
  const file = join(folder, 'hermetic.yaml');
  writeFileSync(file, 'metrics: {listen: 9461}\n');
  const ends: (() => void)[] = [];
  let begun = 0;
  const reload = (): Promise<void> =>
    new Promise((resolve) => {
      begun++;
      ends.push(resolve);
    });
  const lines: string[] = [];
  const log = createLog({ format: 'plain', write: (line) => lines.push(line), now: Date.now });
  try {
    await play({
      reloader: new Reloader(file, { parseConfigFiles }, log),
      starting: Promise.resolve({ reload, listening: [{}] } as unknown as Daemon),
      finish: () => ends.shift()?.(),
      reloads: () => begun,
      lines,
      file,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
};

test('many requests during a reload cause one more reload', () =>
  withDaemon(async ({ reloader, starting, finish, reloads }) => {
    const first = reloader.reload(starting);
    await turns();
    const storm = Array.from({ length: 50 }, () => reloader.reload(starting));
    finish();
    await first;
    await turns();
    assert.equal(reloads(), 2);
    finish();
    for (const { problems } of await Promise.all(storm)) assert.deepEqual(problems, []);
    assert.equal(reloads(), 2);
    const later = reloader.reload(starting);
    await turns();
    finish();
    await later;
    assert.equal(reloads(), 3, 'a request after the storm reads the files again');
  }));

test('shutdown waits for the running reload and cancels the next one', () =>
  withDaemon(async ({ reloader, starting, finish, reloads }) => {
    void reloader.reload(starting);
    await turns();
    const dropped = reloader.reload(starting);
    let ended = false;
    const end = reloader.end().then(() => (ended = true));
    await turns();
    assert.equal(ended, false, 'a reload is running');
    finish();
    await end;
    assert.equal(reloads(), 1);
    assert.equal((await dropped).problems[0]?.message, 'the daemon ends');
  }));

test('a daemon that cannot start makes its reload a problem', () =>
  withDaemon(async ({ reloader, lines }) => {
    const starting = Promise.reject<Daemon>(new Error('no port'));
    const { problems } = await reloader.reload(starting);
    assert.equal(problems[0]?.message, 'no port');
    assert.match(lines.join(''), /reload-failed/);
    await reloader.end();
  }));

// A blocked read of the configuration delays every port of the daemon.
test('a reload refuses pipes, devices and files without a section', () =>
  withDaemon(async ({ reloader, starting, reloads, file, lines }) => {
    const folder = join(dirname(file), 'conf.d');
    const cases: readonly (readonly [says: RegExp, prepare: () => void])[] = [
      [/has no section/, () => writeFileSync(file, '')],
      [/has no section/, () => writeFileSync(file, '# postfix: {}\n')],
      [/hermetic\.yaml: is not a regular file/, () => symlinkSync('/dev/zero', emptied(file))],
      [/hermetic\.yaml: is not a regular file/, () => mkdirSync(emptied(file))],
      [
        /conf\.d\/a\.yaml: is not a regular file/,
        () => {
          writeFileSync(emptied(file), 'metrics: {listen: 9461}\n');
          mkdirSync(folder);
          symlinkSync('/dev/zero', join(folder, 'a.yaml'));
        },
      ],
    ];
    for (const [says, prepare] of cases) {
      prepare();
      const { problems } = await reloader.reload(starting);
      assert.match(problems[0]?.message ?? '', says);
    }
    assert.equal(reloads(), 0);
    assert.match(lines.join(''), /reload-failed/);
  }));

/** Returns the path of a file that no longer exists. */
function emptied(file: string): string {
  rmSync(file, { recursive: true });
  return file;
}

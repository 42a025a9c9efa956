import assert from 'node:assert/strict';
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type TestContext } from 'node:test';
import { isHermeticError } from '../../src/base/index.js';
import { openPort } from '../../src/server/listeners/open-port.js';
import { listenAtPath } from '../../src/server/listeners/unix-socket.js';

function pathIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-socket-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 's');
}

/** Starts a process that tries to listen at the path, and returns its result. */
async function holder(
  t: TestContext,
  path: string,
): Promise<{ child: ChildProcess; says: string }> {
  const child = fork(join(import.meta.dirname, '../support/socket-holder.js'), [path]);
  t.after(() => child.kill('SIGKILL'));
  const [says] = (await once(child, 'message')) as [string];
  return { child, says };
}

const ask = (path: string): Promise<string> => text(connect({ path }));

/**
 * Returns a server that sends a text. The server ignores errors, because a probe of the
 * socket disconnects before it reads the text.
 */
const plain = (says = ''): Server =>
  createServer((socket) => void socket.on('error', () => socket.destroy()).end(says));

const close = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve));

test('a socket in use by another process stays and is reported', async (t) => {
  const path = pathIn(t);
  const { child, says } = await holder(t, path);
  assert.equal(says, 'listens');
  for (let i = 0; i < 3; i++)
    await assert.rejects(
      openPort(plain(), { path }, 10),
      (error) =>
        isHermeticError(error) &&
        error.code === 'listen-failed' &&
        error.message.includes(path) &&
        /another program listens there/.test(error.message) &&
        /path/.test(error.fix ?? ''),
    );
  assert.equal(await ask(path), String(child.pid));
  assert.deepEqual(readdirSync(join(path, '..')), ['s'], 'nothing else is left behind');
});

test('a temporarily stopped process keeps its socket', async (t) => {
  const path = pathIn(t);
  const { child } = await holder(t, path);
  child.kill('SIGSTOP');
  await assert.rejects(openPort(plain(), { path }, 10), /another program listens there/);
  child.kill('SIGCONT');
  assert.equal(await ask(path), String(child.pid));
});

test('the socket of a killed process is replaced', async (t) => {
  const path = pathIn(t);
  const { child } = await holder(t, path);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(path));
  const server = plain('new');
  const port = await openPort(server, { path }, 10);
  assert.equal(await ask(path), 'new');
  assert.equal((statSync(path).mode & 0o777).toString(8), '666');
  assert.deepEqual(port.at, { path });
  await port.close(0);
  assert.ok(!existsSync(path), 'removed at the end');
});

test('the end of a listener does not remove the socket of its successor', async (t) => {
  const path = pathIn(t);
  const [first, second] = [plain('first'), plain('second')];
  await listenAtPath(first, path);
  rmSync(path);
  await listenAtPath(second, path);
  await close(first);
  assert.equal(await ask(path), 'second');
  await close(second);
});

test('a file that is not a socket is refused and stays', async (t) => {
  const path = pathIn(t);
  const kinds: Readonly<Record<string, () => void>> = {
    'regular file': () => writeFileSync(path, 'data'),
    folder: () => mkdirSync(path),
    FIFO: () => execFileSync('mkfifo', [path]),
    'dangling link': () => symlinkSync('nowhere', path),
  };
  for (const [kind, make] of Object.entries(kinds)) {
    make();
    await assert.rejects(
      openPort(plain(), { path }, 10),
      (error) => isHermeticError(error) && /the path is a file, not a socket/.test(error.message),
      kind,
    );
    assert.deepEqual(readdirSync(join(path, '..')), ['s'], kind);
    rmSync(path, { recursive: true });
  }
  await assert.rejects(openPort(plain(), { path: join(path, 'a', 'b') }, 10), (error) =>
    isHermeticError(error),
  );
});

test('one of many listeners that start over a stale socket gets it', async (t) => {
  const path = pathIn(t);
  for (let round = 0; round < 20; round++) {
    const { child } = await holder(t, path);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const servers = Array.from({ length: 8 }, (_, i) => plain(String(i)));
    const results = await Promise.allSettled(servers.map((one) => listenAtPath(one, path)));
    const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    assert.equal(winners.length, 1, `round ${round}`);
    assert.equal(await ask(path), String(winners[0]));
    await close(servers[winners[0] ?? 0] as Server);
  }
});

test('one of several processes that start at once gets the socket', async (t) => {
  const path = pathIn(t);
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all(Array.from({ length: 4 }, () => holder(t, path)));
    const winners = all.filter(({ says }) => says === 'listens');
    assert.equal(winners.length, 1, all.map(({ says }) => says).join());
    assert.equal(await ask(path), String(winners[0]?.child.pid));
    winners[0]?.child.kill('SIGKILL');
    if (winners[0]) await once(winners[0].child, 'exit');
  }
});

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { DaemonStatus } from '../../src/server/index.js';
import { runCli } from '../support/run-cli.js';

let folder: string;
let socket: string;
let daemon: ChildProcess;

const part = (name: string, text: string): void =>
  writeFileSync(join(folder, 'conf.d', name), text);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-control-'));
  socket = join(folder, 'control.sock');
  mkdirSync(join(folder, 'conf.d'));
  const file = join(folder, 'hermetic.yaml');
  writeFileSync(
    file,
    `store: {file: ":memory:"}\nresolver: {addresses: ["127.0.0.1:1"]}\ncontrol: {socket: ${socket}}\n`,
  );
  part('metrics.yaml', 'metrics: {listen: "127.0.0.1:0"}\n');
  daemon = spawn(process.execPath, ['dist/src/cli/main.js', 'serve', '--config', file], {
    stdio: 'ignore',
  });
  const ready = await runCli(['status', '--socket', socket, '--wait', '60']);
  assert.deepEqual([ready.code, ready.err], [0, '']);
});

after(async () => {
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
  rmSync(folder, { recursive: true });
});

const status = async (): Promise<DaemonStatus> =>
  JSON.parse((await runCli(['status', '--socket', socket, '--json'])).out) as DaemonStatus;

test('status shows version, ports and jobs; only user and group may connect', async () => {
  const { schema, pid, ready, listening } = await status();
  assert.deepEqual([schema, pid, ready], ['hermetic.status/1', daemon.pid, true]);
  assert.deepEqual(listening.map(({ what }) => what).sort(), ['control', 'metrics']);
  assert.equal(statSync(socket).mode & 0o777, 0o660);
  const shown = await runCli(['status', '--socket', socket]);
  assert.match(shown.out, /^ready, version \d+\.\d+\.\d+, Node\.js /);
});

test('a refused reload exits with 1 and a reason, which status also shows', async () => {
  part('typo.yaml', 'postfx: {}\n');
  const refused = await runCli(['reload', '--socket', socket]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /typo\.yaml:1: postfx: is not a section .*\n {2}Did you mean postfix/);
  assert.match(refused.err, /old configuration stays active/);
  assert.match((await status()).lastReload?.problems[0]?.message ?? '', /typo\.yaml/);
  part('typo.yaml', 'metrics: {listen: 1}\n');
  const repeated = await runCli(['reload', '--socket', socket]);
  assert.match(repeated.err, /typo\.yaml:1: metrics: \S+metrics\.yaml:1 has this section too/);
});

test('a reload that cannot start is refused as well', async () => {
  part('typo.yaml', `roots: {add: ${folder}/missing.pem}\n`);
  const refused = await runCli(['reload', '--socket', socket]);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /missing\.pem.*\(config-file-unreadable\)/);
});

test('a file of conf.d with another suffix is refused, not ignored', async () => {
  rmSync(join(folder, 'conf.d/typo.yaml'));
  part('policy.yml', 'policy: {observe: true}\n');
  const refused = await runCli(['reload', '--socket', socket]);
  assert.match(
    refused.err,
    /policy\.yml: the daemon does not read this file .*\n {2}Rename it to end in \.yaml/,
  );
  rmSync(join(folder, 'conf.d/policy.yml'));
  part('.hidden.yaml', '[');
  part('metrics.yaml.dpkg-old', '[');
  const accepted = await runCli(['reload', '--socket', socket]);
  assert.deepEqual([accepted.code, accepted.err], [0, '']);
  assert.deepEqual((await status()).lastReload?.problems, []);
});

test('garbage and silence on the control socket leave the daemon running', async () => {
  for (const text of ['{"do":"stop"}\n', 'x'.repeat(10_000), '[]\n', '']) {
    const client = createConnection(socket);
    client.on('error', () => undefined);
    client.end(text).resume();
    await once(client, 'close');
  }
  assert.equal((await status()).ready, true);
});

test('without a daemon, status and reload name the cause and exit with 2', async () => {
  for (const command of ['status', 'reload']) {
    const none = await runCli([command, '--socket', join(folder, 'none.sock')]);
    assert.equal(none.code, 2);
    assert.match(none.err, /the daemon is not running \(daemon-unreachable\)\n {2}Start it/);
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { runCli, type Ran } from '../support/run-cli.js';
import { waitUntil } from '../support/wait-until.js';

const cli = (...args: readonly string[]): Promise<Ran> => runCli(args);

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'hermetic-'))));
after(() => rmSync(folder, { recursive: true }));

function config(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

test('serve --check reports each problem with its line, and ends with 2', async () => {
  const file = config('bad.yaml', 'log: {format: xml}\npostfx: {}\n');
  const { code, err } = await cli('serve', '--config', file, '--check');
  assert.equal(code, 2);
  assert.match(
    err,
    new RegExp(
      `^hermetic: ${file}:1: log\\.format: .*\\(config-invalid\\)\\n  Write plain or json\\.`,
      'm',
    ),
  );
  assert.match(
    err,
    new RegExp(`^hermetic: ${file}:2: postfx: .*\\n  Did you mean postfix\\?`, 'm'),
  );
  const good = await cli(
    'serve',
    '--config',
    config('good.yaml', 'log: {format: json}\nstore: {file: ":memory:"}\n'),
    '--check',
  );
  assert.deepEqual([good.code, good.err], [0, '']);
  assert.equal((await cli('serve', '--config', '/nonexistent')).code, 2);
});

test(
  'SIGHUP reloads, an invalid file changes nothing, SIGTERM ends with 0',
  { timeout: 240_000 },
  async () => {
    const base = `store: {file: ":memory:"}\nresolver: {addresses: ["127.0.0.1:1"]}\n`;
    const file = config('hermetic.yaml', `${base}metrics: {listen: "127.0.0.1:0"}\n`);
    const child = spawn(process.execPath, ['dist/src/cli/main.js', 'serve', '--config', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const until = async (pattern: RegExp): Promise<void> => {
      await waitUntil(String(pattern), () => pattern.test(said));
    };
    await until(/listening what=metrics/);
    config('hermetic.yaml', `${base}log: {format: loud}\n`);
    child.kill('SIGHUP');
    await until(/reload-failed file=\S+hermetic\.yaml line=3 path=log\.format says=.* fix=/);
    rmSync(file);
    child.kill('SIGHUP');
    await until(/reload-failed error=.*no such file/);
    config('hermetic.yaml', base);
    child.kill('SIGHUP');
    await until(/ reloaded/);
    child.kill('SIGTERM');
    assert.equal(await ended, 0);
    assert.match(said, / stopped/);
  },
);

test('an invalid reload is one JSON object for each problem', { timeout: 240_000 }, async () => {
  const base = `log: {format: json}\nstore: {file: ":memory:"}\nresolver: {addresses: ["127.0.0.1:1"]}\n`;
  const file = config('json.yaml', `${base}metrics: {listen: "127.0.0.1:0"}\n`);
  const child = spawn(process.execPath, ['dist/src/cli/main.js', 'serve', '--config', file]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await waitUntil('the daemon listens', () => out.includes('"listening"'));
  config('json.yaml', `${base}metrics: [1]\npostfx: {}\n`);
  child.kill('SIGHUP');
  const failures = (): readonly Record<string, unknown>[] =>
    out
      .split('\n')
      .filter((line) => line.includes('reload-failed'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  await waitUntil('two problems', () => failures().length === 2);
  child.kill('SIGTERM');
  await ended;
  assert.deepEqual(
    failures().map(({ file: at, line, path }) => [at, line, path]),
    [
      [file, 4, 'metrics'],
      [file, 5, 'postfx'],
    ],
  );
  assert.equal(err, '');
});

test('a wrong type in the configuration has its YAML name', async () => {
  const list = await cli(
    'serve',
    '--check',
    '--config',
    config('list.yaml', 'resolver: {addresses: one}\n'),
  );
  assert.match(list.err, /resolver\.addresses: must be a list .*\n {2}Write it as \[one, two\]\./);
  const section = await cli(
    'serve',
    '--check',
    '--config',
    config('section.yaml', 'metrics: [1]\n'),
  );
  assert.match(section.err, /metrics: must be a section .*\n {2}Write it as key: value/);
});

test('policy --postfix prints the answer, and the one without a validating resolver', async () => {
  const both = await cli('policy', '--lab', 'good.example', '--postfix', '3.7.11');
  assert.equal(
    both.out,
    "OK dane-only\n\nIf Postfix's own resolver does not validate DNSSEC:\nOK secure match=mx.good.example servername=hostname protocols=>=TLSv1.2\n",
  );
  assert.equal(
    (await cli('policy', '--lab', 'opportunistic.example', '--postfix', '3.4')).out,
    'NOTFOUND\n',
  );
  const old = await cli('policy', '--lab', 'good.example', '--postfix', '3.3');
  assert.equal(old.code, 2);
  assert.match(old.err, /Choose 3\.4, /);
});

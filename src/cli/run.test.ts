import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { runCli } from './testing-run.js';

const cli = (...args: string[]) => runCli(args);

test('bad options end with 2, one clear line and what to do', async () => {
  const bad = [
    ['check'],
    ['check', 'example.com', '--depth', 'abyss'],
    ['check', 'example.com', '--smtp-port', '0'],
    ['check', 'example.com', '--timeout', 'soon'],
    ['check', 'example.com', '--address', '192.0.2.1'],
    ['check', 'example.com', '--ca', '/nonexistent.pem'],
    ['check', 'example.com', '--profile', 'none'],
    ['check', 'example.com', '--fail-on', 'sun'],
    ['check', 'example.com', '--wrong'],
    ['grade', '/nonexistent.json'],
    ['frobnicate'],
  ];
  for (const args of bad) {
    const { code, out, err } = await cli(...args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(out, '');
    assert.match(err, /^hermetic: .+ \([a-z-]+\)\n {2}\S.*\n$/, args.join(' '));
  }
});

test('texts that are no domain names end with 2 and no stack trace', async () => {
  for (const domain of ['', '192.0.2.1', '[2001:db8::1]', 'a_b.example', 'x'.repeat(64), 'a..b', 'me@example.com', '\x1b[31m.example']) {
    const { code, err } = await cli('check', '--resolver', '127.0.0.1:9', '--', domain);
    assert.equal(code, 2, JSON.stringify(domain));
    assert.match(err, /^hermetic: [^\x1b\n]+ \(name-[a-z-]+\)\n {2}\S.*\n$/); // eslint-disable-line no-control-regex
  }
});

test('every command has help with an example', async () => {
  for (const command of ['check', 'grade', 'lab']) {
    const { code, out } = await cli(command, '--help');
    assert.equal(code, 0);
    assert.match(out, /Example:\n {2}hermetic /);
  }
});

test('evidence that is not evidence is named, not graded', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
  try {
    for (const text of ['{', '{}', 'null']) {
      const file = join(folder, 'seen.json');
      writeFileSync(file, text);
      const { code, err } = await cli('grade', file);
      assert.equal(code, 2);
      assert.match(err, /\(evidence-invalid\)/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { failingResolver } from '../../test/support/failing-resolver.js';
import { runCli } from '../../test/support/run-cli.js';

const cli = (...args: string[]) => runCli(args);

test('bad options exit with 2, one line and a fix', async () => {
  const bad = [
    ['check'],
    ['check', 'example.com', '--depth', 'abyss'],
    ['check', 'example.com', '--smtp-port', '0'],
    ['check', 'example.com', '--timeout', 'soon'],
    ['check', 'example.com', '--address', '192.0.2.1'],
    ['check', 'example.com', '--ca', '/nonexistent.pem'],
    ['check', 'good.example', '--lab', '--resolver', '127.0.0.1'],
    ['records', 'good.example', '--lab', '--ca', 'package.json'],
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

test('a missing argument is shown with its description', async () => {
  const { code, err } = await cli('setup');
  assert.equal(code, 2);
  assert.match(err, /missing required argument 'use': postfix, publish/);
});

test('invalid domain names exit with 2 and no stack trace', async () => {
  for (const domain of [
    '',
    '192.0.2.1',
    '[2001:db8::1]',
    'a_b.example',
    'x'.repeat(64),
    'a..b',
    'me@example.com',
    '\x1b[31m.example',
  ]) {
    const { code, err } = await cli('check', '--resolver', '127.0.0.1:9', '--', domain);
    assert.equal(code, 2, JSON.stringify(domain));
    assert.match(err, /^hermetic: [^\x1b\n]+ \(name-[a-z-]+\)\n {2}\S.*\n$/); // eslint-disable-line no-control-regex
  }
});

test('a wrong call names the command with the help', async () => {
  assert.match(
    (await cli('report', 'export', 'x')).err,
    /\n {2}See hermetic report export --help\.\n$/,
  );
  assert.match((await cli('chekc')).err, /Did you mean check.*\n {2}See hermetic --help\.\n$/);
});

test('file errors are described, and reading creates no database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
  try {
    const complaint = async (...args: string[]): Promise<string> => {
      const { code, out, err } = await cli(...args);
      assert.equal(code, 2, args.join(' '));
      assert.equal(out, '');
      return err;
    };
    assert.match(await complaint('grade', folder), /is a folder \(file-unreadable\)/);
    assert.match(await complaint('grade', join(folder, 'none')), /no such file/);
    assert.match(await complaint('report', 'import', join(folder, 'none')), /no such file/);
    for (const verb of ['show', 'export'])
      assert.match(
        await complaint('report', verb, '--store', join(folder, 'none.db')),
        /\(store-absent\)/,
      );
    assert.deepEqual(readdirSync(folder), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a failure is a sentence with a code that explain knows', async () => {
  const { code, out } = await cli(
    'policy',
    'example.com',
    '--resolver',
    '127.0.0.1:9',
    '--timeout',
    '0.2',
  );
  assert.equal(code, 3);
  assert.match(
    out.replace(/\s+/g, ' '),
    /The resolver did not answer in time: 127\.0\.0\.1:9 \(dns-timeout\)\. The cause is local\./,
  );
  for (const known of ['dns-timeout', 'server-dane-mismatch', 'net-refused', 'send-no-mail'])
    assert.match((await cli('explain', known)).out, new RegExp(`\\(${known}\\)[\\s\\S]*To do: `));
});

test('records: a failed lookup does not report a record as missing', async (t) => {
  const resolver = await failingResolver();
  t.after(() => resolver.close());
  const { code, out } = await cli('records', 'example.com', '--resolver', resolver.at);
  assert.equal(code, 3);
  assert.match(out, /could not be found/);
  assert.doesNotMatch(out, / IN |publish an MX/);
});

test('a file without evidence is not graded', async () => {
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

test('a file of another kind is reported with the command that wrote it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
  try {
    const [result, evidence] = [join(folder, 'result.json'), join(folder, 'evidence.json')];
    const check = ['check', '--lab', 'null-mx.example', '--json', '--evidence', evidence];
    writeFileSync(result, (await cli(...check)).out);
    const flat = async (...args: string[]): Promise<string> =>
      (await cli(...args)).err.replace(/\s+/g, ' ');
    assert.match(
      await flat('grade', result),
      /result\.json is a result, written by hermetic check --json \(evidence-invalid\) Give evidence/,
    );
    assert.match(
      await flat('dnssec', 'verify', evidence),
      /is evidence, written by hermetic check --evidence \(proof-invalid\) Give a proof/,
    );
    assert.match(
      await flat('report', 'show', '--checked', evidence, '--store', 'none.db'),
      /is evidence, .* \(result-invalid\) Give a result/,
    );
    assert.match(await flat('config', 'sendmail'), /sendmail is not supported/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('all commands look for the same configuration file', async () => {
  for (const command of [
    ['serve'],
    ['publish', 'plan'],
    ['publish', 'apply'],
    ['publish', 'status'],
    ['report', 'preview'],
  ])
    assert.match(
      (await cli(...command, '--help')).out.replace(/\s+/g, ' '),
      /--config <file> [^)]*\(default \/etc\/hermetic\/hermetic\.yaml\)/,
      command.join(' '),
    );
});

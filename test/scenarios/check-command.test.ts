import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { evidenceSchema, type CheckResult } from '../../src/evidence/index.js';
import { repeatedOptions } from '../../src/cli/repeat-options.js';
import { runCli } from '../support/run-cli.js';

const cli = (...args: string[]) => runCli(args);
const lab = (...args: string[]) => cli('check', '--lab', '--depth', 'triage', ...args);

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'hermetic-check-'))));
after(() => rmSync(folder, { recursive: true }));

test('output paths are tested before the first packet', async () => {
  const readOnly = join(folder, 'a-file');
  writeFileSync(readOnly, '');
  // The command reports the invalid path before the resolver fails, which would take
  // seconds.
  const unreachable = ['check', 'example.com', '--resolver', '127.0.0.1:9'];
  for (const option of ['--html', '--junit', '--sarif', '--csv', '--evidence'])
    for (const path of [join(folder, 'none', 'x'), folder, join(readOnly, 'x')]) {
      const { code, out, err } = await cli(...unreachable, option, path);
      assert.deepEqual([code, out], [2, ''], `${option} ${path}`);
      assert.match(err, new RegExp(`^hermetic: ${option} .*\\(file-unwritable\\)`));
    }
  const proof = await cli('dnssec', 'example.com', 'MX', '--proof', join(folder, 'none', 'x'));
  assert.match(proof.err, /--proof .*\(file-unwritable\)/);
});

test('- writes one report to standard output and nothing else', async () => {
  const html = await lab('null-mx.example', '--html', '-');
  assert.match(html.out, /^<!doctype html>/i);
  assert.match((await lab('null-mx.example', '--csv', '-')).out, /^domain,verdict,/);
  const evidence = await lab('null-mx.example', '--evidence', '-');
  assert.ok(evidenceSchema.safeParse(JSON.parse(evidence.out)).success);
  assert.ok(!existsSync('-'));
  for (const pair of [
    ['--html', '-', '--csv', '-'],
    ['--json', '--sarif', '-'],
    ['--nagios', '--json'],
  ]) {
    const { code, err } = await lab('null-mx.example', ...pair);
    assert.equal(code, 2);
    assert.match(err, /both write to standard output/);
  }
});

test('- reads standard input: grade, diff, tlsa and a list of domains', () => {
  const main = 'dist/src/cli/main.js';
  const run = (args: readonly string[], input: string) =>
    spawnSync(process.execPath, [main, ...args], { input, encoding: 'utf8' });
  const evidence = run(['check', '--lab', 'null-mx.example', '--evidence', '-'], '').stdout;
  assert.match(run(['grade', '-'], evidence).stdout, /^null-mx\.example/);
  const list = 'null-mx.example # the first\n\n# none\r\nno-mail.example\r\nnull-mx.example\n';
  const listed = run(['check', '--lab', '--from', '-', '--csv', '-'], list).stdout;
  assert.deepEqual(
    listed.split('\r\n').map((line) => line.split(',')[0]),
    ['domain', 'null-mx.example', 'no-mail.example', ''],
  );
  assert.match(run(['tlsa', '-'], 'nothing').stderr, /\(tlsa-unreadable\)/);
});

test('--from: an empty, missing or binary list is refused', async () => {
  const empty = join(folder, 'empty.txt');
  writeFileSync(empty, '# nothing\n\n');
  assert.match((await lab('--from', empty)).err, /the list is empty/);
  assert.match((await lab('--from', join(folder, 'none'))).err, /\(file-unreadable\)/);
  assert.match((await lab()).err, /no domain is given/);
});

test('several domains are a table, worst first, in any order of input', async () => {
  const { code, out } = await lab('null-mx.example', 'plaintext.example', 'good.example');
  assert.equal(code, 1);
  const rows = out.split('\n').map((line) => line.split(/ +/)[0]);
  assert.deepEqual(rows.slice(2, 6), [
    'Domain',
    'plaintext.example',
    'good.example',
    'null-mx.example',
  ]);
  assert.match(out, /^3 domains: 1 fail, 1 pass, 1 without mail$/m);
  const full = await lab('null-mx.example', 'no-mail.example', '--full');
  assert.match(full.out, /^null-mx\.example[^]*\n\nno-mail\.example/);
});

test('the table fits 60, 80 and 120 columns', async () => {
  for (const width of [60, 80, 120]) {
    const args = ['check', '--lab', '--depth', 'triage', 'good.example', 'opportunistic.example'];
    const { out } = await runCli(args, width);
    for (const line of out.split('\n')) assert.ok(line.length <= width, line);
  }
});

test('csv quotes cells and defuses formulas', async () => {
  const { renderCsv } = await import('../../src/cli/render-csv.js');
  const result = {
    domain: '=cmd',
    verdict: 'a"b,c',
    checkedAt: '',
    profile: '\x1b[2J',
    hosts: [],
    findings: [],
    route: { dnssec: '' },
    mtaSts: { status: '' },
    tlsRpt: { status: '' },
  } as unknown as CheckResult;
  assert.match(renderCsv([result]), /\r\n'=cmd,"a""b,c",,\?\[2J,/);
});

test('-q prints nothing and keeps the exit status', async () => {
  assert.deepEqual(await lab('-q', 'plaintext.example'), { code: 1, out: '', err: '' });
  assert.deepEqual(await lab('-q', 'null-mx.example', 'no-mail.example'), {
    code: 0,
    out: '',
    err: '',
  });
});

test('grade --nagios prints one line with the status of a plugin', async () => {
  const file = join(folder, 'evidence.json');
  await lab('plaintext.example', '--evidence', file);
  const { code, out } = await cli('grade', '--nagios', file);
  assert.equal(code, 2);
  assert.match(out, /^MAILTLS CRITICAL - plaintext\.example: [^\n]*\n$/);
});

test('steps repeat the options of the run', async () => {
  const { out } = await lab('stripped.example', '--json', '--smtp-port', '25');
  const { findings } = JSON.parse(out) as CheckResult;
  const steps = findings.flatMap((finding) => finding.steps.map(({ code = '' }) => code));
  const commands = steps.filter((code) => code.startsWith('hermetic check '));
  assert.ok(commands.length > 0);
  for (const text of commands) assert.match(text, /^hermetic check stripped\.example --lab( |$)/);
});

test('a repeated command has only its own options, quoted for a shell', () => {
  const flags = {
    lab: true,
    resolver: ['tls://192.0.2.1#a', '192.0.2.2'],
    smtpPort: '2525',
    httpsPort: '443',
    mx: "a'b c",
  };
  assert.deepEqual(repeatedOptions(flags), {
    network: ' --lab',
    resolver: " --resolver 'tls://192.0.2.1#a' --resolver 192.0.2.2",
    check: " --smtp-port 2525 --mx 'a'\\''b c'",
  });
});

test('a proof from the lab carries its anchor and is verified offline', async () => {
  const file = join(folder, 'proof.json');
  assert.equal((await cli('dnssec', '--lab', 'good.example', 'MX', '--proof', file)).code, 0);
  const verified = await cli('dnssec', 'verify', file);
  assert.equal(verified.code, 0);
  assert.match(verified.out, /The proof is valid[^]*built-in lab/);
  const { labAnchors, ...other } = JSON.parse(readFileSync(file, 'utf8')) as {
    labAnchors: string[];
  };
  assert.match(labAnchors[0] ?? '', /^\. 0 IN (DS|DNSKEY) /);
  writeFileSync(file, JSON.stringify(other));
  assert.equal((await cli('dnssec', 'verify', file)).code, 1);
});

test('an interrupted run prints the finished domains and ends with 130', async () => {
  const stop = new AbortController();
  const args = ['check', '--lab', '--json', 'null-mx.example', 'tarpit.example'];
  const file = join(folder, 'interrupted.csv');
  const { code, out, err } = await runCli([...args, '--csv', file], 80, stop.signal, () =>
    stop.abort(new Error('interrupted')),
  );
  assert.equal(code, 130);
  assert.match(out, /^\{"schema":"hermetic\.check\/1","domain":"null-mx\.example"[^\n]*\n$/);
  assert.match(
    err,
    /interrupted; 1 of 2 domains were checked, no file was written \(interrupted\)/,
  );
  assert.ok(!existsSync(file));
});

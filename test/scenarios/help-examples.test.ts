import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { after, before } from 'node:test';
import type { Command } from 'commander';
import { failingResolver, type FailingResolver } from '../support/failing-resolver.js';
import { runCli } from '../support/run-cli.js';
import { createCa, issue } from '../../src/pki/index.js';
import { prepareReports } from '../../src/tls-rpt-receive/index.js';
import { openStore } from '../../src/store/index.js';
import { commands } from '../../src/cli/commands.js';
import { helpPage } from '../../src/cli/help.js';
import type { Output } from '../../src/cli/output.js';
import { createProgram } from '../../src/cli/run.js';

/** Examples that a test cannot run, each with the reason. */
const skipped: Readonly<Record<string, string>> = {
  'hermetic serve --config hermetic.yaml': 'runs until it is stopped; serve.test.ts runs it',
  'hermetic publish account-key --config /etc/hermetic/hermetic.yaml': 'needs an account at a CA',
  'hermetic publish roll mx1.example.com --config /etc/hermetic/hermetic.yaml':
    'needs a key in use',
  'hermetic setup postfix': 'changes the machine; the test of the Debian package runs it',
  'hermetic setup postfix --yes': 'changes the machine; the test of the Debian package runs it',
  'hermetic setup postfix --undo': 'changes the machine; the test of the Debian package runs it',
  'hermetic backup /var/backups/hermetic.db':
    'changes the machine; the test of the Debian package runs it',
  'hermetic restore /var/backups/hermetic.db':
    'changes the machine; the test of the Debian package runs it',
  'hermetic reload': 'needs a running daemon',
  'hermetic status': 'needs a running daemon',
  'hermetic status --wait 60': 'needs a running daemon',
};

const nowhere: Output = {
  out: () => undefined,
  err: () => undefined,
  width: 80,
  color: false,
  interactive: false,
};

async function examples(): Promise<readonly string[]> {
  const context = {
    output: nowhere,
    signal: new AbortController().signal,
    finish: () => undefined,
  };
  const found = new Set<string>();
  const visit = (command: Command): void => {
    for (const line of helpPage(command)?.examples ?? []) found.add(line);
    command.commands.forEach(visit);
  };
  visit(await createProgram([], context));
  for (const { name } of commands) visit(await createProgram([name], context));
  return [...found];
}

let folder: string;
let resolver: FailingResolver;

/** The files that the examples name. */
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-examples-'));
  resolver = await failingResolver();
  const at = (name: string): string => join(folder, name);
  const made = issue(createCa({ name: 'Test Root' }), { names: ['mx1.example.com'] });
  writeFileSync(at('current.pem'), made.certPem);
  writeFileSync(at('next.key'), made.keyPem);
  writeFileSync(at('domains.txt'), 'good.example\n');
  mkdirSync(at('Maildir/.tlsrpt'), { recursive: true });
  writeFileSync(at('report.json.gz'), '{}');
  mkdirSync(at('keys'));
  const config = `store: {file: ${at('reports.db')}}
resolver: {addresses: ["${resolver.at}"]}
metrics: {listen: "127.0.0.1:0"}
reporting: {organization: One, contact: tls@example.com}
publish: {keys: ${at('keys')}, domains: {example.com: {mx: [mx1.example.com]}}}
`;
  writeFileSync(at('hermetic.yaml'), config);
  chmodSync(at('hermetic.yaml'), 0o600);
  const store = await openStore(at('reports.db'));
  prepareReports(store);
  store.close();
  for (const name of ['old.json', 'seen.json', 'proof.json'])
    writeFileSync(at(name), await saved(name));
});
after(() => {
  resolver.close();
  rmSync(folder, { recursive: true });
});

async function saved(name: string): Promise<string> {
  const args =
    name === 'proof.json'
      ? ['dnssec', '--lab', 'good.example', 'MX', '--proof', '-']
      : ['check', '--lab', '--depth', 'triage', 'good.example', '--evidence', '-'];
  return (await runCli(args)).out;
}

/** The example with the lab instead of the network and with the files of this test. */
function inLab(example: string): string {
  return example
    .replaceAll('/etc/hermetic/hermetic.yaml', 'hermetic.yaml')
    .replace('serve --check', 'serve --check --config hermetic.yaml')
    .replaceAll('~/', './')
    .replace('/var/lib/hermetic/', '')
    .replace('policy forget example.com', 'policy forget example.com --store reports.db')
    .replace(
      /(hermetic (?:check|records|policy|dnssec|send|watch)) (?!verify|forget|--lab)/g,
      '$1 --lab ',
    )
    .replaceAll(/(?<!mx1\.)example\.com/g, 'good.example');
}

/** Runs a command line: in this process where it is a single command, else in a shell. */
async function runExample(line: string): Promise<{ readonly code: number; readonly err: string }> {
  if (!/[|&]/.test(line)) return runCli(line.split(' ').slice(1).map(inFolder));
  const main = resolve('dist/src/cli/main.js');
  const shim = `hermetic() { "${process.execPath}" "${main}" "$@"; }; set -o pipefail; `;
  const { status, stderr } = spawnSync('bash', ['-c', shim + line], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: status ?? -1, err: stderr };
}

/** A file of the examples by its absolute path: tests share the working directory. */
function inFolder(word: string): string {
  return /^\.\/|\.(json|gz|pem|key|txt|db|yaml|html)$/.test(word) ? join(folder, word) : word;
}

test('every example in a help text runs', async (t) => {
  for (const example of await examples()) {
    if (skipped[example] !== undefined) continue;
    await t.test(example, async () => {
      const { code, err } = await runExample(inLab(example));
      // 1 and 3 are results; 2 is an example that cannot be used.
      assert.ok([0, 1, 3].includes(code), `${inLab(example)}\n${code}: ${err}`);
      assert.doesNotMatch(err, /\(usage\)/);
    });
  }
});

test('the example of lab list finds domains', async () => {
  const { out } = await runCli(['lab', 'list']);
  assert.match(out, /DANE/);
});

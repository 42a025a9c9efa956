import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { failingResolver, type FailingResolver } from './failing-resolver.js';
import { runCli } from './run-cli.js';
import { createCa, issue } from '../../src/pki/index.js';
import { prepareReports } from '../../src/tls-rpt-receive/index.js';
import { openStore } from '../../src/store/index.js';
import { commands } from '../../src/cli/commands.js';
import { mailboxExample } from '../../src/cli/commands/report-mailbox.js';
import { helpPage } from '../../src/cli/help.js';
import type { Output } from '../../src/cli/output.js';
import { createProgram } from '../../src/cli/run.js';

/**
 * Runs examples with the lab instead of the network, in a folder with the files that they
 * name.
 */
export class ExampleWorld {
  readonly folder: string;
  readonly #resolver: FailingResolver;

  private constructor(folder: string, resolver: FailingResolver) {
    this.folder = folder;
    this.#resolver = resolver;
  }

  static async open(): Promise<ExampleWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'hermetic-examples-'));
    const resolver = await failingResolver();
    const at = (name: string): string => join(folder, name);
    const made = issue(createCa({ name: 'Test Root' }), { names: ['mx1.example.com'] });
    for (const name of ['current.pem', 'ecdsa.pem', 'rsa.pem'])
      writeFileSync(at(name), made.certPem);
    for (const name of ['next.key', 'ecdsa-next.key', 'rsa-next.key'])
      writeFileSync(at(name), made.keyPem);
    writeFileSync(at('domains.txt'), 'good.example\n');
    writeFileSync(at('postconf.txt'), 'smtp_tls_security_level = may\n');
    writeFileSync(at('left-alone.txt'), 'other.example\n');
    mkdirSync(at('Maildir/.tlsrpt'), { recursive: true });
    for (const name of ['report.json.gz', 'archive.mbox', 'report.eml'])
      writeFileSync(at(name), '{}');
    mkdirSync(at('keys'));
    const config = `store: {file: ${at('reports.db')}}
resolver: {addresses: ["${resolver.at}"]}
metrics: {listen: "127.0.0.1:0"}
watch: {domains: [example.com], digest: {every: week}}
reporting: {organization: One, contact: tls@example.com}
senderTest: {zone: sender.example.net, nameServers: {ns1.sender.example.net: [192.0.2.53]}, mailAddresses: [192.0.2.25], policyAddresses: [192.0.2.80], keys: ${at('sender-keys')}}
publish: {keys: ${at('keys')}, domains: {example.com: {mx: [mx1.example.com]}}}
`;
    writeFileSync(at('hermetic.yaml'), config);
    chmodSync(at('hermetic.yaml'), 0o600);
    const store = await openStore(at('reports.db'));
    prepareReports(store);
    store.close();
    const evidence = await printed('check', '--depth', 'triage', 'good.example', '--evidence', '-');
    for (const name of ['old.json', 'new.json', 'seen.json']) writeFileSync(at(name), evidence);
    writeFileSync(
      at('today.json'),
      await printed('check', '--depth', 'triage', 'good.example', '--json'),
    );
    writeFileSync(at('proof.json'), await printed('dnssec', 'good.example', 'MX', '--proof', '-'));
    return new ExampleWorld(folder, resolver);
  }

  close(): void {
    this.#resolver.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Runs a command line: in this process if it is a single command, else in a shell. */
  async run(line: string): Promise<{ readonly code: number; readonly err: string }> {
    if (line.startsWith('hermetic ') && !/[|&>]/.test(line))
      return runCli(
        line
          .split(' ')
          .slice(1)
          .map((word) => this.#inFolder(word)),
      );
    const main = resolve('dist/src/cli/main.js');
    const shim = `hermetic() { "${process.execPath}" "${main}" "$@"; }; set -o pipefail; `;
    const { status, stderr } = spawnSync('bash', ['-c', shim + line], {
      cwd: this.folder,
      encoding: 'utf8',
    });
    return { code: status ?? -1, err: stderr };
  }

  /**
   * Returns the absolute path of a file of the examples, because tests share the working
   * directory.
   */
  #inFolder(word: string): string {
    return /^\.\/|\.(json|gz|pem|key|txt|db|yaml|html|mbox|eml)$/.test(word)
      ? join(this.folder, word)
      : word;
  }
}

/** Returns the standard output of a command in the lab. */
async function printed(command: string, ...args: readonly string[]): Promise<string> {
  return (await runCli([command, '--lab', ...args])).out;
}

/**
 * Returns the example with the lab instead of the network and with the files of this
 * test.
 */
export function inLab(example: string): string {
  return example
    .replaceAll('/etc/hermetic/hermetic.yaml', 'hermetic.yaml')
    .replace(/(publish (?:plan|status|apply)|report preview)$/, '$1 --config hermetic.yaml')
    .replace('serve --check', 'serve --check --config hermetic.yaml')
    .replaceAll('~/', './')
    .replace('/var/lib/hermetic/', '')
    .replaceAll('/etc/hermetic/', './')
    .replace(
      /(policy forget|history|watch accept) example\.com|watch status/,
      '$& --store reports.db',
    )
    .replace(
      /(hermetic (?:check|records|policy|dnssec|send|watch)) (?!verify|forget|accept|status|--lab)/g,
      '$1 --lab ',
    )
    .replaceAll(/(?<!mx1\.)example\.com/g, 'good.example');
}

const NEEDS_POSTGRESQL = 'needs PostgreSQL; test/interop/scan.test.ts runs it';

/** Examples that a test cannot run, each with the reason. */
export const examplesNotRun: Readonly<Record<string, string>> = {
  'hermetic serve --config hermetic.yaml': 'runs until it is stopped; serve.test.ts runs it',
  'hermetic publish account-key --config /etc/hermetic/hermetic.yaml': 'needs an account at a CA',
  'hermetic publish roll mx1.example.com --config /etc/hermetic/hermetic.yaml':
    'needs a key in use',
  'hermetic setup postfix': 'changes the machine; the test of the Debian package runs it',
  'hermetic setup postfix --yes': 'changes the machine; the test of the Debian package runs it',
  'hermetic setup postfix --undo': 'changes the machine; the test of the Debian package runs it',
  'hermetic setup watch --domain example.com --alarm-to postmaster@example.com':
    'changes the machine; the test of the Debian package runs it',
  'hermetic backup /var/backups/hermetic.db':
    'changes the machine; the test of the Debian package runs it',
  'hermetic restore /var/backups/hermetic.db':
    'changes the machine; the test of the Debian package runs it',
  [mailboxExample]: 'needs an IMAP server; test/interop/mailbox.test.ts runs it',
  'hermetic user add alice --role admin': 'changes accounts; user-accounts.test.ts runs it',
  'hermetic user add bob --customer acme': 'changes accounts; user-accounts.test.ts runs it',
  'hermetic user list': 'changes accounts; user-accounts.test.ts runs it',
  'hermetic user remove alice': 'changes accounts; user-accounts.test.ts runs it',
  'hermetic user passwd alice': 'changes accounts; user-accounts.test.ts runs it',
  'hermetic sender test --smtp 127.0.0.1 --files /tmp/sender-test':
    'opens ports below 1024; the interop tests run it',
  'hermetic reload': 'needs a running daemon',
  'hermetic status': 'needs a running daemon',
  'hermetic status --wait 60': 'needs a running daemon',
  'hermetic scan start domains.txt --local scans': NEEDS_POSTGRESQL,
  'hermetic scan start domains.txt --local scans --lab': NEEDS_POSTGRESQL,
  'hermetic scan show 1 --local scans': NEEDS_POSTGRESQL,
  'hermetic scan list --local scans': NEEDS_POSTGRESQL,
  'hermetic scan pause 1 --local scans': NEEDS_POSTGRESQL,
  'hermetic scan resume 1 --local scans': NEEDS_POSTGRESQL,
  'hermetic scan cancel 1 --local scans': NEEDS_POSTGRESQL,
  'hermetic scan diff 1 2 --local scans': NEEDS_POSTGRESQL,
  'hermetic scan export 1 --local scans --format csv --out scan.csv': NEEDS_POSTGRESQL,
  'hermetic scan why example.com --local scans': NEEDS_POSTGRESQL,
  'hermetic worker --database postgres://scan@db.example.com/scans': NEEDS_POSTGRESQL,
};

const nowhere: Output = {
  out: () => undefined,
  err: () => undefined,
  width: 80,
  color: false,
  interactive: false,
};

/** Returns every example of a help text. */
export async function helpExamples(): Promise<readonly string[]> {
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

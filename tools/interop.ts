import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { mapConcurrent } from '../src/base/index.js';
import { installPackages } from '../test/interop/debian.js';
import { ownNetwork } from '../test/interop/own-network.js';
import { formatCounts, runTests, type TestCounts } from './run-tests.js';

/** The environment variable that names the file for the counts of one test file. */
const RESULTS = 'HERMETIC_INTEROP_COUNTS';

/**
 * The Debian packages of the tests, by the program that proves their presence. Mail
 * servers conflict, so at most one is installed, and the others are unpacked.
 */
const needed: Readonly<Record<string, string>> = {
  '/usr/sbin/ip': 'iproute2',
  '/usr/sbin/postfix': 'postfix',
  '/usr/sbin/named': 'bind9',
  '/usr/bin/dnssec-signzone': 'bind9-utils',
  '/usr/bin/delv': 'bind9-dnsutils',
  '/usr/sbin/unbound': 'unbound',
  '/usr/sbin/nsd': 'nsd',
  '/usr/bin/ldns-signzone': 'ldnsutils',
  '/usr/sbin/knotd': 'knot',
  '/usr/share/doc/pdns-backend-sqlite3/schema.sqlite3.sql': 'pdns-backend-sqlite3',
  '/usr/sbin/pdns_server': 'pdns-server',
  '/usr/bin/pebble': 'pebble',
  '/usr/bin/swaks': 'swaks',
  '/usr/bin/gnutls-serv': 'gnutls-bin',
  '/usr/sbin/haproxy': 'haproxy',
  '/usr/sbin/nginx': 'nginx-light',
  '/usr/bin/stunnel4': 'stunnel4',
  '/usr/bin/testssl': 'testssl.sh',
  '/usr/bin/sslscan': 'sslscan',
  '/usr/bin/nmap': 'nmap',
  '/usr/bin/chromium': 'chromium',
  '/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf': 'fonts-liberation',
  '/usr/bin/xmllint': 'libxml2-utils',
  '/usr/lib/dovecot/imap': 'dovecot-imapd',
  '/usr/bin/pdftotext': 'poppler-utils',
  '/usr/bin/promtool': 'prometheus',
  '/usr/bin/shellcheck': 'shellcheck',
  '/usr/bin/ansible-lint': 'ansible-lint',
  '/usr/bin/docker-compose': 'docker-compose',
  '/usr/bin/yamllint': 'yamllint',
  '/usr/lib/postgresql/15/bin/postgres': 'postgresql',
};
const LEAST = 24;

/** The number of concurrent test files. Many of them wait for servers. */
const FILES = 2;

/** Files that measure delays run alone, after the others. */
const ALONE: readonly string[] = ['siege.test.js'];

const folder = 'dist/test/interop';
const { values, positionals: given } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string' },
    seed: { type: 'string' },
    full: { type: 'boolean' },
    inside: { type: 'string' },
  },
});
if (values.inside === undefined) await runAll();
else await runInside(values.inside);

/** Runs the chosen files, each in a separate network: all of its addresses are free. */
async function runAll(): Promise<void> {
  installPackages(needed);
  if (values.count) process.env['HERMETIC_COUNT'] = values.count;
  if (values.seed) process.env['HERMETIC_SEED'] = values.seed;
  if (values.full) process.env['HERMETIC_FULL'] = '1';
  const files = readdirSync(folder)
    .filter((f) => f.endsWith('.test.js'))
    .filter((f) => existsSync(join('test/interop', f.replace(/\.js$/, '.ts'))))
    .filter((f) => given.length === 0 || given.some((g) => f.includes(g)));
  const began = performance.now();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const runFile = async (file: string): Promise<void> => {
    const start = performance.now();
    const { counts, output } = await runProcess(file);
    process.stdout.write(output);
    console.log(`${file}: ${formatCounts(counts)} (${secondsSince(start)} s)`);
    for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += counts[key];
  };
  const together = files.filter((file) => !ALONE.includes(file));
  await mapConcurrent(together, FILES, runFile);
  for (const file of files.filter((name) => ALONE.includes(name))) await runFile(file);
  console.log(`\n${files.length} files in ${secondsSince(began)} s\n${formatCounts(total)}`);
  if (total.failed > 0 || (given.length === 0 && total.passed < LEAST)) process.exitCode = 1;
}

/** Runs one file in a child process; returns its counts and what it printed. */
async function runProcess(file: string): Promise<{ counts: TestCounts; output: string }> {
  const results = join(mkdtempSync(join(tmpdir(), 'hermetic-interop-')), 'counts.json');
  const args = [process.argv[1] ?? '', '--inside', file];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [RESULTS]: results },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  try {
    return { counts: JSON.parse(readFileSync(results, 'utf8')) as TestCounts, output };
  } catch {
    return {
      counts: { passed: 0, failed: 1, skipped: 0 },
      output: `${output}\n${file} ended early\n`,
    };
  } finally {
    rmSync(dirname(results), { recursive: true });
  }
}

/** Runs one file in a separate network, and saves the counts for the outer process. */
async function runInside(file: string): Promise<void> {
  ownNetwork([], 'HERMETIC_INTEROP');
  const counts = await runTests([join(folder, file)], 1, 1_500_000);
  writeFileSync(process.env[RESULTS] ?? '', JSON.stringify(counts));
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(0);
}

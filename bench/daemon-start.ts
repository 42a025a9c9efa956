import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unitEnvironment } from '../tools/unit-environment.js';

/**
 * The limits of every installation: seconds of CPU until every port is open, and
 * megabytes when the daemon is idle, before and after a scrape.
 */
export const DAEMON_PROMISE = { cpu: 1, memory: 80 };

export interface DaemonUsage {
  /** Seconds of wall-clock time until every port is open. */
  readonly wall: number;
  /** Seconds of CPU time until every port is open. */
  readonly cpu: number;
  /** Megabytes (10^6) of all resident pages when the daemon is idle. */
  readonly memory: number;
  /** Megabytes of private memory: without the pages of files, which processes share. */
  readonly own: number;
  /** Megabytes after a scrape of the metrics. */
  readonly scraped: number;
}

/** Configurations, by the jobs that they enable. `folder` is for keys and exports. */
export const daemonConfigs: Readonly<Record<string, (folder: string) => string>> = {
  'no job': () => '',
  postfix: () => 'postfix: {version: "3.7", listen: "127.0.0.1:0"}\n',
  'postfix and publish': (folder) => `postfix: {version: "3.7", listen: "127.0.0.1:0"}
publish:
  keys: ${folder}/keys
  everyMinutes: 0
  domains: {}
  hosts: {}
`,
  'report with a mailbox': (folder) => `report:
  domains: [example.com]
  checkHours: 0
  mailboxes: [{server: imap.example.com, address: 127.0.0.1, port: 9, user: a, password: ${folder}/password}]
`,
  'all jobs': (folder) => `web: {listen: '127.0.0.1:0', http: '127.0.0.1:0'}
postfix: {version: "3.7", listen: "127.0.0.1:0"}
publish:
  keys: ${folder}/keys
  domains: {example.com: {mx: [mx.example.com]}}
report:
  domains: [example.com]
  https: {host: tlsrpt.example.com}
  smtp: {listen: "127.0.0.1:0", recipients: [tlsrpt@example.com]}
  mailboxes: [{server: imap.example.com, address: 127.0.0.1, port: 9, user: a, password: ${folder}/password}]
  alerts: {webhook: "https://chat.example.com/hook"}
reporting: {organization: Example, contact: tls@example.com}
watch: {domains: [example.com], digest: {every: week}, notify: {webhook: "https://chat.example.com/hook"}}
pages: {operatorPort: "127.0.0.1:0"}
senderTest:
  zone: sender.example.net
  nameServers: {ns1.sender.example.net: [192.0.2.53]}
  mailAddresses: [192.0.2.25, 192.0.2.26, 192.0.2.27, 192.0.2.28, 192.0.2.29, 192.0.2.30]
  policyAddresses: [192.0.2.80]
  page: https://sender.example.net/sender
  keys: ${folder}/sender-test
  dns: {listen: "127.0.0.1:0"}
  smtp: {listen: "127.0.0.1:0"}
`,
};

/** Milliseconds until the daemon counts as idle. */
const SETTLE = 3000;
const TICKS_PER_SECOND = 100;

/** Builds the archive and unpacks it below a folder. Returns the path of its command. */
export function installProgram(folder: string): string {
  const tool = ['--no-warnings', '--experimental-import-meta-resolve', 'dist/tools/package.js'];
  execFileSync(process.execPath, [...tool, 'tarball', '--output', folder], { stdio: 'ignore' });
  const unpack = 'mkdir program && tar -C program --strip-components=1 -xzf *-linux-*.tar.gz';
  execFileSync('sh', ['-c', unpack], { cwd: folder });
  return join(folder, 'program/bin/hermetic');
}

/** Starts an installed daemon, waits until it is idle, and stops it. */
export async function measureDaemon(
  program: string,
  configOf: (folder: string) => string,
): Promise<DaemonUsage> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-start-'));
  try {
    for (const keys of ['keys', 'sender-test']) mkdirSync(join(folder, keys));
    writeFileSync(join(folder, 'password'), 'secret', { mode: 0o600 });
    const config = join(folder, 'hermetic.yaml');
    writeFileSync(
      config,
      `store: {file: ${folder}/hermetic.db}
resolver: {addresses: ['127.0.0.1:9']}
metrics: {listen: '127.0.0.1:0'}
${configOf(folder)}`,
    );
    const began = performance.now();
    const daemon = spawn(process.execPath, [program, 'serve', '--config', config], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...unitEnvironment() },
    });
    const logged = await started(daemon);
    const wall = (performance.now() - began) / 1000;
    const cpu = cpuSeconds(daemon.pid ?? 0);
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    const { Rss: memory, Anonymous: own } = megabytes(daemon.pid ?? 0);
    const [, port = ''] = /what=metrics at=127\.0\.0\.1:(\d+)/.exec(logged()) ?? [];
    await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    const { Rss: scraped } = megabytes(daemon.pid ?? 0);
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
    return { wall, cpu, memory, own, scraped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Waits until every port is open. Returns a function that returns the log up to its call.
 */
async function started(daemon: ChildProcess): Promise<() => string> {
  let said = '';
  const { stdout } = daemon;
  if (!stdout) throw new Error('the daemon has no output');
  await new Promise<void>((resolve, reject) => {
    stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      if (/ started /.test(said)) resolve();
    });
    stdout.on('end', () => reject(new Error(`the daemon did not start\n${said}`)));
  });
  return () => said;
}

/** Returns the CPU time of a process with its threads, from proc(5). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Returns the resident memory of a process, in total and without the pages of files. */
function megabytes(pid: number): { readonly Rss: number; readonly Anonymous: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) * 0.001024;
  return { Rss: of('Rss'), Anonymous: of('Anonymous') };
}

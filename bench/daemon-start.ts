import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unitEnvironment } from '../tools/unit-environment.js';

/** Limits of the daemon: seconds of CPU until it is ready, mebibytes when it is idle. */
export const DAEMON_LIMITS = { cpu: 0.7, memory: 65 };
/** The limits that every installation must keep. */
export const DAEMON_PROMISE = { cpu: 1, memory: 80 };

export interface DaemonUsage {
  /** Seconds of wall-clock time until every port is open. */
  readonly wall: number;
  /** Seconds of CPU time until every port is open. */
  readonly cpu: number;
  /** Mebibytes when the daemon has been idle. */
  readonly memory: number;
  /** Mebibytes after a scrape of the metrics. */
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
  'all jobs': (folder) => `postfix: {version: "3.7", listen: "127.0.0.1:0"}
publish:
  keys: ${folder}/keys
  domains: {example.com: {mx: [mx.example.com]}}
report:
  domains: [example.com]
  smtp: {listen: "127.0.0.1:0", recipients: [tlsrpt@example.com]}
  mailboxes: [{server: imap.example.com, address: 127.0.0.1, port: 9, user: a, password: ${folder}/password}]
  alerts: {webhook: "https://chat.example.com/hook"}
reporting: {organization: Example, contact: tls@example.com}
watch: {domains: [example.com], digest: {every: week}, notify: {webhook: "https://chat.example.com/hook"}}
pages: {operatorPort: "127.0.0.1:0"}
`,
};

/** Milliseconds until the daemon counts as idle. */
const SETTLE = 3000;
const TICKS_PER_SECOND = 100;

/** Starts a daemon, waits until it is idle, and stops it. */
export async function measureDaemon(configOf: (folder: string) => string): Promise<DaemonUsage> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-start-'));
  try {
    mkdirSync(join(folder, 'keys'));
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
    const daemon = spawn(process.execPath, ['dist/src/cli/main.js', 'serve', '--config', config], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...unitEnvironment() },
    });
    const logged = await started(daemon);
    const wall = (performance.now() - began) / 1000;
    const cpu = cpuSeconds(daemon.pid ?? 0);
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    const memory = residentMebibytes(daemon.pid ?? 0);
    const [, port = ''] = /what=metrics at=127\.0\.0\.1:(\d+)/.exec(logged()) ?? [];
    await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    const scraped = residentMebibytes(daemon.pid ?? 0);
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
    return { wall, cpu, memory, scraped };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until every port is open. Returns a function to the log until its call. */
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

/** CPU time of a process with its threads, from proc(5). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function residentMebibytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

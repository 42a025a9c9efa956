import { fork, spawn, type ChildProcess } from 'node:child_process';
import {
  createWriteStream,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  type WriteStream,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, issue } from '../../src/pki/index.js';
import { freePort } from '../../test/support/free-port.js';
import { keyText } from '../../test/support/report/mail.js';
import { unitEnvironment } from '../unit-environment.js';
import { attackers } from './roles.js';
import { isHealthy } from './defenders.js';
import {
  DOMAIN,
  RECIPIENT,
  sleep,
  WEB_HOST,
  WEB_PATH,
  type Plan,
  type RoleReport,
} from './plan.js';

/** Milliseconds that a start may take. */
const START = 60_000;

/** Chooses free ports, starts a resolver, and writes the configuration. */
export async function preparePlan(seconds: number, pace: number): Promise<Plan> {
  const folder = mkdtempSync(join(tmpdir(), `hermetic-siege-${process.pid}-`));
  const names = ['web', 'smtp', 'postfix', 'metrics', 'dns', 'sink'] as const;
  const free = await Promise.all(names.map(freePort));
  const ports = Object.fromEntries(names.map((name, i) => [name, free[i] ?? 0])) as Plan['ports'];
  const plan: Plan = { folder, ports, seconds, pace, keyText };
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const certificate = issue(createCa({ name: 'Siege CA' }), { names: [WEB_HOST] });
  const anchor = file('anchor', await forkResolver(plan));
  const resolv = file('resolv.conf', 'nameserver 192.0.2.1\n');
  const chain = file('chain.pem', certificate.chainPem);
  const key = file('key.pem', certificate.keyPem);
  const at = (name: keyof Plan['ports']): string => `'127.0.0.1:${ports[name]}'`;
  file(
    'hermetic.yaml',
    `resolver: {addresses: [${at('dns')}], trustAnchor: ${anchor}}
network: {privateAddresses: allow}
store: {file: ${join(folder, 'hermetic.db')}}
log: {format: json}
metrics: {listen: ${at('metrics')}}
web: {listen: ${at('web')}, certificates: [{chain: ${chain}, key: ${key}}], connections: 100}
postfix: {version: '3.7', listen: ${at('postfix')}, resolver: {file: ${resolv}}}
report:
  domains: [${DOMAIN}]
  https: {host: ${WEB_HOST}, path: ${WEB_PATH}}
  smtp: {listen: ${at('smtp')}, recipients: [${RECIPIENT}]}
  checkHours: 0
  alerts: {mail: {from: hermetic@${DOMAIN}, to: postmaster@${DOMAIN}, server: sink.${DOMAIN}, port: ${ports.sink}}}
`,
  );
  return plan;
}

/**
 * Starts the resolver, which ends with this process. Resolves with the resolver's trust
 * anchor.
 */
async function forkResolver(plan: Plan): Promise<string> {
  const child = fork('dist/tools/siege/resolver.js', { stdio: 'inherit' });
  const anchor = new Promise<string>((resolve, reject) => {
    child.once('message', (line: string) => resolve(line));
    child.once('exit', (code) => reject(new Error(`the resolver ended with ${code}`)));
  });
  child.send(plan);
  const line = await anchor;
  child.unref();
  child.channel?.unref();
  return line;
}

/**
 * `hermetic serve` as a process: started, killed, started again, and measured from
 * outside.
 */
export class Served {
  #child: ChildProcess | undefined;
  readonly #log: WriteStream;
  /** The time from each kill to the first answer after the restart. */
  readonly restarts: { readonly from: number; to: number }[] = [];
  maxRss = 0;
  /** The number of unexpected ends of the process. */
  died = 0;
  #ended = false;

  constructor(
    private readonly plan: Plan,
    private readonly nodeOptions: readonly string[] = [],
  ) {
    this.#log = createWriteStream(join(plan.folder, 'daemon.log'), { flags: 'a' });
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const args = [
      'dist/src/cli/main.js',
      'serve',
      '--config',
      join(this.plan.folder, 'hermetic.yaml'),
    ];
    const child = spawn(process.execPath, [...this.nodeOptions, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...unitEnvironment() },
    });
    this.#ended = false;
    child.stdout.pipe(this.#log, { end: false });
    child.stderr.pipe(this.#log, { end: false });
    child.on('exit', () => {
      if (this.#child === child && !this.#ended) this.died++;
    });
    this.#child = child;
    const until = Date.now() + START;
    while (!(await isHealthy(this.plan.ports.metrics, 2000))) {
      if (Date.now() > until || child.exitCode !== null)
        throw new Error(`the daemon did not start: see ${join(this.plan.folder, 'daemon.log')}`);
      await sleep(20);
    }
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    this.#ended = true;
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return gone;
  }

  async killAndStart(): Promise<void> {
    const window = { from: Date.now(), to: Infinity };
    this.restarts.push(window);
    await this.end('SIGKILL');
    await this.start();
    window.to = Date.now();
  }

  reload(): void {
    this.#child?.kill('SIGHUP');
  }

  /** Octets of memory that the process held at the last sample. */
  rss = 0;

  sampleRss(): void {
    this.rss = statusOf(this.pid, 'VmRSS') * 1024;
    this.maxRss = Math.max(this.maxRss, this.rss);
  }

  /** Returns the number of open descriptors. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  logged(): string {
    return readFileSync(join(this.plan.folder, 'daemon.log'), 'utf8');
  }
}

/** Returns a number of /proc/PID/status, or 0 if it is missing. */
function statusOf(pid: number, field: string): number {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Runs a role in a separate process. Rejects if that process ends without a report. */
export function startRole(role: string, plan: Plan): Promise<RoleReport> {
  // Attackers represent other machines: only their requests may load the daemon, not
  // their CPU time.
  const nice = role in attackers && {
    execPath: 'nice',
    execArgv: ['-n', '19', process.execPath],
  };
  const child = fork('dist/tools/siege/worker.js', { stdio: 'inherit', ...nice });
  child.send({ role, plan });
  return new Promise((resolve, reject) => {
    child.once('message', (report: RoleReport) => resolve(report));
    child.once('exit', (code) => reject(new Error(`${role} ended with ${code}`)));
    // Every role ends soon after its plan.
    setTimeout(() => child.kill('SIGKILL'), (plan.seconds + 120) * 1000).unref();
  });
}

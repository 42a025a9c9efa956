import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unwrap } from '../src/base/index.js';
import { parseTrustAnchors } from '../src/dns/index.js';
import type { SyntheticCounts } from '../src/lab/index.js';
import {
  liveWork,
  loadList,
  migrate,
  openCluster,
  runWorker,
  scanNumbered,
  scanProgress,
  startScan,
  type Database,
  type ScanWork,
} from '../src/scan/index.js';
import { parsePemBundle, trustStore } from '../src/x509/index.js';
import { writeResults } from './results-file.js';

/** Domains of the scan, without an argument. */
const DOMAINS = 5000;
/** Share of domains that change before the second scan. */
const CHANGING = 0.01;

interface Started {
  readonly resolver: { readonly address: string; readonly port: number };
  readonly smtpPort: number;
  readonly httpsPort: number;
  readonly anchorLine: string;
  readonly rootPem: string;
}

type ServerCounts = SyntheticCounts & { readonly cpuMs: number };

interface Measured {
  readonly seconds: number;
  readonly workerMs: number;
  readonly serverMs: number;
  readonly counts: ServerCounts;
  /** CPU time of the mail servers, policy hosts and DNS, in milliseconds. */
  readonly internetMs: number;
  /** Visited pairs of address and host with a policy or TLSA records. */
  readonly matter: number;
  readonly inferred: number;
  readonly inference: { readonly checked: number; readonly wrong: number };
  readonly shapes: number;
  readonly megabytes: number;
}

/**
 * Scans a synthetic internet: the first time, and again after some domains changed. All
 * parts share one machine; the CPU time of each is counted apart.
 */
export async function bench([given]: readonly string[]): Promise<void> {
  const domains = given === undefined ? DOMAINS : Number(given);
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-scan-'));
  chmodSync(folder, 0o755);
  const list = join(folder, 'list.txt');
  const internet = fork(join(import.meta.dirname, 'scan-internet.js'), [
    ...[String(domains), String(CHANGING), list],
  ]);
  const starting = answer<Started>(internet);
  const cluster = await openCluster(join(folder, 'scans'), { create: true });
  const database = await cluster.open();
  try {
    await migrate(database);
    const started = await starting;
    const data = join(folder, 'scans', 'data');
    const run = async (name: string): Promise<Measured> => {
      const { id } = await loadList(database, { file: list, name });
      return scan({ database, internet, started, data }, await startScan(database, id));
    };
    const first = await run('first');
    internet.send('change');
    const { changed } = await answer<{ readonly changed: number }>(internet);
    const second = await run('second');
    report(domains, { first, second, changed, changes: await countChanges(database) });
  } finally {
    internet.kill();
    await database.close();
    await cluster.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T];
  return message;
}

interface Machine {
  readonly database: Database;
  readonly internet: ChildProcess;
  readonly started: Started;
  readonly data: string;
}

async function scan(machine: Machine, id: number): Promise<Measured> {
  const { database, internet, data } = machine;
  internet.send('counts');
  const { cpuMs } = await answer<ServerCounts>(internet);
  const stop = new AbortController();
  const before = { worker: process.cpuUsage(), server: serverMs(data), at: performance.now() };
  const worker = runWorker({
    database,
    work: workOf(machine.started),
    signal: stop.signal,
    rules: { spacingMs: 0, dailyBudget: 1e6, connectionsPerSecond: 5000, maxTimeouts: 1 },
    onError: (error) => console.error(error.message),
  });
  while ((await scanNumbered(database, id)).state !== 'done')
    await new Promise((done) => setTimeout(done, 250));
  const seconds = (performance.now() - before.at) / 1000;
  const { user, system } = process.cpuUsage(before.worker);
  const server = serverMs(data) - before.server;
  const megabytes = process.memoryUsage().rss / 1e6;
  stop.abort();
  await worker;
  internet.send('counts');
  const counts = await answer<ServerCounts>(internet);
  const { shapes, inference, visits } = await scanProgress(database, id);
  return {
    ...{ seconds, counts, shapes, megabytes, inference, inferred: visits.inferred },
    internetMs: counts.cpuMs - cpuMs,
    matter: await countMatter(database),
    workerMs: (user + system) / 1000,
    serverMs: server,
  };
}

function workOf({ resolver, smtpPort, httpsPort, anchorLine, rootPem }: Started): ScanWork {
  return liveWork({
    upstreams: [{ label: 'synthetic', ...resolver, transport: 'tcp' }],
    anchors: unwrap('anchor', parseTrustAnchors(anchorLine), ''),
    trustStore: trustStore(unwrap('root', parsePemBundle(rootPem), '')),
    smtpPort,
    httpsPort,
    maxRests: 0,
  });
}

/** CPU time of the PostgreSQL server and its processes, in milliseconds. */
function serverMs(data: string): number {
  const [pid = ''] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  const processes = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return processes.reduce((sum, entry) => {
    const fields = statOf(entry);
    if (!fields) return sum;
    const [parent = '', ticks] = [fields[1], fields.slice(11, 15).map(Number)];
    const [user = 0, system = 0, ended = 0, endedSystem = 0] = ticks;
    // Sessions that ended count as children of the server.
    if (entry === pid) return sum + 10 * (user + system + ended + endedSystem);
    return parent === pid ? sum + 10 * (user + system) : sum;
  }, 0);
}

/** The fields of /proc/PID/stat after the name of the program. */
function statOf(pid: string): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

async function countMatter(database: Database): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(*) AS n FROM hermetic_scan.visit WHERE required AND state = 1',
  );
  return row?.n ?? 0;
}

async function countChanges(database: Database): Promise<number> {
  const [row] = await database.query<{ n: number }>(
    'SELECT count(DISTINCT domain_id) AS n FROM hermetic_scan.change',
  );
  return row?.n ?? 0;
}

interface Runs {
  readonly first: Measured;
  readonly second: Measured;
  readonly changed: number;
  readonly changes: number;
}

function report(domains: number, { first, second, changed, changes }: Runs): void {
  const each = (value: number): number => value / domains;
  const { counts } = first;
  const allowed = Math.round(1.25 * counts.addresses + first.matter);
  const lines = [
    row('domains a second, wall clock', domains / first.seconds, '>= 250'),
    row('CPU of the worker a domain, ms', each(first.workerMs), ''),
    row('CPU of PostgreSQL a domain, µs', each(1000 * first.serverMs), '<= 100'),
    row('CPU of the synthetic servers a domain, ms', each(first.internetMs), ''),
    row('questions a domain, at the DNS server', each(counts.questions), '<= 6'),
    row('connections', counts.connections, `<= ${allowed}`),
    row('  addresses', counts.addresses, ''),
    row('  visits for a policy or TLSA records', first.matter, ''),
    row('  names inferred instead of visited', first.inferred, ''),
    row('  inferred names visited as a check', first.inference.checked, ''),
    row('  checks with another result', first.inference.wrong, ''),
    row('connections at the busiest address', counts.mostAtAddress, ''),
    row('connections at one address at the same time', counts.mostOpen, '<= 1'),
    row('sessions that ended with QUIT, share', counts.quits / counts.connections, ''),
    row('mail commands', counts.mailCommands, '<= 0'),
    row('shapes', first.shapes, ''),
    row('memory of the worker, MB', first.megabytes, '<= 400'),
    row(`second scan, ${changed} domains changed: changed rows`, changes, `<= ${changed}`),
    row(
      'second scan: connections, share of the first',
      second.counts.connections / counts.connections,
      '<= 0.2',
    ),
    row('second scan: domains a second', domains / second.seconds, ''),
  ];
  const table = ['| | measured | goal |', '| --- | ---: | ---: |', ...lines].join('\n');
  console.log(table);
  const intro =
    `One worker scans ${domains} domains of a synthetic internet with ${counts.addresses} addresses. ` +
    'The resolver is asked over one TCP connection (`tcp://`). ' +
    'Worker, servers, DNS and PostgreSQL share the two cores of the machine.';
  writeResults('scan: `npm run bench -- scan`', `${intro}\n\n${table}`);
}

function row(what: string, value: number, goal: string): string {
  const [, sign, limit = ''] = /^([<>]=) (.*)$/.exec(goal) ?? [];
  const isMissed =
    (sign === '<=' && value > Number(limit)) || (sign === '>=' && value < Number(limit));
  if (isMissed) process.exitCode = 1;
  const digits = value < 10 ? 2 : 0;
  return `| ${what} | ${value.toFixed(digits)}${isMissed ? ' NOT REACHED' : ''} | ${goal} |`;
}

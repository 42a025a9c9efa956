import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepHeapSmall, unwrap } from '../src/base/index.js';
import { parseTrustAnchors } from '../src/dns/index.js';
import type { SyntheticCounts } from '../src/lab/index.js';
import {
  liveWork,
  loadList,
  migrate,
  openCluster,
  politeness,
  runWorker,
  scanNumbered,
  scanProgress,
  startScan,
  type Database,
  type Politeness,
  type ScanWork,
} from '../src/scan/index.js';
import { parsePemBundle, trustStore } from '../src/x509/index.js';
import { writeResults } from './results-file.js';
import { StackSampler } from './stack-sampler.js';
import {
  cpuBetween,
  logStatementCpu,
  serverCpu,
  serverPid,
  statementCosts,
  tableWrites,
  type ServerCpu,
} from './server-cpu.js';

/** The number of domains in a scan without an argument. */
const DOMAINS = 5000;
/** Share of domains that change before the second scan. */
const CHANGING = 0.01;
/**
 * Rate of internet.nl per second and core: 166 domains a minute on four cores
 * (Internet.nl #1793).
 */
const PEER = 166 / 60 / 4;
/** Without pauses, a scan is as fast as lookups, visits and PostgreSQL permit. */
const NO_PAUSES: Partial<Politeness> = {
  spacingMs: 0,
  dailyBudget: 1e6,
  connectionsPerSecond: 5000,
  maxTimeouts: 1,
};
/** Statements that `--statements` prints. */
const MAX_STATEMENTS = 60;

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
  /** CPU time of PostgreSQL in milliseconds, by the kind of process. */
  readonly server: ServerCpu;
  readonly counts: ServerCounts;
  /** CPU time of the mail servers, policy hosts and DNS, in milliseconds. */
  readonly internetMs: number;
  /** Share of the worker's CPU time in its validating resolver. */
  readonly resolverShare: number;
  /** Visited pairs of address and host with a policy or TLSA records. */
  readonly matter: number;
  readonly inferred: number;
  readonly inference: { readonly checked: number; readonly wrong: number };
  readonly shapes: number;
  readonly megabytes: number;
}

/**
 * Scans a synthetic internet: the first time, and again after some domains changed. All
 * parts share one machine; the benchmark counts the CPU time of each part separately. The
 * last column shows whether the value is within its limit.
 *
 * - `--first`: only the first scan; `100000 --first` takes about six minutes
 * - `--doubled`: half of the domains at all mail hosts, then all domains at the same hosts,
 *   with the pauses of `hermetic worker`; the other scans run without pauses
 * - `--statements`: the CPU time of PostgreSQL by statement
 */
export async function bench(args: readonly string[]): Promise<void> {
  const given = args.find((argument) => /^\d+$/.test(argument));
  const isDetailed = args.includes('--statements');
  const isDoubled = args.includes('--doubled');
  const rules = isDoubled ? politeness : NO_PAUSES;
  const domains = given === undefined ? DOMAINS : Number(given);
  // The heap stays small, as in `hermetic worker`.
  keepHeapSmall();
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-scan-'));
  chmodSync(folder, 0o755);
  const list = join(folder, 'list.txt');
  const half = join(folder, 'half.txt');
  const openInternet = (): ChildProcess =>
    fork(join(import.meta.dirname, 'scan-internet.js'), [
      ...[String(domains), String(CHANGING), list, half],
    ]);
  let internet = openInternet();
  let starting = answer<Started>(internet);
  const cluster = await openCluster(join(folder, 'scans'), { create: true });
  let database = await cluster.open();
  // A stopped benchmark leaves no server running.
  process.once('SIGTERM', () => {
    internet.kill();
    process.kill(serverPid(join(folder, 'scans', 'data')), 'SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
    process.exit(143);
  });
  try {
    await migrate(database);
    if (isDetailed) await logStatementCpu(database);
    const data = join(folder, 'scans', 'data');
    const run = async (name: string, file = list): Promise<Measured> => {
      const started = await starting;
      const { id } = await loadList(database, { file, name });
      const machine = { database, internet, started, data, rules };
      return scan(machine, await startScan(database, id));
    };
    if (isDoubled) {
      const before = await run('half', half);
      internet.kill();
      await database.execute(
        'DROP SCHEMA hermetic_scan CASCADE; DROP SCHEMA hermetic_jobs CASCADE',
      );
      // Prepared statements of the old connections would refer to the dropped tables.
      await database.close();
      database = await cluster.open();
      await migrate(database);
      internet = openInternet();
      starting = answer<Started>(internet);
      reportDoubled(domains, before, await run('all'));
      return;
    }
    const first = await run('first');
    internet.send('share');
    const { share: dnsShare } = await answer<{ readonly share: number }>(internet);
    if (isDetailed) {
      await reportStatements(join(folder, 'scans', 'server.log'), first, domains);
      console.table(await tableWrites(database));
      return;
    }
    if (args.includes('--first')) {
      report(domains, { first, dnsShare });
      return;
    }
    internet.send('change');
    const { changed } = await answer<{ readonly changed: number }>(internet);
    const second = await run('second');
    const changes = await countChanges(database);
    report(domains, { first, dnsShare, second, changed, changes });
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
  readonly rules: Partial<Politeness>;
}

async function scan(machine: Machine, id: number): Promise<Measured> {
  const { database, internet, data, rules } = machine;
  internet.send('counts');
  const { cpuMs } = await answer<ServerCounts>(internet);
  const stop = new AbortController();
  const sampler = new StackSampler();
  await sampler.start();
  const before = { worker: process.cpuUsage(), server: serverCpu(data), at: performance.now() };
  const worker = runWorker({
    database,
    work: workOf(machine.started),
    signal: stop.signal,
    rules,
    onError: (error) => console.error(error.message),
  });
  while ((await scanNumbered(database, id)).state !== 'done')
    await new Promise((done) => setTimeout(done, 1000));
  const seconds = (performance.now() - before.at) / 1000;
  const { user, system } = process.cpuUsage(before.worker);
  const server = cpuBetween(before.server, serverCpu(data));
  const megabytes = process.memoryUsage().rss / 1e6;
  const resolverShare = await sampler.stop(/\/src\/dns\//);
  stop.abort();
  await worker;
  internet.send('counts');
  const counts = await answer<ServerCounts>(internet);
  const { shapes, inference, visits } = await scanProgress(database, id);
  return {
    ...{ seconds, counts, shapes, megabytes, inference, inferred: visits.inferred },
    resolverShare,
    internetMs: counts.cpuMs - cpuMs,
    matter: await countMatter(database),
    workerMs: (user + system) / 1000,
    server,
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

/** Prints the CPU time of the server by process and by statement, in µs a domain. */
async function reportStatements(log: string, first: Measured, domains: number): Promise<void> {
  const each = (ms: number): string => ((1000 * ms) / domains).toFixed(1).padStart(7);
  for (const [kind, ms] of Object.entries(first.server)) console.log(each(ms), kind);
  console.log(
    `${(domains / first.seconds).toFixed(0)} domains/s, ${first.megabytes.toFixed(0)} MB`,
  );
  for (const { text, calls, ms, planMs } of (await statementCosts(log)).slice(0, MAX_STATEMENTS))
    console.log(each(ms), each(planMs), String(calls).padStart(6), text.slice(0, 160));
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
  /** Share of the CPU time of the synthetic servers in their DNS. */
  readonly dnsShare: number;
  /** The scan after some domains changed; absent with `--first`. */
  readonly second?: Measured;
  readonly changed?: number;
  readonly changes?: number;
}

function report(domains: number, runs: Runs): void {
  const { first, dnsShare, second, changed = 0, changes = 0 } = runs;
  const each = (value: number): number => value / domains;
  const { counts } = first;
  const perCore = domains / first.seconds / availableParallelism();
  const allowed = Math.round(1.25 * counts.addresses + first.matter);
  const lines = [
    row('domains a second, wall clock', domains / first.seconds, '>= 250'),
    row('the same for each core, of the published rate of internet.nl', perCore / PEER, '>= 80'),
    row('CPU of the worker a domain, ms', each(first.workerMs), ''),
    row('  of it in its validating resolver', each(first.workerMs) * first.resolverShare, ''),
    row('CPU of PostgreSQL a domain, µs', each(1000 * (first.server['all'] ?? 0)), '<= 100'),
    row('CPU of the synthetic servers a domain, ms', each(first.internetMs), ''),
    row('  of it in their DNS', each(first.internetMs) * dnsShare, ''),
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
  ];
  if (second)
    lines.push(
      row(`second scan, ${changed} domains changed: changed rows`, changes, `<= ${changed}`),
      row(
        'second scan: connections, share of the first',
        second.counts.connections / counts.connections,
        '<= 0.2',
      ),
      row('second scan: domains a second', domains / second.seconds, ''),
    );
  const table = tableOf(lines);
  console.log(table);
  const intro =
    `One worker scans ${domains} domains of a synthetic internet with ${counts.addresses} addresses. ` +
    'The resolver is asked over one TCP connection (`tcp://`). ' +
    'Worker, servers, DNS and PostgreSQL share the two cores of the machine.';
  writeResults('scan: `npm run bench -- scan`', `${intro}\n\n${table}`);
}

/** Writes the cost of twice as many domains at the same mail hosts. */
function reportDoubled(domains: number, before: Measured, after: Measured): void {
  const halfOf = Math.floor(domains / 2);
  const table = tableOf([
    row(`seconds for ${halfOf} domains`, before.seconds, ''),
    row(`seconds for ${domains} domains at the same mail hosts`, after.seconds, ''),
    row('times as long', after.seconds / before.seconds, '<= 1.45'),
    row('connections, times as many', after.counts.connections / before.counts.connections, ''),
    row('CPU of the worker, times as much', after.workerMs / before.workerMs, ''),
  ]);
  console.log(table);
  const intro =
    `Two scans with the pauses of \`hermetic worker\`: ${politeness.spacingMs / 1000} seconds between two ` +
    'connections to one address. The pauses set the time, since each address is visited alike. ' +
    'The CPU time grows with the lookups and grades of the names.';
  writeResults('scan-doubled: `npm run bench -- scan 20000 --doubled`', `${intro}\n\n${table}`);
}

function tableOf(lines: readonly string[]): string {
  return ['| | measured | goal | |', '| --- | ---: | ---: | --- |', ...lines].join('\n');
}

function row(what: string, value: number, goal: string): string {
  const [, sign, limit = ''] = /^([<>]=) (.*)$/.exec(goal) ?? [];
  const isMissed =
    (sign === '<=' && value > Number(limit)) || (sign === '>=' && value < Number(limit));
  if (isMissed) process.exitCode = 1;
  const digits = value < 10 ? 2 : 0;
  const held = isMissed ? 'misses' : 'holds';
  return `| ${what} | ${value.toFixed(digits)} | ${goal} | ${goal === '' ? '' : held} |`;
}

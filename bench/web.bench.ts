import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { labOptions } from '../src/cli/lab.js';
import { createLab, scenariosFor } from '../src/lab/index.js';
import { openStore } from '../src/store/index.js';
import { prepareReports } from '../src/tls-rpt-receive/index.js';
import { FakeClock } from '../test/support/fake-clock.js';
import { TestPages } from '../test/support/testing-pages.js';
import { median } from './median.js';
import { multiplyReports } from './multiply-reports.js';
import { endOfReports, fillReports } from './reports.bench.js';
import { writeResults } from './results-file.js';
import { requestFor, startLoad } from './socketmap/load.js';
import type { Usage } from './socketmap/usage.js';
import type { Started } from './web/our-server.js';

/** Limits: share of the bare value, mebibytes, milliseconds of CPU, octets. */
const LIMITS = { share: 1.1, streams: 50, home: 20, report: 1, gzip: 10_000, script: 5000 };
const FLOOD = 1000;
const ROUNDS = 7;
const WINDOW_MS = 1500;
const STREAMS = 1000;
/** Reports that pass the intake; more are copies of those of a month (`--reports 10000000`). */
const LARGEST_INTAKE = 2_000_000;
const REPORT_DAYS = 30;

type Say = (line: string) => void;

/**
 * Measures the pages: their effect on the other ports under load, the memory of streams,
 * and the cost of the overview and of a report.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      reports: { type: 'string' },
      domains: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const reports = Number(values.reports ?? 1_000_000);
  const domains = Number(values.domains ?? 10_000);
  const lines: string[] = [];
  const say: Say = (line) => {
    lines.push(line);
    console.log(line);
  };
  const parts = {
    load: () => load(say),
    report: () => reportPage(say),
    home: () => home(say, reports, domains),
  };
  const { only } = values;
  for (const [name, part] of Object.entries(parts)) if ((only ?? name) === name) await part();
  if (only === undefined && reports === 1_000_000)
    writeResults('web: `npm run bench -- web`', lines.join('\n'));
}

/** A line with a value and its limit; a value above it fails the run. */
function judge(say: Say, what: string, value: number, limit: number): void {
  const isMet = value <= limit;
  if (!isMet) process.exitCode = 1;
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
  say(`- ${what}: ${shown} (at most ${limit}${isMet ? '' : '; **not reached**'})`);
}

/** A row of the table: medians without and with load, and how much worse the second is. */
function compare(
  say: Say,
  what: string,
  [bare, flooded]: readonly [number, number],
  better: 'smaller' | 'larger',
): void {
  const ratio = better === 'smaller' ? flooded / bare : bare / flooded;
  const isMet = ratio <= LIMITS.share;
  if (!isMet) process.exitCode = 1;
  const shown = (value: number): string => value.toFixed(value >= 100 ? 0 : 2);
  const verdict = isMet ? `${LIMITS.share}` : `${LIMITS.share}, **not reached**`;
  say(`| ${what} | ${shown(bare)} | ${shown(flooded)} | ${ratio.toFixed(2)} | ${verdict} |`);
}

/** Policy host and socketmap with and without a flood of page requests, by turns. */
async function load(say: Say): Promise<void> {
  const child = fork(join(import.meta.dirname, 'web/our-server.js'));
  try {
    const { pages, policies, map, check } = await messageOf<Started>(child);
    const bare: Round[] = [];
    const flooded: Round[] = [];
    const usage = usageOf(child);
    const answers = new Map<number, number>();
    let [sent, seconds] = [0, 0];
    for (let round = 0; round <= ROUNDS; round++)
      for (const found of [bare, flooded]) {
        const flood =
          found === flooded
            ? fork(join(import.meta.dirname, 'web/flood.js'), [`${pages}`, `${FLOOD}`, check])
            : undefined;
        if (flood) await sleep(500);
        const p99 = await policyDelay(policies);
        const lookups = await measureLookups(map, usage);
        if (flood) {
          const ended = messageOf<Flooded>(flood);
          flood.send('end');
          const result = await ended;
          sent += result.sent;
          seconds += result.seconds;
          for (const [status, count] of result.answered)
            answers.set(status, (answers.get(status) ?? 0) + count);
        }
        // The first round warms both sides.
        if (round === 0) continue;
        found.push({ p99, ...lookups });
      }
    const of = (pick: keyof Round): readonly [number, number] => [
      median(bare.map((round) => round[pick])),
      median(flooded.map((round) => round[pick])),
    ];
    const counts = [...answers].map(([status, count]) => `${count} with ${status}`).join(', ');
    say(
      `${(sent / seconds).toFixed(0)} page requests a second with a full queue of checks, ${ROUNDS} rounds by turns. Answers: ${counts || 'none'}; the others wait unread.\n`,
    );
    say('| | without load | with load | ratio | limit |');
    say('| --- | ---: | ---: | ---: | ---: |');
    compare(say, 'policy host, p99 in ms', of('p99'), 'smaller');
    compare(say, 'socketmap, lookups a second', of('rate'), 'larger');
    compare(say, 'socketmap, lookups per CPU-second', of('perCpu'), 'larger');
    say('');
    await streams(say, usage, pages, check);
  } finally {
    child.kill();
  }
}

/** The figures of one round. */
interface Round {
  /** Milliseconds. */
  readonly p99: number;
  /** Lookups a second, by the clock and by the CPU time of the process. */
  readonly rate: number;
  readonly perCpu: number;
}

interface Flooded {
  readonly seconds: number;
  readonly sent: number;
  readonly answered: readonly (readonly [status: number, count: number])[];
}

async function messageOf<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T];
  return message;
}

/** Milliseconds within which 99 of 100 policies arrive, at 200 requests a second. */
async function policyDelay(port: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const headers = { host: 'mta-sts.example.com' };
  const delays: number[] = [];
  const ask = (): void => {
    const began = performance.now();
    get({ port, host: '127.0.0.1', path: '/.well-known/mta-sts.txt', agent, headers }, (found) => {
      found.resume().once('end', () => delays.push(performance.now() - began));
    }).on('error', () => delays.push(Infinity));
  };
  for (const end = performance.now() + WINDOW_MS; performance.now() < end;) {
    ask();
    await sleep(5);
  }
  await sleep(100);
  agent.destroy();
  return delays.sort((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? NaN;
}

/** Warm lookups by the clock, and by the CPU time of the whole process. */
async function measureLookups(
  port: number,
  usage: () => Promise<Usage>,
): Promise<Pick<Round, 'rate' | 'perCpu'>> {
  const requests = Array.from({ length: 100 }, (_, n) => requestFor('hermetic', `d${n}.example`));
  const running = await startLoad({ port, connections: 10, depth: 1, requests });
  await sleep(100);
  const [before, answered, began] = [await usage(), running.answered, performance.now()];
  await sleep(WINDOW_MS);
  const [after, count] = [await usage(), running.answered - answered];
  const seconds = (performance.now() - began) / 1000;
  running.stop();
  return { rate: count / seconds, perCpu: (count * 1e6) / (after.cpu - before.cpu) };
}

/** The usage of a server process. */
function usageOf(child: ChildProcess): () => Promise<Usage> {
  return () => {
    const found = messageOf<Usage>(child);
    child.send('usage');
    return found;
  };
}

/** Resident memory of streams of a running check. */
async function streams(
  say: Say,
  usage: () => Promise<Usage>,
  port: number,
  check: string,
): Promise<void> {
  await sleep(6000);
  const before = await usage();
  const agent = new Agent({ maxSockets: STREAMS });
  const headers = { host: 'check.example' };
  const path = `${check}/events`;
  let open = 0;
  let asked = 0;
  const ask = (): void => {
    asked++;
    get({ port, host: '127.0.0.1', path, agent, headers }, (found) => {
      if (found.statusCode === 200) found.once('data', () => open++);
      else asked--;
      found.on('error', () => undefined).resume();
    }).on('error', () => asked--);
  };
  // Visitors arrive as fast as the share of public pages admits them.
  for (let n = 0; n < 600 && open < STREAMS; n++) {
    while (asked < STREAMS && asked - open < 20) ask();
    await sleep(100);
  }
  await sleep(1000);
  const after = await usage();
  agent.destroy();
  judge(
    say,
    `resident memory of ${open} open streams, MiB`,
    (after.rss - before.rss) / 1_048_576,
    LIMITS.streams,
  );
  if (open < STREAMS) process.exitCode = 1;
}

/** CPU milliseconds of one call, the median of many. */
async function cpuOf(call: () => Promise<unknown>, times: number): Promise<number> {
  const spent: number[] = [];
  for (let n = 0; n < times; n++) {
    const { user, system } = process.cpuUsage();
    await call();
    const after = process.cpuUsage();
    spent.push((after.user - user + after.system - system) / 1000);
  }
  return median(spent);
}

const cleanups: (() => unknown)[] = [];
const testContext = { after: (end: () => unknown) => void cleanups.push(end) } as never;

async function cleanUp(): Promise<void> {
  for (const end of cleanups.splice(0)) await end();
}

async function reportPage(say: Say): Promise<void> {
  const domain = 'good.example';
  const lab = await createLab({ scenarios: scenariosFor([domain]) });
  const site = await TestPages.open(testContext, {}, { checkOptions: () => labOptions(lab) });
  const first = await site.text('/');
  const script = await site.text(/\/assets\/live-[0-9a-f]+\.js/.exec(first)?.[0] ?? '');
  const path = await site.checked(domain);
  const page = await site.text(path);
  // The port of the operator: public requests wait for their share.
  const ask = async (): Promise<string> => {
    const response = await site.ask(path, { operator: true, from: '127.0.0.1' });
    return response.text();
  };
  for (let n = 0; n < 200; n++) await ask();
  judge(say, 'CPU of a report page, ms', await cpuOf(ask, 300), LIMITS.report);
  judge(say, 'octets of a report page by gzip', gzipSync(page).length, LIMITS.gzip);
  judge(say, 'octets of the script', script.length, LIMITS.script);
  await cleanUp();
  await lab.close();
}

/** The overview of many domains: each request, and the list that it reuses for a minute. */
async function home(say: Say, reports: number, domains: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-'));
  cleanups.push(() => rmSync(folder, { recursive: true }));
  const isLarge = reports > LARGEST_INTAKE;
  const store = await openStore(isLarge ? join(folder, 'reports.db') : ':memory:');
  prepareReports(store);
  const received = isLarge ? Math.min(reports, domains * REPORT_DAYS) : reports;
  await fillReports(store, received, domains, 'signed');
  multiplyReports(store, Math.ceil(reports / received));
  const { count } = store
    .prepare<{ count: number }>('SELECT count(*) AS count FROM report')
    .get() ?? { count: 0 };
  const clock = new FakeClock(endOfReports, 'wait');
  const site = await TestPages.open(testContext, {}, { store, clock });
  const ask = async (): Promise<string> => {
    const response = await site.ask('/o', { operator: true, from: '127.0.0.1' });
    return response.text();
  };
  const page = await ask();
  if (!page.includes(`${domains} domains`))
    throw new Error(`the overview says ${/class="lead">([^<]*)/.exec(page)?.[1]}`);
  for (let n = 0; n < 20; n++) await ask();
  say(`\nOverview of ${domains} domains with ${count.toLocaleString('en')} reports:\n`);
  judge(say, 'CPU of a request, ms', await cpuOf(ask, 50), LIMITS.home);
  const list = await cpuOf(() => {
    clock.move(61_000);
    return ask();
  }, 5);
  say(`- CPU of the list, once a minute: ${list.toFixed(0)} ms, in turns with other work`);
  await cleanUp();
}

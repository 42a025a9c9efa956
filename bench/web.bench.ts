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
import { measureLoad, startServer, usageOf, type LoadFigures } from './web/load.js';

/** Limits: share of the bare value, mebibytes, milliseconds of CPU, octets. */
const LIMITS = { share: 1.1, streams: 50, home: 20, report: 1, gzip: 10_000, script: 5000 };
const STREAMS = 1000;
/**
 * Reports that pass the intake; further ones are copies of a month (`--reports
 * 10000000`).
 */
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

/** Prints a value and its limit on one line; a value above the limit fails the run. */
function judge(say: Say, what: string, value: number, limit: number): void {
  const isMet = value <= limit;
  if (!isMet) process.exitCode = 1;
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
  say(`- ${what}: ${shown} (at most ${limit}${isMet ? '' : '; **not reached**'})`);
}

/**
 * Measures policy host and socketmap, alternately with and without a flood of page
 * requests.
 */
async function load(say: Say): Promise<void> {
  const { figures, flood, rounds } = await measureLoad();
  const { sent, seconds, answered } = flood;
  const counts = answered.map(([status, count]) => `${count} with ${status}`).join(', ');
  say(
    [
      `250 networks requested ${(sent / seconds).toFixed(0)} pages a second, each on a new connection.`,
      `The queue of checks was full. The figures are medians of ${rounds} alternating rounds.`,
      `Answers: ${counts || 'none'}; the others wait unread.\n`,
    ].join(' '),
  );
  say(`| | ${Object.keys(figures).join(' | ')} | ratio | limit |`);
  say('| --- | ---: | ---: | ---: | ---: | ---: |');
  const { 'flood of another process': control, 'flood of pages': pages } = figures;
  const shown = (value: number): string => value.toFixed(value >= 100 ? 0 : 2);
  const row = (what: string, pick: keyof LoadFigures, ratio?: number): void => {
    const cells = Object.values(figures).map((each) => shown(each[pick]));
    const isMet = ratio === undefined || ratio <= LIMITS.share;
    if (!isMet) process.exitCode = 1;
    const limit = isMet ? `${LIMITS.share}` : `${LIMITS.share}, **not reached**`;
    const end = ratio === undefined ? ['', ''] : [ratio.toFixed(2), limit];
    say(`| ${[what, ...cells, ...end].join(' | ')} |`);
  };
  row('policy host, median in ms', 'p50', pages.p50 / control.p50);
  row('policy host, p99 in ms', 'p99', pages.p99 / control.p99);
  row('socketmap, lookups a second', 'rate', control.rate / pages.rate);
  row('CPU of the process, share of a core', 'cpu');
  say('');
  await streams(say);
}

/** Measures the resident memory of the streams of a running check. */
async function streams(say: Say): Promise<void> {
  // Live pages may use half of the connections of a port.
  const [server, { pages: port, check }] = await startServer(2 * STREAMS);
  await sleep(2000);
  const before = await usageOf(server);
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
  const began = performance.now();
  // Visitors arrive at the maximum rate that public pages accept.
  for (let n = 0; n < 900 && open < STREAMS; n++) {
    while (asked < STREAMS && asked - open < 20) ask();
    await sleep(100);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  await sleep(1000);
  const after = await usageOf(server);
  agent.destroy();
  server.kill();
  const used = (after.rss - before.rss) / 1_048_576;
  judge(say, `resident memory of ${open} open streams, MiB`, used, LIMITS.streams);
  say(
    `- the share of public pages admitted them within ${seconds} s, with \`connections: ${2 * STREAMS}\``,
  );
  if (open < STREAMS) process.exitCode = 1;
}

/** Returns the CPU milliseconds of one call, the median of many. */
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
  // Uses the operator's port, because public requests are rate-limited.
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

/**
 * Measures the overview of many domains: the cost of each request, and of the list that
 * is cached for a minute.
 */
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

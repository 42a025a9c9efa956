import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import PostalMime from 'postal-mime';
import {
  openReports,
  showDomain,
  showOverview,
  storeReports,
  verifyDkim,
  type ReportTrust,
  type VerifiedItem,
} from '../src/tls-rpt-receive/index.js';
import { readItem } from '../src/tls-rpt-receive/read/read-item.js';
import { keyResolver, keyText, reportMail } from '../test/support/report/mail.js';
import { judgeTrust } from '../src/tls-rpt-receive/verify/judge-trust.js';
import { gatherFacts } from '../src/tls-rpt-receive/explain/gather-facts.js';
import { viewDomain } from '../src/tls-rpt-receive/explain/domain-view.js';
import { atOnce, type Steps } from '../src/tls-rpt-receive/explain/steps.js';
import type { ReportedFacts } from '../src/tls-rpt-receive/explain/facts.js';
import type { Store } from '../src/store/index.js';
import { median } from './median.js';
import { writeResults } from './results-file.js';

const dayMs = 86_400_000;
const first = Math.floor(Date.UTC(2026, 9, 1) / dayMs);
const days = 30;
const now = (first + days + 1) * dayMs;

/**
 * Returns a report with the sizes of real reports (402 to 2,129 octets of JSON, some
 * larger). Three in ten contain DANE in addition to MTA-STS, and one in ten contains
 * failures. Forty reporters send them.
 */
function report(n: number, domains: number): string {
  const day = new Date((first + (Math.floor(n / domains) % days)) * dayMs)
    .toISOString()
    .slice(0, 10);
  const domain = `d${n % domains}.example`;
  const reporter = `r${Math.floor(n / domains / days) % 40}.example`;
  const failed = n % 10 === 0 ? 3 + (n % 7) : 0;
  const summary = {
    'total-successful-session-count': 10 + (n % 1000),
    'total-failure-session-count': failed,
  };
  const sts = [
    'version: STSv1',
    'mode: enforce',
    `mx: mx1.${domain}`,
    `mx: mx2.${domain}`,
    'max_age: 604800',
  ];
  const failures = Array.from({ length: failed }, (_, i) => ({
    'result-type': n % 20 === 0 ? 'certificate-expired' : 'starttls-not-supported',
    'sending-mta-ip': `192.0.2.${(n + i) % 250}`,
    'receiving-mx-hostname': `mx1.${domain}`,
    'receiving-ip': '198.51.100.7',
    'failed-session-count': 1,
    'failure-reason-code': 'CERT_HAS_EXPIRED',
  }));
  const records = Array.from(
    { length: 4 },
    (_, i) => `3 1 1 ${((n % domains) * 4 + i).toString(16).padStart(64, 'a')}`,
  );
  return JSON.stringify({
    'organization-name': `Reporter ${reporter}`,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': `tls-reports@${reporter}`,
    'report-id': `${day}T00:00:00Z_${domain}_${n}`,
    policies: [
      {
        policy: {
          'policy-type': 'sts',
          'policy-string': sts,
          'policy-domain': domain,
          'mx-host': [`mx1.${domain}`, `mx2.${domain}`],
        },
        summary,
        ...(failed > 0 ? { 'failure-details': failures } : {}),
      },
      ...(n % 10 < 3
        ? [
            {
              policy: { 'policy-type': 'tlsa', 'policy-string': records, 'policy-domain': domain },
              summary: { ...summary, 'total-failure-session-count': 0 },
            },
          ]
        : []),
    ],
  });
}

/** Limits: the cost relative to the bare work, milliseconds per step, mebibytes. */
const LIMITS = { intake: 0.25, mail: 0.8, step: 20, mebibytes: 200 };

export async function bench(args: readonly string[]): Promise<void> {
  const count = Number(args.find((a) => /^\d+$/.test(a)) ?? 1_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-'));
  const lines: string[] = [];
  const say = (line: string): void => {
    lines.push(line);
    console.log(line);
  };
  try {
    await intake(folder, say);
    await mail(say);
    await questions(folder, count, say);
    await backfill(folder, count, say);
    if (count >= 1_000_000) writeResults('reports: `npm run bench -- reports`', lines.join('\n'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Say = (line: string) => void;

/** Returns the CPU seconds of this process with its threads. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/**
 * Measures the processing of bodies into durable rows with rollups, in groups of 1,000,
 * relative to gunzip and JSON.parse alone. Both run alternately; the result is the median
 * of nine rounds.
 */
async function intake(folder: string, say: Say): Promise<void> {
  const bodies = Array.from({ length: 5000 }, (_, n) => gzipSync(report(n, 500)));
  const size =
    Array.from({ length: 5000 }, (_, n) => report(n, 500).length).reduce((a, b) => a + b) / 5000;
  say(
    `Reports of ${size.toFixed(0)} octets on average, ${(bodies.reduce((n, b) => n + b.length, 0) / 5000).toFixed(0)} packed.\n`,
  );
  const ours: number[] = [];
  const limit: number[] = [];
  for (let round = 0; round < 9; round++) {
    let began = cpu();
    for (const body of bodies) JSON.parse(gunzipSync(body).toString());
    limit.push(cpu() - began);
    const store = await openReports(join(folder, `intake${round}.db`));
    began = cpu();
    for (let at = 0; at < bodies.length; at += 1000) {
      const readings = await Promise.all(
        bodies
          .slice(at, at + 1000)
          .map((body) => readItem(body, { name: 'body', via: 'https', peer: '192.0.2.1' })),
      );
      keep(
        store,
        readings.flatMap((r) => r.map((one) => judgeTrust(one, { at: now }))),
      );
    }
    ours.push(cpu() - began);
    store.close();
  }
  const [a, b] = [median(limit), median(ours)];
  say(
    `- body to durable row with its sums: ${rate(bodies.length, b)} a CPU-second, gunzip and JSON.parse alone ${rate(bodies.length, a)}: ${(a / b).toFixed(2)} (at least ${LIMITS.intake})`,
  );
}

function keep(store: Store, readings: readonly VerifiedItem[]): void {
  storeReports(
    store,
    readings.flatMap((reading) =>
      reading.parsed.ok ? [{ reading, parsed: reading.parsed.value, receivedAt: now }] : [],
    ),
  );
}

/**
 * Measures the processing of signed messages into rows, relative to mailauth and
 * postal-mime alone. Both run alternately, on new messages in each round; the result is
 * the median of nine rounds.
 */
async function mail(say: Say): Promise<void> {
  const [size, rounds] = [300, 9];
  const all = await Promise.all(
    Array.from({ length: size * rounds }, (_, n) =>
      reportMail({
        report: report(n, 200),
        signer: 'r0.example',
        from: 'tls-reports@r0.example',
        submitter: 'r0.example',
      }),
    ),
  );
  const resolver = keyResolver(['r0.example']);
  const store = await openReports(':memory:');
  const ours: number[] = [];
  const limit: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const mails = all.slice(round * size, (round + 1) * size);
    let began = cpu();
    for (const one of mails) {
      await dkimVerify(one, { resolver: async () => [[keyText]] });
      await PostalMime.parse(one);
    }
    limit.push(cpu() - began);
    began = cpu();
    const judged: VerifiedItem[] = [];
    for (const one of mails)
      for (const reading of await readItem(one, {
        name: 'mail',
        via: 'mail',
        verify: (m) => verifyDkim(m, resolver, now),
      }))
        judged.push(judgeTrust(reading, { at: now }));
    keep(store, judged);
    ours.push(cpu() - began);
    if (judged.some((j) => j.trust !== 'signed'))
      throw new Error(
        `not every message was verified: ${judged.find((j) => j.trust !== 'signed')?.detail}`,
      );
  }
  store.close();
  const [a, b] = [median(limit), median(ours)];
  say(
    `- signed mail to row: ${rate(size, b)} a CPU-second, mailauth and postal-mime alone ${rate(size, a)}: ${(a / b).toFixed(2)} (at least ${LIMITS.mail})`,
  );
}

/** Stores reports about some domains; the same number gives the same reports. */
export async function fillReports(
  store: Store,
  count: number,
  domains: number,
  trust?: ReportTrust,
): Promise<void> {
  for (let at = 0; at < count; at += 1000) {
    const bodies = Array.from({ length: Math.min(1000, count - at) }, (_, n) =>
      Buffer.from(report(at + n, domains)),
    );
    const readings = await Promise.all(
      bodies.map((body) => readItem(body, { name: 'body', via: 'https', peer: '192.0.2.1' })),
    );
    keep(
      store,
      readings.flatMap((r) =>
        r.map((one) => ({ ...judgeTrust(one, { at: now }), ...(trust && { trust }) })),
      ),
    );
  }
}

/** The end of the days of {@link fillReports}, milliseconds since 1970. */
export const endOfReports = now;

/**
 * Measures the CPU time of the views of `report show` over many reports: of the database,
 * of the conclusions and of the whole. The result is the best of seven runs.
 */
async function questions(folder: string, count: number, say: Say): Promise<void> {
  const file = join(folder, 'many.db');
  const store = await openReports(file);
  const domains = Math.max(1, Math.round(count / 1000));
  // Reports that do not count would leave the views empty.
  await fillReports(store, count, domains, 'signed');
  const time = (ask: () => unknown): number =>
    Math.min(
      ...Array.from({ length: 7 }, () => {
        const began = cpu();
        ask();
        return (cpu() - began) * 1000;
      }),
    );
  say(
    `\n${count.toLocaleString('en')} reports about ${domains} domains, ${(statSync(file).size / count).toFixed(0)} octets each on disk. CPU time of a view, in ms. Other work runs between its steps (each under ${LIMITS.step}):\n`,
  );
  say('| | 14 days | 30 days |');
  say('| --- | ---: | ---: |');
  const row = (what: string, ask: (days: number) => unknown): void =>
    say(`| ${what} | ${time(() => ask(14)).toFixed(1)} | ${time(() => ask(30)).toFixed(1)} |`);
  const last = first + days - 1;
  const factsOf = (over: Store, n: number) =>
    atOnce(
      gatherFacts(over, { domain: 'd0.example', from: last - n + 1, to: last, now, checks: [] }),
    );
  row('every domain (1, 14)', (n) => showOverview(store, { now, to: last * dayMs, days: n }));
  row('one domain: facts from the database', (n) => factsOf(store, n));
  const facts = new Map([14, 30].map((n) => [n, factsOf(store, n)]));
  row('one domain: conclusions from all of these', (n) =>
    atOnce(viewDomain(facts.get(n) as ReportedFacts)),
  );
  row('one domain: the whole view', (n) =>
    showDomain(store, 'd0.example', { now, to: last * dayMs, days: n }),
  );
  const longest = (n: number): string => {
    const steps = [
      gatherFacts(store, { domain: 'd0.example', from: last - n + 1, to: last, now, checks: [] }),
      viewDomain(facts.get(n) as ReportedFacts),
    ];
    return Math.max(...steps.map(longestStep)).toFixed(1);
  };
  say(`| one domain: longest step between two pauses | ${longest(14)} | ${longest(30)} |`);
  store.close();
}

/** Returns the CPU milliseconds of the longest step. */
function longestStep(steps: Steps<unknown>): number {
  for (let most = 0; ;) {
    const began = cpu();
    const { done } = steps.next();
    most = Math.max(most, (cpu() - began) * 1000);
    if (done === true) return most;
  }
}

/**
 * Prints the peak memory at the end. resourceUsage() starts with the value of the process
 * that forked this one, so the benchmark does not use it.
 */
const sayPeak = `import{readFileSync}from'node:fs';process.on('exit',()=>process.send(Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status','utf8'))[1])))`;

/** Imports reports from a pipe through the command and returns its peak memory. */
async function backfill(folder: string, count: number, say: Say): Promise<void> {
  const child = fork(
    join(import.meta.dirname, '../src/cli/main.js'),
    ['report', 'import', '--store', join(folder, 'import.db'), '-'],
    {
      stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
      execArgv: ['--import', `data:text/javascript,${sayPeak}`],
    },
  );
  const peak = new Promise<number>((resolve) =>
    child.once('message', (kib) => resolve((kib as number) / 1024)),
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdout?.resume();
  const began = performance.now();
  for (let n = 0; n < count; n++)
    if (child.stdin?.write(`${report(n, 1000)}\n`) === false)
      await new Promise((resolve) => child.stdin?.once('drain', resolve));
  child.stdin?.end();
  const mib = await peak;
  await ended;
  say(
    `\nImport of ${count.toLocaleString('en')} reports from a pipe: at most ${mib.toFixed(0)} MiB (under ${LIMITS.mebibytes}), ${rate(count, (performance.now() - began) / 1000)} a second by the clock.`,
  );
}

function rate(n: number, seconds: number): string {
  return Math.round(n / seconds).toLocaleString('en');
}

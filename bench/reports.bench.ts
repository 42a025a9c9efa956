import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import PostalMime from 'postal-mime';
import { openReports, showDomain, showOverview, storeReports, verifyDkim, type JudgedReading } from '../src/report/index.js';
import { readItem } from '../src/report/read/read-item.js';
import { keyResolver, keyText, reportMail } from '../src/report/testing-mail.js';
import { judgeTrust } from '../src/report/verify/judge-trust.js';
import type { Store } from '../src/store/index.js';

const dayMs = 86_400_000;
const first = Math.floor(Date.UTC(2026, 9, 1) / dayMs);
const days = 30;
const now = (first + days + 1) * dayMs;

/**
 * A report with the sizes of real ones (402 to 2,129 octets of JSON, some more): three in ten report DANE beside MTA-STS, one in ten has failures.
 * Forty reporters.
 */
function report(n: number, domains: number): string {
  const day = new Date((first + (Math.floor(n / domains) % days)) * dayMs).toISOString().slice(0, 10);
  const domain = `d${n % domains}.example`;
  const reporter = `r${Math.floor(n / domains / days) % 40}.example`;
  const failed = n % 10 === 0 ? 3 + (n % 7) : 0;
  const summary = { 'total-successful-session-count': 10 + (n % 1000), 'total-failure-session-count': failed };
  const sts = ['version: STSv1', 'mode: enforce', `mx: mx1.${domain}`, `mx: mx2.${domain}`, 'max_age: 604800'];
  const failures = Array.from({ length: failed }, (_, i) => ({
    'result-type': n % 20 === 0 ? 'certificate-expired' : 'starttls-not-supported',
    'sending-mta-ip': `192.0.2.${(n + i) % 250}`,
    'receiving-mx-hostname': `mx1.${domain}`,
    'receiving-ip': '198.51.100.7',
    'failed-session-count': 1,
    'failure-reason-code': 'CERT_HAS_EXPIRED',
  }));
  const records = Array.from({ length: 4 }, (_, i) => `3 1 1 ${((n % domains) * 4 + i).toString(16).padStart(64, 'a')}`);
  return JSON.stringify({
    'organization-name': `Reporter ${reporter}`,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': `tls-reports@${reporter}`,
    'report-id': `${day}T00:00:00Z_${domain}_${n}`,
    policies: [
      {
        policy: { 'policy-type': 'sts', 'policy-string': sts, 'policy-domain': domain, 'mx-host': [`mx1.${domain}`, `mx2.${domain}`] },
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

export async function bench(args: readonly string[]): Promise<void> {
  const count = Number(args.find((a) => /^\d+$/.test(a)) ?? 1_000_000);
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-'));
  try {
    await intake(folder);
    await mail();
    await questions(folder, count);
    await backfill(folder, count);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** CPU seconds of this process, its threads included. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** From the octets of bodies to durable rows with rollups, by groups of 1,000, beside gunzip and JSON.parse alone; best of five rounds each, by turns. */
async function intake(folder: string): Promise<void> {
  const bodies = Array.from({ length: 5000 }, (_, n) => gzipSync(report(n, 500)));
  const size = Array.from({ length: 5000 }, (_, n) => report(n, 500).length).reduce((a, b) => a + b) / 5000;
  console.log(`reports of ${size.toFixed(0)} octets on average, ${(bodies.reduce((n, b) => n + b.length, 0) / 5000).toFixed(0)} packed`);
  const ours: number[] = [];
  const limit: number[] = [];
  for (let round = 0; round < 5; round++) {
    let began = cpu();
    for (const body of bodies) JSON.parse(gunzipSync(body).toString());
    limit.push(cpu() - began);
    const store = await openReports(join(folder, `intake${round}.db`));
    began = cpu();
    for (let at = 0; at < bodies.length; at += 1000) {
      const readings = await Promise.all(
        bodies.slice(at, at + 1000).map((body) => readItem(body, { name: 'body', via: 'https', peer: '192.0.2.1' })),
      );
      keep(
        store,
        readings.flatMap((r) => r.map((one) => judgeTrust(one, { at: now }))),
      );
    }
    ours.push(cpu() - began);
    store.close();
  }
  const [a, b] = [Math.min(...limit), Math.min(...ours)];
  console.log(
    `body to durable row: ${rate(bodies.length, b)}, gunzip + JSON.parse ${rate(bodies.length, a)}: ratio ${(a / b).toFixed(2)} (at least 0.25)`,
  );
}

function keep(store: Store, readings: readonly JudgedReading[]): void {
  storeReports(
    store,
    readings.flatMap((reading) => (reading.parsed.ok ? [{ reading, parsed: reading.parsed.value, receivedAt: now }] : [])),
  );
}

/** From the octets of signed mails to rows, beside mailauth and postal-mime alone. */
async function mail(): Promise<void> {
  const mails = await Promise.all(
    Array.from({ length: 300 }, (_, n) =>
      reportMail({ report: report(n, 50), signer: 'r0.example', from: 'tls-reports@r0.example', submitter: 'r0.example' }),
    ),
  );
  const resolver = keyResolver(['r0.example']);
  const ours: number[] = [];
  const limit: number[] = [];
  for (let round = 0; round < 5; round++) {
    let began = cpu();
    for (const one of mails) {
      await dkimVerify(one, { resolver: async () => [[keyText]] });
      await PostalMime.parse(one);
    }
    limit.push(cpu() - began);
    const store = await openReports(':memory:');
    began = cpu();
    const judged: JudgedReading[] = [];
    for (const one of mails)
      for (const reading of await readItem(one, { name: 'mail', via: 'mail', verify: (m) => verifyDkim(m, resolver, now) }))
        judged.push(judgeTrust(reading, { at: now }));
    keep(store, judged);
    ours.push(cpu() - began);
    if (judged.some((j) => j.trust !== 'signed'))
      throw new Error(`not every mail was verified: ${judged.find((j) => j.trust !== 'signed')?.detail}`);
    store.close();
  }
  const [a, b] = [Math.min(...limit), Math.min(...ours)];
  console.log(
    `mail to row: ${rate(mails.length, b)}, mailauth + postal-mime ${rate(mails.length, a)}: ratio ${(a / b).toFixed(2)} (at least 0.8)`,
  );
}

/** Every question of `report show` over many reports: CPU of a whole view, best of five. */
async function questions(folder: string, count: number): Promise<void> {
  const file = join(folder, 'many.db');
  const store = await openReports(file);
  const domains = Math.max(1, Math.round(count / 1000));
  for (let at = 0; at < count; at += 1000) {
    const bodies = Array.from({ length: Math.min(1000, count - at) }, (_, n) => Buffer.from(report(at + n, domains)));
    const readings = await Promise.all(bodies.map((body) => readItem(body, { name: 'body', via: 'https', peer: '192.0.2.1' })));
    keep(
      store,
      readings.flatMap((r) => r.map((one) => judgeTrust(one, { at: now }))),
    );
  }
  const time = (what: string, ask: () => unknown): void => {
    const spent = Array.from({ length: 5 }, () => {
      const began = cpu();
      ask();
      return (cpu() - began) * 1000;
    });
    console.log(`${what}: ${Math.min(...spent).toFixed(1)} ms CPU (under 20 for each question)`);
  };
  console.log(`${count} reports about ${domains} domains, ${(statSync(file).size / count).toFixed(0)} octets each on disk`);
  time('all domains, 14 days (questions 1, 14)', () => showOverview(store, { now }));
  time('all domains, 30 days', () => showOverview(store, { now, days: 30 }));
  time('one domain, 14 days, every question at once (1 to 13)', () => showDomain(store, 'd0.example', { now }));
  time('one domain, 30 days, every question at once', () => showDomain(store, 'd0.example', { now, days: 30 }));
  store.close();
}

/** Import through the command, from a pipe: the largest memory it ever had. */
async function backfill(folder: string, count: number): Promise<void> {
  const child = fork(join(import.meta.dirname, '../src/cli/main.js'), ['report', 'import', '--store', join(folder, 'import.db'), '-'], {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
    execArgv: ['--import', `data:text/javascript,process.on('exit',()=>process.send(process.resourceUsage().maxRSS))`],
  });
  const peak = new Promise<number>((resolve) => child.once('message', (kib) => resolve((kib as number) / 1024)));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdout?.resume();
  const began = performance.now();
  for (let n = 0; n < count; n++)
    if (child.stdin?.write(`${report(n, 1000)}\n`) === false) await new Promise((resolve) => child.stdin?.once('drain', resolve));
  child.stdin?.end();
  const mib = await peak;
  await ended;
  console.log(
    `import of ${count} reports from a pipe: at most ${mib.toFixed(0)} MiB (under 200), ${rate(count, (performance.now() - began) / 1000)} by the clock`,
  );
}

function rate(n: number, seconds: number): string {
  return `${Math.round(n / seconds).toLocaleString('en')}/s`;
}

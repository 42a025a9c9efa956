import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  compareBooks,
  delays,
  turnsIn,
  type Books,
  type Delay,
  type Turns,
} from './siege/books.js';
import { reporter, startSink } from './siege/defenders.js';
import { DOMAIN, sleep, type Plan, type RoleReport } from './siege/plan.js';
import { attackers, observers } from './siege/roles.js';
import { preparePlan, Served, startRole } from './siege/served.js';

/** The limits of a siege. */
const LIMITS = { healthMs: 200, socketmapMs: 50, rssMb: 300, alertSeconds: 60 };
/** Seconds between two kills, and between two reloads. */
const KILL = 15;
const RELOAD = 7;

export interface SiegeResult {
  readonly books: Books;
  readonly health: Delay;
  readonly socketmap: Delay;
  /** The event loop, measured inside the daemon. */
  readonly turns: Turns;
  readonly maxRss: number;
  readonly died: number;
  readonly restarts: number;
  /**
   * Seconds from the first acknowledged failure to the alert; undefined without an alert.
   */
  readonly alertAfter: number | undefined;
  readonly reports: readonly RoleReport[];
  readonly folder: string;
}

/**
 * Attacks a `hermetic serve` process on loopback from other processes: idle and slow
 * connections, expensive reports, bombs, forgeries, foreign SQLite clients, reloads, and
 * kill -9. Genuine clients record all acknowledgements, which are compared with the
 * database at the end.
 */
export async function siege(seconds: number, pace = 1): Promise<SiegeResult> {
  const plan = await preparePlan(seconds, pace);
  const sink = startSink(plan);
  const loop = join(plan.folder, 'loop');
  process.env['HERMETIC_LOOP_FILE'] = loop;
  const startedAt = Date.now();
  const served = new Served(plan, [
    '--import',
    join(import.meta.dirname, 'siege', 'loop-probe.js'),
  ]);
  await served.start();
  const firstStart = { from: startedAt, to: Date.now() };
  const sampling = setInterval(() => served.sampleRss(), 200);
  const roles = [...Object.keys(attackers), ...Object.keys(observers)];
  const running = Promise.all(roles.map((role) => startRole(role, plan)));
  const books = reporter(plan);
  await disturb(plan, served);
  const [reports, genuine] = [await running, await books];
  clearInterval(sampling);
  const alert = await waitForAlert(sink.alerts, served);
  await served.end('SIGTERM');
  const samplesOf = (role: string): RoleReport['samples'] =>
    reports.find((report) => report.role === role)?.samples;
  return {
    books: await compareBooks(plan, genuine),
    health: delays(samplesOf('health') ?? [], served.restarts),
    socketmap: delays(samplesOf('socketmap') ?? [], served.restarts),
    turns: turnsIn(loop, [firstStart, ...served.restarts]),
    maxRss: served.maxRss,
    died: served.died,
    restarts: served.restarts.length,
    alertAfter:
      alert === undefined ? undefined : Math.max(0, (alert - (genuine.failureAt ?? alert)) / 1000),
    reports: [...reports, genuine],
    folder: plan.folder,
  };
}

/** Reloads and kills the daemon until the time is over. */
async function disturb({ seconds }: Plan, served: Served): Promise<void> {
  const began = Date.now();
  for (let second = 1; second < seconds; second++) {
    await sleep(Math.max(0, began + second * 1000 - Date.now()));
    if (second % KILL === 0 && second < seconds - 2) await served.killAndStart();
    else if (second % RELOAD === 0) served.reload();
  }
}

/**
 * Returns the time of the first alert about the genuine failure. Each start of the daemon
 * searches for changes, so one more start must suffice.
 */
async function waitForAlert(
  alerts: readonly { readonly at: number; readonly text: string }[],
  served: Served,
): Promise<number | undefined> {
  const found = (): number | undefined =>
    alerts.find(({ text }) => text.includes(`mx1.${DOMAIN} has expired`))?.at;
  if (found() === undefined) await served.killAndStart();
  for (let i = 0; i < 100 && found() === undefined; i++) await sleep(100);
  return found();
}

/** Returns the table, and whether every value is within its limit. */
export function judge(result: SiegeResult): { readonly text: string; readonly ok: boolean } {
  const { books, health, socketmap, turns, maxRss, died, alertAfter } = result;
  const rss = maxRss / 1024 / 1024;
  const late = alertAfter === undefined ? 'none' : `${alertAfter.toFixed(0)} s`;
  const rows: readonly (readonly [string, string, string, boolean])[] = [
    ['acknowledged and lost', String(books.lost), '0', books.lost === 0],
    ['doubled', String(books.doubled), '0', books.doubled === 0],
    ['faults of the database', String(books.faults.length), '0', books.faults.length === 0],
    ['ended by itself', String(died), '0', died === 0],
    [
      'delay of /health, max',
      ms(health.max),
      `${LIMITS.healthMs} ms`,
      health.max <= LIMITS.healthMs,
    ],
    [
      'socketmap, p99',
      ms(socketmap.p99),
      `${LIMITS.socketmapMs} ms`,
      socketmap.p99 <= LIMITS.socketmapMs,
    ],
    ['memory, max', `${rss.toFixed(0)} MB`, `${LIMITS.rssMb} MB`, rss <= LIMITS.rssMb],
    [
      'genuine alert after',
      late,
      `${LIMITS.alertSeconds} s`,
      (alertAfter ?? Infinity) <= LIMITS.alertSeconds,
    ],
  ];
  const lines = rows.map(
    ([what, value, limit, ok]) =>
      `${what.padEnd(26)}${value.padStart(12)}  limit ${limit.padEnd(8)} ${ok ? 'pass' : 'FAIL'}`,
  );
  const counts = result.reports.map(
    ({ role, counts }) =>
      `${role}: ${Object.entries(counts)
        .map(([k, n]) => `${k} ${n}`)
        .join(', ')}`,
  );
  const text = [
    ...lines,
    '',
    `acknowledged ${books.acknowledged}; kills ${result.restarts}; /health p50 ${ms(health.p50)}, p99 ${ms(health.p99)} of ${health.samples}; socketmap p50 ${ms(socketmap.p50)}, max ${ms(socketmap.max)} of ${socketmap.samples}`,
    `event loop measured inside: longest turn ${ms(turns.longest)} (${ms(turns.waited)} of it ready without a CPU), most CPU time in a turn ${ms(turns.mostCpu)}, turns above 50 ms of CPU ${turns.costly}; attackers at nice 19; daemon with the environment of its unit`,
    ...counts,
    '',
  ].join('\n');
  return { text, ok: rows.every(([, , , ok]) => ok) };
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

if (import.meta.filename === process.argv[1]) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, keep: { type: 'boolean' } },
  });
  const result = await siege(Number(values.seconds ?? 300));
  const { text, ok } = judge(result);
  console.log(text);
  if (values.keep) console.log(`kept in ${result.folder}`);
  else rmSync(result.folder, { recursive: true });
  process.exit(ok ? 0 : 1);
}

import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../median.js';
import type { Usage } from '../socketmap/usage.js';
import type { Started } from './our-server.js';
import type { Measured } from './probe.js';

const FLOOD = 1000;
const ROUNDS = 7;
/**
 * Milliseconds of a flood before the measurement, which use up the rate limit's credit.
 */
const RAMP_MS = 4000;

/** The three situations of a round. */
const situations = ['no flood', 'flood of another process', 'flood of pages'] as const;
type Situation = (typeof situations)[number];

/** The results of one situation, as medians over the rounds. */
export interface LoadFigures {
  /** Milliseconds within which half of the policies arrive, and 99 of 100. */
  readonly p50: number;
  readonly p99: number;
  /** Lookups a second. */
  readonly rate: number;
  /** CPU-seconds of the server in each second. */
  readonly cpu: number;
}

/** The requests of the flood of pages, and its answers. */
export interface Flooded {
  readonly seconds: number;
  readonly sent: number;
  readonly answered: readonly (readonly [status: number, count: number])[];
}

/** The result of {@link measureLoad}. */
export interface LoadResult {
  readonly figures: Readonly<Record<Situation, LoadFigures>>;
  readonly flood: Flooded;
  readonly rounds: number;
}

/**
 * Measures policy host and socketmap while visitors request 1,000 pages a second. In the
 * control, the same generator addresses another process that reads nothing. The
 * difference is therefore the effect of the pages, and not of the generator's CPU use.
 */
export async function measureLoad(): Promise<LoadResult> {
  const [server, started] = await startServer(500);
  const other = forked('silent-server.js', [], 0);
  const { pages: otherPort } = await messageOf<{ readonly pages: number }>(other);
  const probe = forked('probe.js', [`${started.policies}`, `${started.map}`], 20);
  const rounds: Record<Situation, LoadFigures[]> = {
    'no flood': [],
    'flood of another process': [],
    'flood of pages': [],
  };
  const floods: Flooded[] = [];
  const ports = { 'flood of another process': otherPort, 'flood of pages': started.pages };
  try {
    await messageOf(probe);
    for (let round = 0; round <= ROUNDS; round++)
      for (const situation of situations) {
        const port = situation === 'no flood' ? undefined : ports[situation];
        const flood = port && forked('flood.js', [`${port}`, `${FLOOD}`, started.check], 0);
        if (flood) await sleep(RAMP_MS);
        const figures = await measured(server, probe);
        if (flood) floods.push(await asked<Flooded>(flood, 'end'));
        // The first round warms all processes.
        if (round > 0) rounds[situation].push(figures);
      }
  } finally {
    for (const child of [server, other, probe]) child.kill();
  }
  const flood = sumOf(floods.filter((_, index) => index % 2 === 1));
  const [none, control, pages] = situations.map((situation) => medians(rounds[situation]));
  if (!none || !control || !pages) throw new Error('a situation has no figures');
  const figures = {
    'no flood': none,
    'flood of another process': control,
    'flood of pages': pages,
  };
  return { figures, flood, rounds: ROUNDS };
}

/** Starts the server; `connections` is the connection limit of the port of the pages. */
export async function startServer(
  connections: number,
): Promise<readonly [server: ChildProcess, started: Started]> {
  const server = forked('start-server.js', [`${connections}`], 10);
  return [server, await messageOf<Started>(server)];
}

/** Asks a server process for its usage. */
export function usageOf(server: ChildProcess): Promise<Usage> {
  return asked<Usage>(server, 'usage');
}

/**
 * Starts a script in a separate process. `priority` is its real-time priority, so that
 * other programs delay no answer; 0 sets none. Only root may set a priority. Without a
 * priority, the delays of a busy machine appear in the measurement.
 */
function forked(script: string, args: readonly string[], priority: number): ChildProcess {
  const child = fork(join(import.meta.dirname, script), [...args]);
  const options = ['--all-tasks', '--rr', '--pid', `${priority}`, `${child.pid}`];
  if (priority > 0) spawnSync('chrt', options);
  return child;
}

async function messageOf<T>(child: ChildProcess): Promise<T> {
  const [message] = (await once(child, 'message')) as [T];
  return message;
}

function asked<T>(child: ChildProcess, question: string): Promise<T> {
  const found = messageOf<T>(child);
  child.send(question);
  return found;
}

async function measured(server: ChildProcess, probe: ChildProcess): Promise<LoadFigures> {
  const before = await usageOf(server);
  const began = performance.now();
  const { delays, rate } = await asked<Measured>(probe, 'measure');
  const after = await usageOf(server);
  const cpu = (after.cpu - before.cpu) / 1000 / (performance.now() - began);
  const sorted = [...delays].sort((a, b) => a - b);
  const within = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? NaN;
  return { p50: within(0.5), p99: within(0.99), rate, cpu };
}

function medians(rounds: readonly LoadFigures[]): LoadFigures {
  const of = (pick: keyof LoadFigures): number => median(rounds.map((round) => round[pick]));
  return { p50: of('p50'), p99: of('p99'), rate: of('rate'), cpu: of('cpu') };
}

function sumOf(floods: readonly Flooded[]): Flooded {
  const answered = new Map<number, number>();
  for (const [status, count] of floods.flatMap((flood) => flood.answered))
    answered.set(status, (answered.get(status) ?? 0) + count);
  const sum = (pick: 'seconds' | 'sent'): number =>
    floods.reduce((total, flood) => total + flood[pick], 0);
  return { seconds: sum('seconds'), sent: sum('sent'), answered: [...answered] };
}

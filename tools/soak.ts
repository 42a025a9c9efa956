import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareBooks } from './siege/books.js';
import { reporter, startSink } from './siege/defenders.js';
import { sleep } from './siege/plan.js';
import { preparePlan, Served, startRole } from './siege/served.js';

/**
 * The maximum growth over the last half, of the heap after collection and of descriptors.
 */
const LIMITS = { heapMb: 5, descriptors: 5 };
const RELOADS = 100;
/** Requests per second, as a share of the rate of a siege. */
const PACE = 0.3;

interface Sample {
  readonly second: number;
  readonly heapMb: number;
  readonly descriptors: number;
  readonly rssMb: number;
}

/**
 * Runs a daemon at moderate load with a hundred reloads, and measures its memory after
 * collections.
 */
async function soak(minutes: number): Promise<boolean> {
  const seconds = minutes * 60;
  const plan = await preparePlan(seconds, PACE);
  const heapFile = join(plan.folder, 'heap');
  process.env['HERMETIC_HEAP_FILE'] = heapFile;
  startSink(plan);
  const probe = ['--expose-gc', '--import', join(import.meta.dirname, 'siege', 'heap-probe.js')];
  const served = new Served(plan, probe);
  await served.start();
  const roles = ['socketmap', 'health', 'forged'].map((role) => startRole(role, plan));
  const books = reporter(plan);
  const samples: Sample[] = [];
  const began = Date.now();
  let reloads = 0;
  while (Date.now() - began < seconds * 1000) {
    await sleep(1000);
    const second = (Date.now() - began) / 1000;
    if (second >= ((reloads + 1) * seconds) / RELOADS) {
      served.reload();
      reloads++;
    }
    if (second >= ((samples.length + 1) * seconds) / 60)
      samples.push(await sampleOf(served, heapFile, second));
  }
  const [genuine] = await Promise.all([books, ...roles]);
  await served.end('SIGTERM');
  const compared = await compareBooks(plan, genuine);
  const half = samples.slice(Math.floor(samples.length / 2));
  const rows: readonly (readonly [string, string, string, boolean])[] = [
    row(
      'heap after collection',
      growth(half, (s) => s.heapMb),
      LIMITS.heapMb,
      'MB',
    ),
    row(
      'open descriptors',
      growth(samples.slice(5), (s) => s.descriptors),
      LIMITS.descriptors,
      '',
    ),
    ['acknowledged and lost', String(compared.lost), '0', compared.lost === 0],
    ['doubled', String(compared.doubled), '0', compared.doubled === 0],
    ['ended by itself', String(served.died), '0', served.died === 0],
  ];
  console.log('second  heap MB  descriptors  memory MB');
  for (const { second, heapMb, descriptors, rssMb } of samples)
    console.log(
      `${second.toFixed(0).padStart(6)}${heapMb.toFixed(1).padStart(9)}${String(descriptors).padStart(13)}${rssMb.toFixed(0).padStart(11)}`,
    );
  for (const [what, value, limit, ok] of rows)
    console.log(
      `${what.padEnd(26)}${value.padStart(14)}  limit ${limit.padEnd(8)} ${ok ? 'pass' : 'FAIL'}`,
    );
  console.log(`acknowledged ${compared.acknowledged}, reloads ${reloads}`);
  rmSync(plan.folder, { recursive: true });
  return rows.every(([, , , ok]) => ok);
}

async function sampleOf(served: Served, heapFile: string, second: number): Promise<Sample> {
  rmSync(heapFile, { force: true });
  process.kill(served.pid, 'SIGUSR2');
  let heap = '';
  for (let i = 0; i < 200 && heap === ''; i++) {
    await sleep(50);
    try {
      heap = readFileSync(heapFile, 'utf8');
    } catch {
      // The daemon has not written the file yet.
    }
  }
  served.sampleRss();
  const mb = 1024 * 1024;
  const { descriptors, rss } = served;
  return { second, heapMb: Number(heap) / mb, descriptors, rssMb: rss / mb };
}

/**
 * Returns the growth from the first to the last sample, according to the line of least
 * squares.
 */
function growth(samples: readonly Sample[], value: (sample: Sample) => number): number {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [x, y] = [mean((s) => s.second), mean(value)];
  const slope =
    samples.reduce((sum, s) => sum + (s.second - x) * (value(s) - y), 0) /
    samples.reduce((sum, s) => sum + (s.second - x) ** 2, 0);
  return slope * ((samples.at(-1)?.second ?? 0) - (samples[0]?.second ?? 0));
}

function row(
  what: string,
  grown: number,
  limit: number,
  unit: string,
): [string, string, string, boolean] {
  const text = `${grown >= 0 ? '+' : ''}${grown.toFixed(1)} ${unit}`.trim();
  return [what, text, `+${limit} ${unit}`.trim(), grown <= limit];
}

const { values } = parseArgs({ options: { minutes: { type: 'string' } } });
process.exit((await soak(Number(values.minutes ?? 30))) ? 0 : 1);

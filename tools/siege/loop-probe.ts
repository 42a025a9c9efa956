import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';
import { Session } from 'node:inspector';

/**
 * Loaded into the daemon by `--import`: measures each turn of its event loop from inside,
 * to distinguish the load of other processes from the work of the daemon. A line of JSON
 * for each turn above {@link LONG} goes to the file of HERMETIC_LOOP_FILE; with
 * HERMETIC_LOOP_PROFILE set, another line names the functions that used the time of such
 * a turn.
 */
const file = process.env['HERMETIC_LOOP_FILE'] ?? '/dev/null';
/**
 * Milliseconds of one turn, of wall-clock time or of CPU time of this thread, from which
 * it is recorded.
 */
const LONG = 40;
/** Milliseconds between two reads of the clocks. */
const LOOK = 5;
const BATCH = 3000;

interface Node {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
}

const started = Date.now();
const buffer = Buffer.alloc(64);
/**
 * Returns the CPU time of the main thread, and the time that it waited for a CPU, in
 * milliseconds.
 */
function schedule(): { readonly cpu: number; readonly waited: number } {
  const fd = openSync(`/proc/self/task/${process.pid}/schedstat`, 'r');
  const length = readSync(fd, buffer, 0, 64, 0);
  closeSync(fd);
  const [cpu = 0, waited = 0] = buffer.toString('latin1', 0, length).split(' ').map(Number);
  return { cpu: cpu / 1e6, waited: waited / 1e6 };
}

const long: { from: number; to: number; cpu: number }[] = [];
let last = { at: performance.now(), ...schedule() };
setInterval(() => {
  const now = { at: performance.now(), ...schedule() };
  const [wall, cpu] = [now.at - last.at - LOOK, now.cpu - last.cpu];
  const waited = now.waited - last.waited;
  if (wall >= LONG || cpu >= LONG) {
    appendFileSync(
      file,
      `${JSON.stringify({ at: Date.now(), up: Date.now() - started, wall, cpu, waited })}\n`,
    );
    if (cpu >= LONG) long.push({ from: last.at, to: now.at, cpu });
  }
  last = now;
}, LOOK).unref();

if (process.env['HERMETIC_LOOP_PROFILE']) profile();

function profile(): void {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 2000 });
  let origin = 0;
  const start = (): void => {
    origin = performance.now();
    session.post('Profiler.start');
  };
  start();
  setInterval(() => {
    if (long.length === 0 && performance.now() - origin < 20_000) return;
    session.post('Profiler.stop', (error, stopped) => {
      if (error) return;
      const { nodes, samples = [], timeDeltas = [] } = stopped.profile;
      for (const { from, to, cpu } of long.splice(0)) {
        const [counts, sampled] = inWindow(
          { nodes, samples, timeDeltas },
          from - origin,
          to - origin,
        );
        const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 25);
        appendFileSync(file, `${JSON.stringify({ cpu, sampled, top })}\n`);
      }
      start();
    });
  }, BATCH).unref();
}

/** Returns the inclusive milliseconds of each function between two times of a profile. */
function inWindow(
  {
    nodes,
    samples,
    timeDeltas,
  }: { nodes: readonly Node[]; samples: readonly number[]; timeDeltas: readonly number[] },
  from: number,
  to: number,
): readonly [Map<string, number>, number] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((c) => [c, node.id])));
  const counts = new Map<string, number>();
  let sampled = 0;
  let at = 0;
  samples.forEach((id, i) => {
    const ms = (timeDeltas[i + 1] ?? 0) / 1000;
    at += (timeDeltas[i] ?? 0) / 1000;
    if (at < from || at > to) return;
    sampled += ms;
    const seen = new Set<string>();
    for (let n: number | undefined = id; n !== undefined; n = parents.get(n)) {
      const frame = byId.get(n)?.callFrame;
      if (!frame) continue;
      const name = `${frame.functionName} ${frame.url.split('/').slice(-2).join('/')}:${frame.lineNumber + 1}`;
      if (!seen.has(name)) counts.set(name, (counts.get(name) ?? 0) + ms);
      seen.add(name);
    }
  });
  return [counts, sampled];
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Lets V8 return memory early. V8 then collects the heap when it has grown by 30 % of the
 * live objects instead of several times their size, and does not enlarge the nursery.
 * Call this function before the program loads its modules: compiling modules grows the
 * nursery to 32 MB. One thread collects the nursery, because several threads use more CPU
 * time in total. `--optimize-for-size` would save more memory but restricts the compiler.
 */
export function keepHeapSmall(): void {
  for (const flag of [
    '--heap-growing-percent=30',
    '--semi-space-growth-factor=1',
    '--no-parallel-scavenge',
  ])
    setFlagsFromString(flag);
}

/**
 * Keeps the heap small while a daemon starts: most code of the start runs only once.
 * Until `collectGarbage`, V8 interprets code that it would compile to machine code after
 * a few calls.
 */
export function keepStartSmall(): void {
  keepHeapSmall();
  setFlagsFromString('--no-sparkplug');
}

/**
 * Collects all garbage and compacts the heap, which takes tens of milliseconds. Call this
 * function after the start, when a third of the heap is garbage from compiling the
 * modules, and after a reload that opens another database. Without compaction, partly
 * used pages stay resident. V8 discards the code of the start, and compiles it again if
 * the program needs it again.
 */
export function collectGarbage(): void {
  for (const flag of ['--expose-gc', '--compact-on-every-full-gc', '--stress-flush-code'])
    setFlagsFromString(flag);
  const collect = runInNewContext('gc') as (options?: object) => void;
  collect();
  // From Node 24 on, V8 returns freed pages to the system only if memory runs out.
  collect({ type: 'major', flavor: 'last-resort' });
  for (const flag of ['--no-compact-on-every-full-gc', '--no-stress-flush-code', '--sparkplug'])
    setFlagsFromString(flag);
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Lets V8 return memory early. It collects the heap after growth by 30 % of the live
 * objects instead of several times their size, and the nursery does not grow. Call it
 * before the program loads its modules: compiling them grows the nursery to 32 MB. One
 * thread collects the nursery: several threads do more work. `--optimize-for-size` saves
 * more memory, and restricts the compiler.
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
 * Does the same for a daemon, whose start runs most code once: until `collectGarbage`, V8
 * interprets code that it would compile to machine code after a few calls.
 */
export function keepStartSmall(): void {
  keepHeapSmall();
  setFlagsFromString('--no-sparkplug');
}

/**
 * Collects all garbage and compacts the heap, in tens of milliseconds: after the start,
 * when a third of the heap is left over from compiling the modules, and after a reload
 * that opens another database. Without compaction, partly used pages stay resident. V8
 * flushes the code of the start, and compiles it again if it runs again.
 */
export function collectGarbage(): void {
  for (const flag of ['--expose-gc', '--compact-on-every-full-gc', '--stress-flush-code'])
    setFlagsFromString(flag);
  const collect = runInNewContext('gc') as (options?: object) => void;
  collect();
  // From Node 24 on, V8 keeps the freed pages for itself unless memory runs out.
  collect({ type: 'major', flavor: 'last-resort' });
  for (const flag of ['--no-compact-on-every-full-gc', '--no-stress-flush-code', '--sparkplug'])
    setFlagsFromString(flag);
}

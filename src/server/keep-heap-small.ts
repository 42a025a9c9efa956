import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 give memory back early, which after a burst of work it would keep for good: its
 * heap is collected once it has grown by 30 % over what lives, in place of several times
 * of it, and its nursery stays as small as it is at the start. One thread collects the
 * nursery: several share the work at the cost of more of it. `--optimize-for-size` saves
 * more memory, and holds the compiler back.
 */
export function keepHeapSmall(): void {
  for (const flag of [
    '--heap-growing-percent=30',
    '--semi-space-growth-factor=1',
    '--no-parallel-scavenge',
  ])
    setFlagsFromString(flag);
}

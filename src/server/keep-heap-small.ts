import { setFlagsFromString } from 'node:v8';

/**
 * Lets V8 give memory back early: its heap is collected once it has grown by 30 % over what lives, in place of several times of it, which after a burst of
 * lookups it would keep for good. `--optimize-for-size` saves more, and costs a sixth of the handshakes: it also holds the compiler back (bench/results.md).
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=30');
}

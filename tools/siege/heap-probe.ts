import { writeFileSync } from 'node:fs';

/**
 * Loaded into the daemon by `--import`: SIGUSR2 collects garbage and writes the heap that
 * is left, in octets.
 */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  writeFileSync(process.env['HERMETIC_HEAP_FILE'] ?? '/dev/null', String(heapUsed + external));
});

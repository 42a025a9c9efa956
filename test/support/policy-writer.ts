import { openStore } from '../../src/store/index.js';
import { stsStore } from '../../src/send/index.js';

/**
 * Keeps storing policies until it is killed, and reports each durable one to its parent.
 */
const cache = stsStore(await openStore(process.argv[2] ?? ''));
for (let n = 1; ; n++) {
  const policy = {
    id: String(n),
    mode: 'enforce',
    maxAge: 604_800,
    mx: ['mx.example.com'],
    body: 'version: STSv1',
    fetchedAt: Date.now(),
  } as const;
  await cache.put({ domain: `d${n}.example`, policy, usedAt: Date.now() });
  // The process writes the same domains repeatedly: a partial replacement would lose a
  // policy.
  await cache.put({ domain: 'always.example', policy, usedAt: Date.now() });
  await new Promise((resolve) => process.send?.(n, resolve));
}

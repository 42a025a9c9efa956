import type { Store } from '../../store/index.js';

/** How long a change by another process may go unseen, in milliseconds. */
const lookMs = 1000;

/**
 * Policy bodies as they were read, until anybody has written to the database: reading one takes longer than all else about an answer. Only what was found is
 * kept, so that no request can fill it.
 */
export function rememberedBodies(
  read: (domain: string) => string | undefined,
  store: Store,
  monotonic: () => number,
): (domain: string) => string | undefined {
  const bodies = new Map<string, string>();
  let [version, looked] = ['', -Infinity];
  return (domain) => {
    const now = monotonic();
    if (now - looked >= lookMs) {
      looked = now;
      const current = store.version();
      if (current !== version) bodies.clear();
      version = current;
    }
    const known = bodies.get(domain);
    if (known !== undefined) return known;
    const body = read(domain);
    if (body !== undefined) bodies.set(domain, body);
    return body;
  };
}

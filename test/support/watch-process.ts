/**
 * A watch for tests that kill it: it runs the checks of a plan against a database, and
 * sends each alarm to its parent. Arguments: the database, the number of domains, checks
 * of each.
 */
import { appendFileSync } from 'node:fs';
import { openStore } from '../../src/store/index.js';
import { prepareWatch, readWatch, recordCheck, sendAlarms } from '../../src/watch/index.js';
import { atHost, healthyResult } from './watch-results.js';

const [file = '', received = '', count = '0', checks = '0'] = process.argv.slice(2);
const store = await openStore(file);
prepareWatch(store);
const domains = Array.from({ length: Number(count) }, (_, n) => `d${n}.example`);
const scope = { domains, channels: ['file'] };

/**
 * The receiver: a line for each alarm, written before the watch knows that it was
 * accepted.
 */
const channels = {
  file: async (alarms: readonly { readonly id: string }[]) => {
    appendFileSync(received, alarms.map(({ id }) => `${id}\n`).join(''));
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  },
};

/**
 * Two days between checks, because a fault that returns within a week continues the
 * former alarm.
 */
const INTERVAL_MS = 2 * 86_400_000;

// The virtual time of a check depends on its number, so a restart continues at the end of
// the last run.
for (let check = 1; check <= Number(checks); check++) {
  for (const domain of domains) {
    const now = check * INTERVAL_MS;
    if ((readWatch(store).domains[domain]?.lookedAt ?? 0) >= now) continue;
    // Six checks with a fault, then six checks without it.
    const broken = check % 12 >= 6;
    const healthy = healthyResult(domain);
    const result = broken ? atHost('starttls-absent')(healthy) : healthy;
    await recordCheck(store, { domain, result }, scope, now);
    await sendAlarms(store, channels, () => now);
  }
  process.send?.(check);
}
await sendAlarms(store, channels, () => 0);
store.close();
process.exit(0);

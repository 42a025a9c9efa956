import type { Store } from '../../src/store/index.js';
import { recordCheck } from '../../src/watch/index.js';
import { testCheck } from './report/checks.js';

/**
 * Stores two checks of `broken.example` on a day (`2026-11-29`), an hour apart, which find
 * an expired certificate: the watch raises an alarm.
 */
export async function recordBrokenDomain(store: Store, date: string): Promise<void> {
  const domain = 'broken.example';
  const host = `mx.${domain}`;
  const findings = [['cert-expired', host]] as const;
  const result = testCheck({ date, domain, hosts: [host], findings });
  const scope = { domains: [domain], channels: ['mail'] };
  for (const hour of [1, 2])
    await recordCheck(store, { domain, result }, scope, Date.parse(`${date}T0${hour}:00:00Z`));
}

import { matchMx } from '../../mta-sts/index.js';
import type { SetRrset, Step, Wait } from '../actions.js';
import { agreedRrset, cacheExpiry, disagreement, hostOf, ownRecords } from './apply-observation.js';
import type { PolicyContext } from './types.js';

/** A step that changes records only. */
export interface RecordSteps {
  readonly steps: readonly Step<SetRrset>[];
  readonly waits: readonly Wait[];
}

/**
 * Plans the change of the MX records, which follow the policy (RFC 8461 §8.1). The
 * records may change once the policy that names old and new hosts is announced, no cache
 * holds an older record, and every new host passes the probe. An MX host that the
 * configuration does not name stops the change: another program manages the records, or
 * the answer is forged. `others`: other waits of the same domain, which are kept.
 */
export function moveMx(
  { state: { domain }, current, observed, desired }: Omit<PolicyContext, 'mx'>,
  others: readonly Wait[],
): RecordSteps {
  const waitFor = (why: string, until?: number): RecordSteps => ({
    steps: [],
    waits: [...others, { subject: domain, why, until }],
  });
  const mx = agreedRrset(observed.mx);
  if (!mx) return waitFor(disagreement(domain, 'MX records', observed.mx).why);
  const wanted = desired.mx.map((hostName) => hostName.toLowerCase());
  const shown = mx.records.map(hostOf);
  if (shown.length === wanted.length && shown.every((hostName) => wanted.includes(hostName)))
    return { steps: [], waits: others };
  const unlisted = shown.find(
    (hostName) =>
      !wanted.includes(hostName) && !current.mx.some((pattern) => matchMx(pattern, hostName)),
  );
  if (unlisted !== undefined)
    return waitFor(
      `${unlisted} receives mail and is neither in the configuration nor in the policy`,
    );
  if (!current.announced)
    return waitFor('the policy that names the new hosts is not announced yet');
  const until = cacheExpiry(current.announced);
  if (observed.at < until)
    return waitFor('caches may hold the record of a policy without the new hosts', until);
  for (const exchangerName of wanted) {
    const probed = observed.hosts.find(({ host }) => host === exchangerName)?.addresses ?? [];
    if (probed.length === 0) return waitFor(`${exchangerName} was not checked`);
    const failed = probed.find(({ verdict }) => verdict !== 'pass');
    if (failed) return waitFor(`${exchangerName} [${failed.address}] ${failed.why}`);
  }
  // A remaining host keeps its preference; new hosts follow in the configured order.
  const preferenceOf = (hostName: string, index: number): string =>
    mx.records.find((record) => hostOf(record) === hostName)?.split(' ')[0] ??
    String(10 * (index + 1));
  const rdata = (records: readonly string[]): readonly string[] =>
    records.map((record) => `${record}.`).sort();
  const action: SetRrset = {
    kind: 'set-rrset',
    name: domain,
    type: 'MX',
    from: rdata(ownRecords(mx)),
    to: rdata(wanted.map((hostName, index) => `${preferenceOf(hostName, index)} ${hostName}`)),
    ttl: mx.ttl,
  };
  const because =
    'senders have a policy that names the old hosts and the new, and every new host passes';
  return { steps: [{ action, because, clause: 'RFC 8461 §8.1' }], waits: others };
}

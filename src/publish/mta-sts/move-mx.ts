import { matchMx } from '../../mta-sts/index.js';
import type { SetRrset, Step, Wait } from '../actions.js';
import { agreed, disagreement, hostOf, ownRecords, settled } from './apply-observation.js';
import type { PolicyReading, PolicyState, DesiredPolicy, ServedPolicy } from './types.js';

/**
 * The MX records follow the policy: they change when the policy that names old and new
 * hosts is announced, no cache holds an older record, and every new host passes. MX hosts
 * that nobody asked for hold the move: somebody else manages them, or the answer was
 * forged.
 */
export function moveMx(
  { domain }: PolicyState,
  current: ServedPolicy,
  seen: PolicyReading,
  wish: DesiredPolicy,
  others: readonly Wait[],
): { readonly steps: readonly Step<SetRrset>[]; readonly waits: readonly Wait[] } {
  const wait = (why: string, until?: number): { steps: []; waits: readonly Wait[] } => ({
    steps: [],
    waits: [...others, { subject: domain, why, ...(until === undefined ? {} : { until }) }],
  });
  const mx = agreed(seen.mx);
  if (!mx) return wait(disagreement(domain, 'MX records', seen.mx).why);
  const wanted = wish.mx.map((host) => host.toLowerCase());
  const shown = mx.records.map(hostOf);
  if (shown.length === wanted.length && shown.every((host) => wanted.includes(host)))
    return { steps: [], waits: others };
  const unlisted = shown.find(
    (host) => !wanted.includes(host) && !current.mx.some((pattern) => matchMx(pattern, host)),
  );
  if (unlisted !== undefined)
    return wait(`${unlisted} receives mail and is neither wanted nor in the policy`);
  if (!current.announced) return wait('the policy that names the new hosts is not announced yet');
  if (seen.at < settled(current.announced))
    return wait(
      'caches may hold the record of a policy without the new hosts',
      settled(current.announced),
    );
  for (const host of wanted) {
    const probed = seen.hosts.find((h) => h.host === host)?.addresses ?? [];
    const bad = probed.find(({ verdict }) => verdict !== 'pass');
    if (probed.length === 0 || bad)
      return wait(`${host} ${bad ? `[${bad.address}] ${bad.why}` : 'was not checked'}`);
  }
  const preferenceOf = (host: string, i: number): string =>
    mx.records.find((record) => hostOf(record) === host)?.split(' ')[0] ?? String(10 * (i + 1));
  const rdata = (records: readonly string[]): readonly string[] =>
    records.map((record) => `${record}.`).sort();
  const to = rdata(wanted.map((host, i) => `${preferenceOf(host, i)} ${host}`));
  return {
    steps: [
      {
        action: {
          kind: 'set-rrset',
          name: domain,
          type: 'MX',
          from: rdata(ownRecords(mx)),
          to,
          ttl: mx.ttl,
        },
        because:
          'senders hold a policy that names the old hosts and the new, and every new host passes',
        clause: 'RFC 8461 §8.1',
      },
    ],
    waits: others,
  };
}

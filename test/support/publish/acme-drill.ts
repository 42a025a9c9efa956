import { createHash } from 'node:crypto';
import { acmeWorld } from './acme-ca.js';

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

export interface DrillResult {
  readonly certificates: number;
  /**
   * Virtual hours until every key has its first certificate, under the limit on new
   * orders.
   */
  readonly filledInHours: number;
  /**
   * Requests that the CA refused because of its limit, during the first issuance and
   * during the renewals.
   */
  readonly limited: readonly [number, number];
  readonly renewedInWindow: number;
  readonly keysKept: number;
  /** Orders in excess of one for each certificate. */
  readonly extraOrders: number;
  /** The maximum number of renewals in one of the window's 24 parts, and the mean. */
  readonly crowding: readonly [number, number];
}

/**
 * Simulates a mass revocation: the CA will revoke all certificates of a fleet, so it
 * moves their renewal windows to the next 24 hours (RFC 9773 §1). New orders are limited
 * to 300 in three hours, except those that replace a certificate. The fleet asks every
 * ten minutes.
 */
export async function massRevocationDrill(count: number, limit: number): Promise<DrillResult> {
  const undisturbed = ({ notAfter }: { readonly notAfter: number }) => ({
    start: notAfter - 15 * day,
    end: notAfter - 14 * day,
  });
  const { ca, ring, certifier, clock, close } = await acmeWorld({
    profiles: { '': 45 * day },
    window: undisturbed,
    orders: { most: limit, withinMs: 3 * hour },
    refuseNonce: 20,
  });
  try {
    const begun = clock.at;
    const fleet = Array.from({ length: count }, (_, n) => ({
      host: `mta-sts.customer-${n}.example`,
      key: 'ecdsa-1',
    }));
    for (const { host, key } of fleet) ring.make(host, key, 'ecdsa');
    const works = certifier({ random: drawsOf('drill'), poll: { every: 0, atMost: minute } });
    for (let left = fleet; left.length > 0; clock.at += 10 * minute) {
      const waiting: typeof fleet = [];
      for (const one of left) if ((await works.certify(one)).status !== 'done') waiting.push(one);
      left = waiting;
    }
    const [filledInHours, limitedAtFirst, keys] = [
      (clock.at - begun) / hour,
      ca.limited,
      keysOf(ca.certificates.values()),
    ];
    clock.at += day;
    const window = { start: clock.at + hour, end: clock.at + 25 * hour };
    ca.habits.window = ({ issuedAt, notAfter }) =>
      issuedAt < window.start ? window : undisturbed({ notAfter });
    for (; clock.at < window.end; clock.at += 10 * minute)
      for (const one of fleet) if (await works.isDue(one)) await works.certify(one);
    const renewed = [...ca.certificates.values()].filter(({ replaces }) => replaces !== undefined);
    const inWindow = renewed.filter(
      ({ issuedAt }) => issuedAt >= window.start && issuedAt <= window.end,
    );
    const parts = Array.from(
      { length: 24 },
      (_, n) =>
        inWindow.filter(({ issuedAt }) => Math.floor((issuedAt - window.start) / hour) === n)
          .length,
    );
    return {
      certificates: count,
      filledInHours: Math.round(filledInHours * 10) / 10,
      limited: [limitedAtFirst, ca.limited - limitedAtFirst],
      renewedInWindow: new Set(inWindow.map(({ host }) => host)).size,
      keysKept: renewed.filter(({ host, spki }) => keys.get(host) === spki).length,
      extraOrders: ca.orders.size - 2 * count,
      crowding: [Math.max(...parts), Math.round((inWindow.length / 24) * 10) / 10],
    };
  } finally {
    await close();
  }
}

function keysOf(
  certificates: Iterable<{ readonly host: string; readonly spki: string }>,
): ReadonlyMap<string, string> {
  return new Map([...certificates].map(({ host, spki }) => [host, spki]));
}

/** Returns a generator whose random numbers are the same in every run. */
function drawsOf(seed: string): () => number {
  let n = 0;
  return () => createHash('sha256').update(`${seed} ${n++}`).digest().readUInt32BE(0) / 2 ** 32;
}

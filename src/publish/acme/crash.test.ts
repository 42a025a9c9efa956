import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { Store } from '../../store/index.js';
import { acmeWorld } from './testing-ca.js';

const host = 'mta-sts.example.com';
const key = 'ecdsa-1';
const day = 86_400_000;

class Crash extends Error {}

/** A store that dies at its nth write: just before it, when what was done is not written down, or just after, when the next thing is not done. */
function dying(store: Store, nth: number, moment: 'before' | 'after'): { readonly store: Store; died(): boolean } {
  let writes = 0;
  let dead = false;
  const dying: Store = {
    ...store,
    prepare<Row>(sql: string) {
      const statement = store.prepare<Row>(sql);
      return {
        ...statement,
        run(...values) {
          const now = ++writes === nth;
          dead ||= now;
          if (now && moment === 'before') throw new Crash();
          const changed = statement.run(...values);
          if (now) throw new Crash();
          return changed;
        },
      };
    },
  };
  return { store: dying, died: () => dead };
}

for (const moment of ['before', 'after'] as const)
  test(`a crash just ${moment} any write, at the first certificate and at a renewal: a start later all is the same, one order each, no key lost [8555-7.4-1, 8555-7.3-1]`, async () => {
    let steps = 0;
    for (let nth = 1; ; nth++) {
      const world = await acmeWorld({ window: ({ notAfter }) => ({ start: notAfter - 31 * day, end: notAfter - 29 * day }) });
      try {
        const { ca, ring, certifier, clock, store } = world;
        ring.make(host, key, 'ecdsa');
        const before = ring.publicKey(host, key);
        const broken = dying(store, nth, moment);
        const through = async (): Promise<void> => {
          const works = certifier({ over: broken.store });
          assert.deepEqual(await works.certify({ host, key }), { status: 'done' });
          clock.at = Math.max(clock.at, Date.now() + 61 * day);
          if (await works.isDue({ host, key })) assert.deepEqual(await works.certify({ host, key }), { status: 'done' });
        };
        await through().catch((error: unknown) => assert.ok(error instanceof Crash, String(error)));
        if (!broken.died()) break;
        steps++;
        const again = certifier();
        if (ca.certificates.size === 0 || (await again.isDue({ host, key })))
          assert.deepEqual(await again.certify({ host, key }), { status: 'done' });
        clock.at = Math.max(clock.at, Date.now() + 61 * day);
        if (ca.certificates.size < 2 && (await again.isDue({ host, key })))
          assert.deepEqual(await again.certify({ host, key }), { status: 'done' });
        assert.equal(ca.orders.size, 2, `${nth}: ${ca.orders.size} orders`);
        assert.equal(ca.accounts.size, 1);
        assert.ok([...ca.orders.values()].every(({ status }) => status === 'valid'));
        assert.equal(await certifier().isDue({ host, key }), false);
        assert.ok(new X509Certificate(ring.chain(host, key) ?? '').publicKey.equals(before));
      } finally {
        await world.close();
      }
    }
    assert.ok(steps >= 8, `only ${steps} crashes`);
  });

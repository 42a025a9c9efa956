import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { nodeDisk } from '../../src/publish/keys/durable-file.js';
import { KeyRing } from '../../src/publish/keys/key-ring.js';
import {
  crashAtEveryStep,
  enough,
  CrashInjector,
  untilCrash,
} from '../support/publish/crash-injection.js';
import { acmeWorld } from '../support/publish/acme-ca.js';
import { testSize } from '../support/test-size.js';

const host = 'mta-sts.example.com';
const key = 'ecdsa-1';
const sha256 = (hex: string): string =>
  createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex');
const [minute, day] = [60_000, 86_400_000];

/** The long form tries a crash at every step. */
const strides = { 'before a step': testSize(6, 1), 'halfway through a file': 1 } as const;

for (const moment of enough)
  // [8555-7.4-1, 8555-7.3.1-1]
  test(`a crash ${moment}: after a restart one order each and no lost key`, async () => {
    const steps = await crashAtEveryStep(
      moment,
      async (mortal, nth) => {
        const world = await acmeWorld({
          window: ({ notAfter }) => ({ start: notAfter - 31 * day, end: notAfter - 29 * day }),
        });
        try {
          const { ca, ring, certifier, clock } = world;
          const begun = clock.at;
          const life = async (disk = nodeDisk, works = certifier()): Promise<void> => {
            new KeyRing(ring.folder, disk).make(host, key, 'ecdsa');
            if (ca.certificates.size === 0 || (await works.isDue({ host, key })))
              assert.deepEqual(await works.certify({ host, key }), { status: 'done' });
            clock.at = Math.max(clock.at, begun + 61 * day);
            if (await works.isDue({ host, key }))
              assert.deepEqual(await works.certify({ host, key }), { status: 'done' });
          };
          await untilCrash(async () => life(mortal.disk, certifier({ mortal })));
          const [before] = ring.list(host, 0);
          // The claim of the killed process blocks the next process until the claim
          // expires.
          clock.at += 10 * minute;
          await life();
          assert.equal(ca.orders.size, 2, `${nth}: ${ca.orders.size} orders`);
          assert.equal(ca.accounts.size, 1);
          assert.ok([...ca.orders.values()].every(({ status }) => status === 'valid'));
          assert.equal(await certifier().isDue({ host, key }), false);
          const [after] = ring.list(host, clock.at);
          assert.ok(after?.certified && ring.list(host, 0).length === 1);
          assert.equal(after.sha256, before?.sha256 ?? after.sha256);
          assert.ok(
            [...ca.certificates.values()].every(({ spki }) => sha256(spki) === after.sha256),
          );
        } finally {
          await world.close();
        }
      },
      strides[moment],
    );
    // The daemon saves account key, account, claims, orders, chains, renewals and
    // failures.
    assert.ok(steps >= (moment === 'before a step' ? 50 : 4), `only ${steps} steps`);
  });

test('a crash between newOrder and its reply yields one certificate', async () => {
  for (const [reusesOrders, orders] of [
    [true, 1],
    [false, 2],
  ] as const) {
    let lost = false;
    for (let nth = 1; !lost; nth++) {
      const { ca, ring, certifier, clock, close } = await acmeWorld({
        listsOrders: false,
        reusesOrders,
      });
      try {
        ring.make(host, key, 'ecdsa');
        await untilCrash(
          async () =>
            void (await certifier({ mortal: new CrashInjector(nth, 'before a step') }).certify({
              host,
              key,
            })),
        );
        // The first step after the CA has accepted the order saves its URL.
        lost = ca.orders.size > 0;
        clock.at += 10 * minute;
        assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
        assert.equal(ca.orders.size, lost ? orders : 1);
        assert.equal(ca.certificates.size, 1);
      } finally {
        await close();
      }
    }
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  crashAtEveryStep,
  enough,
  untilCrash,
} from '../../../test/support/publish/crash-injection.js';
import { acmeWorld } from '../../../test/support/publish/acme-ca.js';

const [host, other, key] = ['mta-sts.example.com', 'mta-sts.example.net', 'ecdsa-1'];
const minute = 60_000;

for (const moment of enough)
  // [8555-7.3.5-1]
  test(`account key change with a crash ${moment}: one account with the saved key`, async () => {
    const steps = await crashAtEveryStep(moment, async (injector) => {
      const { ca, ring, certifier, clock, close } = await acmeWorld();
      try {
        for (const name of [host, other]) ring.make(name, key, 'ecdsa');
        assert.deepEqual(await certifier().certify({ host, key }), { status: 'done' });
        const [first] = [...ca.accounts.values()];
        await untilCrash(
          async () => void (await certifier({ mortal: injector }).changeAccountKey()),
        );
        clock.at += 10 * minute;
        assert.deepEqual(await certifier().certify({ host: other, key }), { status: 'done' });
        assert.equal(ca.accounts.size, 1);
        assert.deepEqual(await certifier().changeAccountKey(), { status: 'done' });
        const [last] = [...ca.accounts.values()];
        assert.ok(first && last && !last.equals(first));
        assert.equal(ca.orders.size, 2);
      } finally {
        await close();
      }
    });
    assert.ok(steps >= (moment === 'before a step' ? 8 : 1), `only ${steps} steps`);
  });

test('after a refused key change the account continues with its key', async (t) => {
  const { ca, ring, certifier, close } = await acmeWorld();
  t.after(close);
  ring.make(host, key, 'ecdsa');
  await certifier().certify({ host, key });
  const set = ca.accounts.set.bind(ca.accounts);
  ca.accounts.set = () => assert.fail('no key is taken');
  const directory = ca.habits;
  directory.keyChange = false;
  const outcome = await certifier().changeAccountKey();
  assert.ok(
    outcome.status === 'failed' && /keyChange/.test(outcome.detail),
    JSON.stringify(outcome),
  );
  ca.accounts.set = set;
  ring.make(other, key, 'ecdsa');
  assert.deepEqual(await certifier().certify({ host: other, key }), { status: 'done' });
});

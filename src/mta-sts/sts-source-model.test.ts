import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { Name } from '../base/index.js';
import { body, stsWorld } from '../../test/support/sts-source.js';
import { testSize } from '../../test/support/test-size.js';

const domain = Name.of('example.com');
const MINUTE = 60_000;

/** The answers from now on, the time that passes, and the next action of the sender. */
const event = fc.record({
  texts: fc.constantFrom(
    ['v=STSv1; id=1'],
    ['v=STSv1; id=2'],
    ['v=STSv1; id=1', 'v=STSv1; id=2'],
    ['v=STSv1'],
    [],
    'failed' as const,
  ),
  policy: fc.constantFrom(
    ...['enforce', 'testing', 'none'].flatMap((mode) =>
      [0, 60, 86_400, 31_557_600].map((maxAge) => body(mode, maxAge)),
    ),
    'sts-policy-unreachable',
    'sts-policy-webpki-invalid',
    'mode: enforce',
  ),
  minutes: fc.constantFrom(1, 4, 6, 120, 1440, 10_080, 525_000),
  action: fc.constantFrom('lookup', 'lookup', 'refresh', 'restart'),
});

// RFC 8461 §3.3, §5.1: an attacker chooses the answers and the times.
test('no DNS or HTTPS answer ends an unexpired policy, and a fetched policy binds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 2, maxLength: 25, size: 'max' }),
      async (events) => {
        const world = stsWorld({ policy: 'sts-policy-unreachable' });
        let { source } = world;
        let last: { readonly body: string; readonly end: number } | undefined;
        for (const { texts, policy, minutes, action } of events) {
          world.time += minutes * MINUTE;
          Object.assign(world, { texts, policy });
          if (action === 'restart') source = world.again();
          const before = world.fetches;
          if (action === 'refresh') await source.refreshDue();
          const state = action === 'refresh' ? undefined : await source.lookup(domain);
          const maxAge = Number(/max_age: (\d+)/.exec(policy)?.[1] ?? NaN);
          const fetched = world.fetches > before && Number.isFinite(maxAge);
          if (fetched) last = { body: policy, end: world.time + maxAge * 1000 };
          if (!state) continue;
          const binds = last && (fetched || world.time < last.end) ? last.body : undefined;
          assert.equal(state.policy?.body, binds);
          if (texts === 'failed' || texts.length === 0) assert.equal(world.fetches, before);
        }
      },
    ),
    { numRuns: testSize(300, 20_000) },
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { checkModel, type ModelBounds } from '../tools/rollover/model.js';
import { others, ours, type Order } from '../tools/rollover/orders.js';
import { simulate } from '../tools/rollover/simulate.js';
import type { RolloverObservation, TlsaRolloverState } from '../src/publish/index.js';

const bounds: ModelBounds = { changes: 1, dsChanges: 0, held: 2, limit: 100_000 };

/** Returns this project's order of key changes, with an incomplete observation. */
function shortSighted(
  name: string,
  blur: (seen: RolloverObservation) => RolloverObservation,
): Order<TlsaRolloverState> {
  return {
    ...ours,
    name,
    step: (state, seen, leave, ttl) => ours.step(state, blur(seen), leave, ttl),
  };
}

// [7671-8.4-1]
test('no order of events defers mail, and every state reaches the end', () => {
  const { whole, failure, stuck, states } = checkModel(ours, bounds);
  assert.deepEqual({ whole, failure, stuck }, { whole: true, failure: undefined, stuck: 0 });
  assert.ok(states > 500, `${states} states`);
});

for (const order of others) {
  test(`the small model finds the deferral: ${order.name}`, () => {
    assert.match(
      checkModel(order as Order, { ...bounds, held: 1 }).failure?.what ?? '',
      /a sender has/,
    );
  });
}

const careless: readonly Order<TlsaRolloverState>[] = [
  shortSighted('reads one authoritative server', (seen) => ({
    ...seen,
    nameservers: seen.nameservers.slice(0, 1),
  })),
  shortSighted('looks at one address of the server', (seen) => ({
    ...seen,
    addresses: seen.addresses.slice(0, 1),
  })),
  shortSighted('takes half the TTL', (seen) => ({
    ...seen,
    nameservers: seen.nameservers.map((n) =>
      n.rrset === 'unknown' ? n : { ...n, rrset: { ...n.rrset, ttl: n.rrset.ttl / 2 } },
    ),
  })),
  {
    ...ours,
    name: 'forgets what is no longer published',
    step(before, seen, leave, ttl) {
      const { state, actions } = ours.step(before, seen, leave, ttl);
      return {
        state: { ...state, alive: state.alive.filter(({ gone }) => gone === undefined) },
        actions,
      };
    },
  },
];
for (const order of careless) {
  test(`the small model finds the deferral of our own order that ${order.name}`, () => {
    assert.match(checkModel(order, bounds).failure?.what ?? '', /a sender has/);
  });
}

test('with 500 caching senders only other orders defer mail', () => {
  const few = { senders: 500, changes: 2, seed: 7 };
  assert.equal(simulate(ours, few).held, 0);
  for (const order of others) assert.ok(simulate(order as Order, few).held > 0, order.name);
});

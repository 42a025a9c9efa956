import assert from 'node:assert/strict';
import test from 'node:test';
import type { AddressEvidence } from '../../evidence/index.js';
import { AddressVisits } from './address-visits.js';
import type { ConnectionBudget } from './connection-limiter.js';

const HOUR = 3_600_000;
const ip = '192.0.2.1';

/** Visits with a clock that the test moves. */
class Visits {
  now = 0;
  readonly visits = new AddressVisits({
    perVisit: 4,
    perDay: 10,
    reuseMs: HOUR,
    now: () => this.now,
  });
  /** The number of visits that connected. */
  made = 0;
  /** The number of open connections, and its maximum so far. */
  open = 0;
  most = 0;

  /** Visits a host as one check, and connects until the budget is spent. */
  visit(host: string, address = ip, fresh = false): Promise<AddressEvidence> {
    return this.visits
      .limiter({ fresh })
      .run(host, address, (budget) => this.#probe(address, budget));
  }

  async #probe(address: string, budget: ConnectionBudget): Promise<AddressEvidence> {
    this.made++;
    this.open++;
    this.most = Math.max(this.most, this.open);
    for (; budget.remaining > 0; budget.consume()) await Promise.resolve();
    this.open--;
    return { ip: address, status: 'reachable', connections: [] };
  }
}

test('all checks together keep to the daily budget of an address', async () => {
  const visits = new Visits();
  // Names in other domains that resolve to the same server do not get a separate budget.
  const results = [];
  for (const n of [1, 2, 3, 4, 5]) results.push(await visits.visit(`mx${n}.example`));
  assert.equal(visits.visits.connectionsTo(ip), 10);
  assert.deepEqual(
    results.map(({ status, reason }) => reason ?? status),
    ['reachable', 'reachable', 'reachable', 'net-budget', 'net-budget'],
  );
  await visits.visit('mx1.example', '192.0.2.2');
  assert.equal(visits.visits.connectionsTo('192.0.2.2'), 4);
  visits.now += 24 * HOUR;
  assert.equal((await visits.visit('mx5.example')).status, 'reachable');
});

test('an address has one visitor at a time', async () => {
  const visits = new Visits();
  await Promise.all([1, 2, 3].map((n) => visits.visit(`mx${n}.example`)));
  assert.equal(visits.most, 1);
  const apart = new Visits();
  await Promise.all([1, 2, 3].map((n) => apart.visit('mx.example', `192.0.2.${n}`)));
  assert.equal(apart.most, 3);
});

test('a visit serves other checks for an hour, except fresh checks', async () => {
  const visits = new Visits();
  await Promise.all([visits.visit('mx.example'), visits.visit('mx.example')]);
  assert.equal(visits.made, 1);
  visits.now += HOUR - 1;
  await visits.visit('mx.example');
  assert.equal(visits.made, 1);
  await visits.visit('mx.example', ip, true);
  assert.equal(visits.made, 2);
  visits.now += HOUR;
  await visits.visit('mx.example');
  assert.equal(visits.made, 3);
});

test('a stopped visit serves no other check', async () => {
  const { visits } = new Visits();
  const stopped = visits
    .limiter({ fresh: false })
    .run('mx.example', ip, () => Promise.reject(new Error('stopped')));
  const other = visits
    .limiter({ fresh: false })
    .run('mx.example', ip, () =>
      Promise.resolve({ ip, status: 'reachable' as const, connections: [] }),
    );
  await assert.rejects(stopped, /stopped/);
  assert.equal((await other).status, 'reachable');
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { testServer, testVisit, type TestServer } from '../../../test/support/scan-observations.js';
import type { GroupChange, GroupVisit, KnownGroup, NameGroups } from '../engine/index.js';
import { changedGroups, planByGroups } from './name-groups.js';

const address = '192.0.2.1';
const provider = testServer(['*.mail.provider.example']);
const hosting = testServer(['server1.hosting.example']);

const factsOf = (host: string, server: TestServer): GroupVisit['facts'] => ({
  serverName: host,
  address: testVisit(host, server, address).address,
});

/** Returns the groups after a visit, as another worker would load them. */
function loaded(changes: readonly GroupChange[], scan: Partial<KnownGroup> = {}): NameGroups {
  const groups = changes.map(({ group, state, added }) => {
    const model = factsOf(String(state['model']), group === 'family' ? provider : hosting);
    return [group, { state, model, equal: added.equal, ended: false, ...scan }];
  });
  return Object.fromEntries(groups) as NameGroups;
}

const planned = (host: string, otherFamilies = 0) => ({
  ...{ host, address, matters: false, seed: 'a', otherFamilies },
});

test('equal results at other addresses spare the second name of a provider', () => {
  const host = 'c1.mail.provider.example';
  const changes = changedGroups({}, { host, facts: factsOf(host, provider) });
  assert.deepEqual(
    changes.map(({ group, countedAs, isModel, added }) => [group, countedAs, isModel, added.equal]),
    [['family', 'provider.example', true, 1]],
  );
  const name = planned('c2.mail.provider.example');
  assert.deepEqual(planByGroups(loaded(changes, { equal: 7 }), name), { kind: 'visit' });
  const spared = { kind: 'infer', group: 'family' };
  assert.deepEqual(planByGroups(loaded(changes, { equal: 8 }), name), spared);
});

test('a difference at another address ends the inference of a family', () => {
  const host = 'c1.mail.provider.example';
  const changes = changedGroups({}, { host, facts: factsOf(host, provider) });
  const groups = loaded(changes, { equal: 100, ended: true });
  assert.equal(planByGroups(groups, planned('c2.mail.provider.example')).kind, 'visit');
  const foreign = changedGroups(
    {},
    { host: 'mx.a.example', facts: factsOf('mx.a.example', hosting) },
  );
  const server = loaded(foreign, { equal: 100, ended: true });
  assert.equal(planByGroups(server, planned('mx.b.example')).kind, 'visit');
});

test('a name without its own certificate counts only for its server', () => {
  const host = 'mx.customer.example';
  const [change, ...others] = changedGroups({}, { host, facts: factsOf(host, hosting) });
  assert.deepEqual([change?.group, change?.countedAs], ['server', '* hosting.example']);
  assert.equal(others.length, 0);
  // The first name has no earlier name to compare with, so it confirms nothing.
  assert.equal(change?.added.equal, 0);
});

test('a server is identified although its address has many families', () => {
  const host = 'mx.customer.example';
  const changes = changedGroups({}, { host, facts: factsOf(host, hosting) });
  const plan = planByGroups(loaded(changes, { equal: 8 }), planned('mx.other.example', 50));
  assert.deepEqual(plan, { kind: 'infer', group: 'server' });
  const unknown = planByGroups(loaded(changes), planned('mx.other.example', 50));
  assert.equal(unknown.kind, 'leave');
});

test('a check with another result is an error of inference', () => {
  const first = 'mx.customer.example';
  const groups = loaded(changedGroups({}, { host: first, facts: factsOf(first, hosting) }));
  const host = 'mx.other.example';
  const facts = factsOf(host, testServer([host]));
  const [, server] = changedGroups(groups, { host, facts, checks: 'server' });
  assert.deepEqual(server?.added, { equal: 0, checked: 1, wrong: 1, ended: true });
  const [, unplanned] = changedGroups(groups, { host, facts });
  assert.deepEqual(unplanned?.added, { equal: 0, checked: 0, wrong: 0, ended: true });
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { allOf, atDomain, atHost, hidden, type Plant } from '../../test/support/watch-results.js';
import { healthy, HOUR, Watched } from '../../test/support/watched.js';
import type { CheckResult } from '../evidence/index.js';
import { alarmJson, decideAlarms, keepDomains, watchMessageSchema } from './index.js';

/** Orders of events in which the memory could lose, duplicate or fabricate an alarm. */

const broken = atHost('starttls-absent');
const DAY = 24 * HOUR;

test('faults that begin at the same check are one alarm that names all rules', () => {
  const watched = new Watched();
  const both = allOf(broken, atDomain('sts-mx-mismatch', 'fail', 'mta-sts'));
  for (const plant of [healthy, both]) watched.check(plant);
  const [alarm] = watched.decide(both);
  assert.deepEqual(alarm?.rules, ['starttls-absent', 'sts-mx-mismatch']);
  watchMessageSchema.parse(JSON.parse(alarmJson([alarm])));
  assert.deepEqual(
    [broken, broken, broken].flatMap((plant) => watched.check(plant)),
    [],
  );
  assert.deepEqual(watched.check(healthy), []);
  assert.deepEqual(
    watched.decide(healthy).map(({ kind, rules }) => [kind, rules]),
    [['ended', ['starttls-absent', 'sts-mx-mismatch']]],
  );
});

test('a fault at every second check is one alarm', () => {
  const watched = new Watched();
  const alarms = Array.from({ length: 20 }, (_, n) => watched.check(n % 2 ? broken : healthy));
  assert.deepEqual(alarms.flat(), ['added starttls-absent']);
});

test('an open alarm of an intermittent fault stays open', () => {
  const watched = new Watched();
  for (const plant of [healthy, broken, broken]) watched.check(plant);
  for (let n = 0; n < 20; n++) assert.deepEqual(watched.check(n % 2 ? broken : healthy), []);
});

test('a fault that becomes worse in maintenance is reported as worse after it', () => {
  const watched = new Watched();
  const warns = atHost('cert-near-expiry', 'warn');
  const expired = atHost('cert-expired');
  for (const plant of [healthy, warns, warns]) watched.check(plant);
  for (let n = 0; n < 5; n++) assert.deepEqual(watched.check(expired, { silent: true }), []);
  assert.deepEqual(watched.check(expired), ['worse cert-expiry']);
  assert.deepEqual(
    [expired, healthy, healthy].flatMap((plant) => watched.check(plant)),
    ['ended cert-expiry'],
  );
});

test('a fault that was worse only in maintenance is not reported as worse', () => {
  const watched = new Watched();
  const warns = atHost('cert-near-expiry', 'warn');
  for (const plant of [healthy, warns, warns]) watched.check(plant);
  for (let n = 0; n < 5; n++) watched.check(atHost('cert-expired'), { silent: true });
  assert.deepEqual(
    [warns, warns].flatMap((plant) => watched.check(plant)),
    [],
  );
});

test('maintenance of every domain is not a local outage', () => {
  for (const namesCause of [false, true]) {
    const watched = new Watched();
    const both = (plant: Plant, silent: boolean): readonly string[] =>
      ['a.example', 'b.example'].flatMap((domain) => watched.check(plant, { domain, silent }));
    both(healthy, false);
    for (let n = 0; n < 5; n++) assert.deepEqual(both(hidden(namesCause), true), []);
    assert.deepEqual(both(healthy, true), []);
    assert.deepEqual(both(healthy, false), []);
  }
});

test('one inconclusive domain next to one in maintenance is not a local outage', () => {
  const watched = new Watched();
  for (const domain of ['a.example', 'b.example']) watched.check(healthy, { domain });
  for (let n = 0; n < 5; n++) {
    assert.deepEqual(watched.check(hidden(), { domain: 'a.example', silent: true }), []);
    assert.deepEqual(watched.check(hidden(), { domain: 'b.example' }), []);
  }
});

test('days without a check do not count as inconclusive', () => {
  const watched = new Watched();
  watched.check(healthy);
  // The machine was off for ten days, and its network is not up yet.
  assert.deepEqual(watched.check(hidden(), {}, 10 * DAY), []);
  assert.deepEqual(watched.check(hidden(), {}, HOUR / 6), []);
  assert.deepEqual(watched.check(healthy, {}, HOUR), []);
});

test('three inconclusive weekly checks are the alarm not-seen', () => {
  const watched = new Watched();
  watched.check(healthy);
  const checks = [1, 2, 3].map(() => watched.check(hidden(), {}, 7 * DAY));
  assert.deepEqual(checks, [[], [], ['added not-seen']]);
});

test('the alarm not-seen begins and ends under one name', () => {
  const watched = new Watched();
  watched.check(healthy);
  const begun = Array.from({ length: 14 }, () => watched.decide(hidden())).flat();
  const [ended] = watched.decide(healthy);
  assert.equal(begun.length, 1);
  assert.equal(begun[0]?.id.replace('/added', '/ended'), ended?.id);
});

test('an outage delays not-seen and does not change the last certain check', () => {
  const watched = new Watched();
  const both = (plant: Plant): readonly string[] =>
    ['a.example', 'b.example'].flatMap((domain) => watched.check(plant, { domain }));
  both(healthy);
  const { certainAt } = watched.state.domains['a.example'] ?? {};
  for (let n = 0; n < 20; n++) both(hidden(true));
  assert.equal(watched.state.domains['a.example']?.certainAt, certainAt);
});

test('a clock set back delays neither the local outage nor the three days', () => {
  const watched = new Watched();
  const both = (plant: Plant): readonly string[] =>
    ['a.example', 'b.example'].flatMap((domain) => watched.check(plant, { domain }, HOUR));
  both(healthy);
  both(hidden());
  watched.now -= 30 * DAY;
  assert.deepEqual([both(hidden()), both(hidden())].flat(), ['added cannot-see']);
  const alone = new Watched();
  for (const plant of [healthy, hidden()]) alone.check(plant);
  alone.now -= 30 * DAY;
  const checks = Array.from({ length: 14 }, () => alone.check(hidden()));
  assert.deepEqual(checks.flat(), ['added not-seen']);
});

test('a fault that begins during an outage is reported after it, once', () => {
  const watched = new Watched();
  const both = (plant: Plant): readonly string[] =>
    ['a.example', 'b.example'].flatMap((domain) => watched.check(plant, { domain }));
  both(healthy);
  for (let n = 0; n < 5; n++) both(hidden(true));
  const after = [broken, broken, broken].flatMap(both);
  assert.deepEqual(after, ['ended cannot-see', 'added starttls-absent', 'added starttls-absent']);
});

test('two checks that overlap in time do not confirm each other', () => {
  const watched = new Watched();
  watched.check(healthy);
  const began = watched.now + HOUR;
  assert.deepEqual(watched.check(broken, { began }, 2 * HOUR), []);
  assert.deepEqual(watched.check(broken, { began }, 1000), []);
  assert.deepEqual(watched.check(broken, { began: watched.now + 1 }, HOUR), [
    'added starttls-absent',
  ]);
});

test('a check that began before the clock was set back counts', () => {
  const watched = new Watched();
  watched.check(healthy);
  watched.check(broken);
  watched.now -= DAY;
  assert.deepEqual(watched.check(broken, { began: watched.now }), ['added starttls-absent']);
});

test('a domain that is no longer watched ends its alarms and loses its state', () => {
  const watched = new Watched();
  for (const plant of [healthy, broken, broken]) watched.check(plant);
  for (let n = 0; n < 14; n++) watched.check(hidden());
  const { state, alarms } = keepDomains(watched.state, ['b.example'], watched.now);
  assert.deepEqual(
    alarms.map(({ kind, rule, todo }) => [kind, rule, todo]),
    [
      ['ended', 'starttls-absent', []],
      ['ended', 'not-seen', []],
    ],
  );
  assert.match(alarms[0]?.says ?? '', /the watch of this domain ended/);
  assert.deepEqual(state.domains, {});
  assert.deepEqual(keepDomains(state, [], watched.now).alarms, []);
  watched.state = state;
  assert.deepEqual(
    [broken, broken].flatMap((plant) => watched.check(plant)),
    ['added starttls-absent'],
  );
});

test('a domain may be named like a property of every object', () => {
  const watched = new Watched();
  for (const domain of ['constructor', 'toString', 'valueOf'])
    for (const expected of [[], ['added starttls-absent']])
      assert.deepEqual(watched.check(broken, { domain }), expected, domain);
});

/** The second address of the host does not answer, so its warning is not visible. */
const oneSilent: Plant = (result: CheckResult) => ({
  ...result,
  hosts: result.hosts.map((host) => ({
    ...host,
    addresses: host.addresses.map((address, index) =>
      index === 0 ? address : { ...address, status: 'inconclusive' as const },
    ),
  })),
});

test('a known warning at an address that does not answer stays known', () => {
  const watched = new Watched();
  const warns = atHost('tls-old-version', 'warn');
  watched.check(warns);
  const steps = [oneSilent, oneSilent, warns, warns, warns];
  assert.deepEqual(
    steps.flatMap((plant) => watched.check(plant)),
    [],
  );
  // A check that proves the absence of the warning removes the warning from memory.
  const again = [healthy, warns, warns].flatMap((plant) => watched.check(plant));
  assert.deepEqual(again, ['added tls-old-version']);
});

test('an alarm does not end while a step of its fault is undecided', () => {
  const watched = new Watched();
  for (const plant of [healthy, atHost('cert-expired'), atHost('cert-expired')])
    watched.check(plant);
  const undecided: Plant = (result) => ({ ...result, undecided: ['cert-near-expiry'] });
  for (let n = 0; n < 4; n++) assert.deepEqual(watched.check(undecided), []);
  assert.deepEqual(
    [healthy, healthy].flatMap((plant) => watched.check(plant)),
    ['ended cert-expiry'],
  );
});

test('a check changes only its own domain and repeats no decision', () => {
  const watched = new Watched();
  for (const plant of [healthy, broken]) watched.check(plant);
  const check = { domain: 'a.example', result: broken(watched.healthy('a.example')) };
  const first = decideAlarms(watched.state, check, watched.now + HOUR);
  assert.deepEqual(decideAlarms(watched.state, check, watched.now + HOUR), first);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  allOf,
  atDomain,
  atHost,
  healthyResult,
  hidden,
  policyMode,
  type Plant,
} from '../../test/support/watch-results.js';
import { healthy, HOUR, Watched } from '../../test/support/watched.js';
import { awaitsConfirmation, decideAlarms } from './index.js';

test('an alarm begins at the second check with a fault and ends at the second without', () => {
  const watched = new Watched();
  assert.deepEqual(watched.check(healthy), []);
  const broken = atHost('starttls-absent');
  assert.deepEqual(watched.check(broken), []);
  assert.ok(awaitsConfirmation(watched.state, 'a.example'));
  assert.deepEqual(watched.check(broken), ['added starttls-absent']);
  assert.ok(!awaitsConfirmation(watched.state, 'a.example'));
  assert.deepEqual(watched.check(broken), []);
  assert.deepEqual(watched.check(healthy), []);
  assert.deepEqual(watched.check(broken), []);
  assert.deepEqual(watched.check(healthy), []);
  assert.deepEqual(watched.check(healthy), ['ended starttls-absent']);
});

test('a fault of one check is never reported', () => {
  const watched = new Watched();
  for (const plant of [healthy, atHost('dane-mismatch'), healthy, atHost('dane-mismatch'), healthy])
    assert.deepEqual(watched.check(plant), []);
});

test('an alarm shows its first step and the faults that began with it', () => {
  const watched = new Watched();
  const broken = allOf(atDomain('no-enforcement', 'warn'), atHost('cert-expired'));
  watched.check(healthy);
  watched.check(broken);
  const check = { domain: 'a.example', result: broken(healthyResult('a.example')) };
  const [alarm] = decideAlarms(watched.state, check, watched.now + 1).alarms;
  assert.equal(alarm?.rule, 'cert-expiry');
  assert.deepEqual(alarm.todo, ['First step of cert-expired']);
  assert.match(alarm.also.join(), /no-enforcement/);
});

test('a certificate near expiry that then expires is one alarm that worsens', () => {
  const watched = new Watched();
  const steps = [
    healthy,
    ...Array<Plant>(3).fill(atHost('cert-near-expiry', 'warn')),
    ...Array<Plant>(3).fill(atHost('cert-expired')),
    healthy,
    healthy,
  ];
  assert.deepEqual(
    steps.flatMap((plant) => watched.check(plant)),
    ['added cert-expiry', 'worse cert-expiry', 'ended cert-expiry'],
  );
});

test('warnings of the first check are known; failures of the first check are reported', () => {
  const watched = new Watched();
  const broken = allOf(atDomain('tlsrpt-absent', 'warn'), atHost('starttls-absent'));
  const reported = [broken, broken, broken].flatMap((plant) => watched.check(plant));
  assert.deepEqual(reported, ['added starttls-absent']);
});

test('a protection that a domain had and lost is reported until it returns', () => {
  const watched = new Watched();
  const weak = policyMode('testing');
  const steps = [healthy, weak, weak, weak, healthy, healthy];
  assert.deepEqual(
    steps.flatMap((plant) => watched.check(plant)),
    ['added sts-weaker', 'ended sts-weaker'],
  );
});

test('inconclusive checks change nothing, and three days of them are one alarm', () => {
  const watched = new Watched();
  watched.check(healthy);
  watched.check(atHost('starttls-absent'));
  assert.deepEqual(watched.check(atHost('starttls-absent')), ['added starttls-absent']);
  const during = Array.from({ length: 16 }, () => watched.check(hidden())).flat();
  assert.deepEqual(during, ['added not-seen']);
  assert.deepEqual(watched.check(atHost('starttls-absent')), ['ended not-seen']);
  watched.check(healthy);
  assert.deepEqual(watched.check(healthy), ['ended starttls-absent']);
});

test('a check that ends with an error has no result', () => {
  const watched = new Watched();
  watched.check(healthy);
  const during = Array.from({ length: 13 }, () => watched.check(healthy, { result: undefined }));
  assert.deepEqual(during.flat(), ['added not-seen']);
});

test('a fault at a silent address is not reported as ended', () => {
  const watched = new Watched();
  const broken = atHost('starttls-absent');
  for (const plant of [healthy, broken, broken]) watched.check(plant);
  const silent: Plant = (result) => ({
    ...result,
    hosts: result.hosts.map((host) => ({
      ...host,
      addresses: host.addresses.map((address) => ({ ...address, status: 'inconclusive' })),
    })),
  });
  for (let n = 0; n < 5; n++) assert.deepEqual(watched.check(silent), []);
  assert.deepEqual(
    [healthy, healthy].flatMap((plant) => watched.check(plant)),
    ['ended starttls-absent'],
  );
});

test('maintenance reports nothing, and a fault that outlasts it is reported', () => {
  const watched = new Watched();
  const broken = atHost('starttls-absent');
  watched.check(healthy);
  for (let n = 0; n < 4; n++) assert.deepEqual(watched.check(broken, { silent: true }), []);
  assert.deepEqual(watched.check(broken), ['added starttls-absent']);
  for (let n = 0; n < 4; n++) assert.deepEqual(watched.check(healthy, { silent: true }), []);
  assert.deepEqual(watched.check(healthy), ['ended starttls-absent']);
  for (let n = 0; n < 20; n++) watched.check(hidden(), { silent: true });
  assert.deepEqual(watched.check(hidden()), []);
});

test('a fault that begins and ends in maintenance is never reported', () => {
  const watched = new Watched();
  watched.check(healthy);
  for (let n = 0; n < 4; n++) watched.check(atHost('dane-mismatch'), { silent: true });
  watched.check(healthy, { silent: true });
  assert.deepEqual(watched.check(healthy), []);
});

test('two domains that disappear together are a local outage', () => {
  const watched = new Watched();
  const both = (plant: Plant): readonly string[] =>
    ['a.example', 'b.example'].flatMap((domain) => watched.check(plant, { domain }));
  both(healthy);
  const during = Array.from({ length: 20 }, () => both(hidden())).flat();
  assert.deepEqual(during, ['added cannot-see']);
  assert.deepEqual(both(healthy), ['ended cannot-see']);
});

test('a glitch of the resolver during one round is not an outage', () => {
  const watched = new Watched();
  const both = (plant: Plant): readonly string[] =>
    ['a.example', 'b.example'].flatMap((domain) => watched.check(plant, { domain }, 1000));
  assert.deepEqual([healthy, hidden(true), healthy].flatMap(both), []);
});

test('a domain inconclusive after a local outage has its own three days', () => {
  const watched = new Watched();
  const check = (domain: string, plant: Plant): readonly string[] =>
    watched.check(plant, { domain }, 3 * HOUR);
  for (const domain of ['a.example', 'b.example']) check(domain, healthy);
  for (let n = 0; n < 20; n++) for (const d of ['a.example', 'b.example']) check(d, hidden(true));
  assert.deepEqual(check('b.example', healthy), ['ended cannot-see']);
  const after = Array.from({ length: 13 }, () => [
    ...check('a.example', hidden()),
    ...check('b.example', healthy),
  ]);
  assert.deepEqual(after.flat(), ['added not-seen']);
  assert.ok(after.slice(0, 10).flat().length === 0);
});

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

test('an alarm begins at the second look and ends at the second look without the fault', () => {
  const watched = new Watched();
  assert.deepEqual(watched.look(healthy), []);
  const broken = atHost('starttls-absent');
  assert.deepEqual(watched.look(broken), []);
  assert.ok(awaitsConfirmation(watched.state, 'a.example'));
  assert.deepEqual(watched.look(broken), ['added starttls-absent']);
  assert.ok(!awaitsConfirmation(watched.state, 'a.example'));
  assert.deepEqual(watched.look(broken), []);
  assert.deepEqual(watched.look(healthy), []);
  assert.deepEqual(watched.look(broken), []);
  assert.deepEqual(watched.look(healthy), []);
  assert.deepEqual(watched.look(healthy), ['ended starttls-absent']);
});

test('a fault of one look is never reported', () => {
  const watched = new Watched();
  for (const plant of [healthy, atHost('dane-mismatch'), healthy, atHost('dane-mismatch'), healthy])
    assert.deepEqual(watched.look(plant), []);
});

test('an alarm names its first step and the faults that began with it', () => {
  const watched = new Watched();
  const broken = allOf(atDomain('no-enforcement', 'warn'), atHost('cert-expired'));
  watched.look(healthy);
  watched.look(broken);
  const look = { domain: 'a.example', result: broken(healthyResult('a.example')) };
  const [alarm] = decideAlarms(watched.state, look, watched.now + 1).alarms;
  assert.equal(alarm?.rule, 'cert-expiry');
  assert.deepEqual(alarm.todo, ['First step of cert-expired']);
  assert.match(alarm.also.join(), /no-enforcement/);
});

test('a certificate near its end that then expires is one alarm that worsens', () => {
  const watched = new Watched();
  const steps = [
    healthy,
    ...Array<Plant>(3).fill(atHost('cert-near-expiry', 'warn')),
    ...Array<Plant>(3).fill(atHost('cert-expired')),
    healthy,
    healthy,
  ];
  assert.deepEqual(
    steps.flatMap((plant) => watched.look(plant)),
    ['added cert-expiry', 'worse cert-expiry', 'ended cert-expiry'],
  );
});

test('warnings of the first look are known; failures of the first look are reported', () => {
  const watched = new Watched();
  const broken = allOf(atDomain('tlsrpt-absent', 'warn'), atHost('starttls-absent'));
  const reported = [broken, broken, broken].flatMap((plant) => watched.look(plant));
  assert.deepEqual(reported, ['added starttls-absent']);
});

test('a protection that a domain had and lost is reported until it returns', () => {
  const watched = new Watched();
  const weak = policyMode('testing');
  const steps = [healthy, weak, weak, weak, healthy, healthy];
  assert.deepEqual(
    steps.flatMap((plant) => watched.look(plant)),
    ['added sts-weaker', 'ended sts-weaker'],
  );
});

test('inconclusive looks change nothing, and three days of them are one alarm', () => {
  const watched = new Watched();
  watched.look(healthy);
  watched.look(atHost('starttls-absent'));
  assert.deepEqual(watched.look(atHost('starttls-absent')), ['added starttls-absent']);
  const during = Array.from({ length: 16 }, () => watched.look(hidden())).flat();
  assert.deepEqual(during, ['added not-seen']);
  assert.deepEqual(watched.look(atHost('starttls-absent')), ['ended not-seen']);
  watched.look(healthy);
  assert.deepEqual(watched.look(healthy), ['ended starttls-absent']);
});

test('a check that fails by itself is a look without a result', () => {
  const watched = new Watched();
  watched.look(healthy);
  const during = Array.from({ length: 13 }, () => watched.look(healthy, { result: undefined }));
  assert.deepEqual(during.flat(), ['added not-seen']);
});

test('a fault at an address that does not answer is not reported as ended', () => {
  const watched = new Watched();
  const broken = atHost('starttls-absent');
  for (const plant of [healthy, broken, broken]) watched.look(plant);
  const silent: Plant = (result) => ({
    ...result,
    hosts: result.hosts.map((host) => ({
      ...host,
      addresses: host.addresses.map((address) => ({ ...address, status: 'inconclusive' })),
    })),
  });
  for (let n = 0; n < 5; n++) assert.deepEqual(watched.look(silent), []);
  assert.deepEqual(
    [healthy, healthy].flatMap((plant) => watched.look(plant)),
    ['ended starttls-absent'],
  );
});

test('maintenance reports nothing, and a fault that outlasts it is reported', () => {
  const watched = new Watched();
  const broken = atHost('starttls-absent');
  watched.look(healthy);
  for (let n = 0; n < 4; n++) assert.deepEqual(watched.look(broken, { silent: true }), []);
  assert.deepEqual(watched.look(broken), ['added starttls-absent']);
  for (let n = 0; n < 4; n++) assert.deepEqual(watched.look(healthy, { silent: true }), []);
  assert.deepEqual(watched.look(healthy), ['ended starttls-absent']);
  for (let n = 0; n < 20; n++) watched.look(hidden(), { silent: true });
  assert.deepEqual(watched.look(hidden()), []);
});

test('a fault that begins and ends in maintenance is never reported', () => {
  const watched = new Watched();
  watched.look(healthy);
  for (let n = 0; n < 4; n++) watched.look(atHost('dane-mismatch'), { silent: true });
  watched.look(healthy, { silent: true });
  assert.deepEqual(watched.look(healthy), []);
});

test('two domains that disappear together are an outage here, without an accusation', () => {
  const watched = new Watched();
  const both = (plant: Plant): readonly string[] =>
    ['a.example', 'b.example'].flatMap((domain) => watched.look(plant, { domain }));
  both(healthy);
  const during = Array.from({ length: 20 }, () => both(hidden())).flat();
  assert.deepEqual(during, ['added cannot-see']);
  assert.deepEqual(both(healthy), ['ended cannot-see']);
});

test('a glitch of the resolver during one round is not an outage', () => {
  const watched = new Watched();
  const both = (plant: Plant): readonly string[] =>
    ['a.example', 'b.example'].flatMap((domain) => watched.look(plant, { domain }, 1000));
  assert.deepEqual([healthy, hidden(true), healthy].flatMap(both), []);
});

test('a domain that stays hidden after an outage here has three days of its own', () => {
  const watched = new Watched();
  const look = (domain: string, plant: Plant): readonly string[] =>
    watched.look(plant, { domain }, 3 * HOUR);
  for (const domain of ['a.example', 'b.example']) look(domain, healthy);
  for (let n = 0; n < 20; n++) for (const d of ['a.example', 'b.example']) look(d, hidden(true));
  assert.deepEqual(look('b.example', healthy), ['ended cannot-see']);
  const after = Array.from({ length: 13 }, () => [
    ...look('a.example', hidden()),
    ...look('b.example', healthy),
  ]);
  assert.deepEqual(after.flat(), ['added not-seen']);
  assert.ok(after.slice(0, 10).flat().length === 0);
});

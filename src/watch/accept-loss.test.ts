import assert from 'node:assert/strict';
import test from 'node:test';
import {
  allOf,
  noTlsa,
  policyMode,
  unsigned,
  type Plant,
} from '../../test/support/watch-results.js';
import { healthy, HOUR, Watched } from '../../test/support/watched.js';
import { acceptableLosses, acceptedText, acceptLosses } from './index.js';

const domain = 'a.example';

/**
 * Accepts all losses, or the losses of one rule, and returns a short form of the alarms.
 */
function accept(watched: Watched, rule?: string): readonly string[] {
  const losses = acceptableLosses(watched.state, domain).filter(
    (loss) => rule === undefined || loss.rule === rule,
  );
  const decided = acceptLosses(watched.state, domain, {
    ...{ losses, by: 'alice', reason: 'new provider', at: watched.now },
  });
  watched.state = decided.state;
  return decided.alarms.map(({ kind, rule: name, says }) => `${kind} ${name}: ${says}`);
}

/** Checks until the watch has no further alarm, and returns the alarms. */
const twice = (watched: Watched, plant: Plant): readonly string[] => [
  ...watched.check(plant),
  ...watched.check(plant),
];

test('a loss can be accepted only after two checks', () => {
  const watched = new Watched();
  watched.check(healthy);
  assert.deepEqual(acceptableLosses(watched.state, domain), []);
  watched.check(policyMode('testing'));
  assert.deepEqual(acceptableLosses(watched.state, domain), [], 'not confirmed');
  watched.check(policyMode('testing'));
  assert.deepEqual(acceptableLosses(watched.state, domain), [
    { rule: 'sts-weaker', from: 3, to: 2, says: 'MTA-STS mode enforce -> MTA-STS mode testing' },
  ]);
  watched.check(healthy);
  assert.deepEqual(acceptableLosses(watched.state, domain), [], 'it is there again');
});

test('an acceptance ends the alarm once and causes no further alarm', () => {
  const watched = new Watched();
  watched.check(healthy);
  assert.deepEqual(twice(watched, noTlsa), ['added dane-lost']);
  assert.deepEqual(accept(watched), [
    'ended dane-lost: a.example: alice accepted: every host with usable TLSA records -> no host with usable TLSA records. Reason: new provider',
  ]);
  assert.deepEqual(accept(watched), [], 'nothing is left');
  for (let check = 0; check < 6; check++) assert.deepEqual(watched.check(noTlsa), []);
  const [accepted] = watched.state.domains[domain]?.accepted ?? [];
  assert.ok(accepted);
  assert.match(
    acceptedText(accepted),
    /^dane-lost: every .* -> no host .*, accepted by alice on 2027-01-0\d: new provider$/,
  );
});

test('a loss below the accepted level is a new alarm', () => {
  const watched = new Watched();
  watched.check(healthy);
  twice(watched, policyMode('testing'));
  accept(watched);
  assert.deepEqual(twice(watched, policyMode('none')), ['added sts-weaker']);
  accept(watched);
  assert.deepEqual(twice(watched, policyMode(undefined)), ['added sts-weaker']);
});

test('a protection that returns after the acceptance is watched again', () => {
  const watched = new Watched();
  watched.check(healthy);
  twice(watched, noTlsa);
  accept(watched);
  assert.deepEqual(twice(watched, healthy), []);
  assert.deepEqual(twice(watched, noTlsa), ['added dane-lost']);
});

test('an acceptance of one loss leaves the others open', () => {
  const watched = new Watched();
  watched.check(healthy);
  const both = allOf(unsigned, noTlsa);
  assert.deepEqual(twice(watched, both), ['added dnssec-lost']);
  assert.deepEqual(accept(watched, 'dnssec-lost'), [], 'DANE is still lost');
  assert.deepEqual(twice(watched, both), []);
  assert.deepEqual(
    acceptableLosses(watched.state, domain).map(({ rule }) => rule),
    ['dane-lost'],
  );
  assert.deepEqual(twice(watched, unsigned), ['ended dane-lost']);
});

test('faults that are findings cannot be accepted', () => {
  const watched = new Watched();
  watched.check(healthy);
  const broken: Plant = (result) => ({
    ...policyMode('testing')(result),
    hosts: [],
    route: { kind: 'none', dnssec: 'secure' },
  });
  twice(watched, broken);
  const rules = acceptableLosses(watched.state, domain).map(({ rule }) => rule);
  assert.ok(rules.includes('route-lost') && rules.includes('sts-weaker'));
  assert.deepEqual(acceptableLosses(watched.state, 'constructor'), []);
  assert.equal(acceptLosses(watched.state, 'other.example', unknown).state, watched.state);
});

const unknown = { losses: [], by: 'alice', at: 0 };

test('an acceptance between two checks does not hide a check that began before it', () => {
  const watched = new Watched();
  watched.check(healthy);
  twice(watched, policyMode('testing'));
  accept(watched);
  // The concurrent check observed the same state.
  assert.deepEqual(watched.check(policyMode('testing'), {}, HOUR), []);
  assert.deepEqual(acceptableLosses(watched.state, domain), []);
});

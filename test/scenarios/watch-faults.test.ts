import assert from 'node:assert/strict';
import test from 'node:test';
import type { CheckResult } from '../../src/evidence/index.js';
import { decideAlarms } from '../../src/watch/index.js';
import {
  allOf,
  atDomain,
  atHost,
  hidden,
  noTlsa,
  policyMode,
  unsigned,
  type Plant,
} from '../support/watch-results.js';
import { healthy, HOUR, Watched } from '../support/watched.js';

/** Twelve days of checks. The fault lasts from day 3 to day 8. */
const CHECKS = 48;
const FROM = 12;
const UNTIL = 32;

/** Returns the alarms of a domain with a fault of this form at each check. */
function alarmsOf(plantAt: (check: number) => Plant): readonly string[] {
  const watched = new Watched();
  const alarms: string[] = [];
  for (let check = 0; check < CHECKS; check++) alarms.push(...watched.check(plantAt(check)));
  return alarms;
}

const during = (plant: Plant) =>
  alarmsOf((check) => (check >= FROM && check < UNTIL ? plant : healthy));

const firstAddress = (change: (address: Address) => Address): Plant =>
  mapHosts((host) => ({
    ...host,
    addresses: host.addresses.map((address, index) => (index === 0 ? change(address) : address)),
  }));

type Host = CheckResult['hosts'][number];
type Address = Host['addresses'][number];

function mapHosts(change: (host: Host) => Host): Plant {
  return (result) => ({ ...result, hosts: result.hosts.map(change) });
}

/** Returns a fault: a finding at only one address of the host. */
const atFirst =
  (id: string, topic: Parameters<typeof atHost>[2]): Plant =>
  (result) => {
    const all = atHost(id, 'fail', topic)(result);
    const [first] = all.findings.slice(result.findings.length);
    return { ...all, findings: [...result.findings, ...(first ? [first] : [])] };
  };

const policyId: Plant = (result) => ({
  ...result,
  mtaSts: { ...result.mtaSts, id: '20270304T000000' },
});
const otherProvider: Plant = (result) => {
  const moved = mapHosts((host) => ({ ...host, name: 'mx.provider.example' }))(result);
  return allOf(atHost('starttls-absent'), atDomain('sts-mx-mismatch', 'fail', 'mta-sts'))(moved);
};

/**
 * Each kind of fault, with the rules that its one alarm names. A change that is not a
 * fault has no rules.
 */
const faults: readonly (readonly [what: string, rules: readonly string[], plant: Plant])[] = [
  ['MX moved to a provider without TLS', ['starttls-absent'], allOf(noTlsa, otherProvider)],
  [
    'certificate with a shorter chain',
    ['cert-chain-incomplete'],
    atHost('cert-chain-incomplete', 'fail', 'certificate'),
  ],
  [
    'policy host that answers 200 with a page',
    ['sts-policy-wrong-type'],
    allOf(policyMode(undefined), atDomain('sts-policy-wrong-type', 'fail', 'mta-sts')),
  ],
  ['new policy id with the same policy', [], policyId],
  [
    'TLSA set that lost the record of the present key',
    ['dane-mismatch'],
    atHost('dane-mismatch', 'fail', 'dane'),
  ],
  ['zone whose DS record was removed', ['dnssec-lost'], allOf(unsigned, noTlsa)],
  ['one address that lost STARTTLS', ['starttls-absent'], atFirst('starttls-absent', 'starttls')],
  [
    'MX host name in another case of address order',
    [],
    mapHosts((host) => ({
      ...host,
      addresses: [...host.addresses].reverse(),
    })),
  ],
  [
    'CAA that forbids the present CA',
    ['caa-excludes-issuer'],
    atDomain('caa-excludes-issuer', 'warn', 'certificate'),
  ],
  [
    'rua name that does not exist',
    ['tlsrpt-target-claimable'],
    atDomain('tlsrpt-target-claimable', 'fail', 'tls-rpt'),
  ],
  ['resolver that lost DO', ['cannot-see'], hidden(true)],
  [
    'one address without an answer',
    [],
    firstAddress((address) => ({ ...address, status: 'unreachable', certificates: [] })),
  ],
];

for (const [what, rules, plant] of faults)
  test(`${what}: ${rules.length === 0 ? 'no alarm' : 'one alarm and one end'}`, () => {
    assert.deepEqual(
      during(plant),
      rules.flatMap((rule) => [`added ${rule}`, `ended ${rule}`]),
    );
  });

const flapping = (isBad: (check: number) => boolean) =>
  alarmsOf((check) => (check < FROM + 20 && isBad(check) ? atHost('starttls-absent') : healthy));

test('a host that fails at every second check is one alarm and one end', () => {
  const once = ['added starttls-absent', 'ended starttls-absent'];
  assert.deepEqual(
    flapping((check) => check % 2 === 1),
    once,
  );
  assert.deepEqual(
    flapping((check) => check % 3 === 1),
    [],
    'five of ten checks make a fault',
  );
});

test('an intermittent fault of two checks each is reported at most twice', () => {
  const alarms = flapping((check) => Math.floor(check / 2) % 2 === 1);
  assert.deepEqual(alarms, [
    'added starttls-absent',
    'ended starttls-absent',
    'added starttls-absent',
    'ended starttls-absent',
  ]);
});

test('an alarm that begins again within a week ends after a day without the fault', () => {
  const watched = new Watched();
  const bad = atHost('starttls-absent');
  for (const plant of [healthy, bad, bad, healthy, healthy, bad, bad]) watched.check(plant);
  assert.deepEqual(
    [0, 6, 6, 6, 6].flatMap((hours) => watched.check(healthy, {}, Math.max(1, hours) * HOUR)),
    ['ended starttls-absent'],
  );
  // A month later the same fault raises an alarm again.
  watched.now += 30 * 24 * HOUR;
  assert.deepEqual(
    [bad, bad, healthy, healthy].flatMap((plant) => watched.check(plant)),
    ['added starttls-absent', 'ended starttls-absent'],
  );
});

test('a clock that is an hour off, and then right again, changes no alarm', () => {
  const watched = new Watched();
  let state = watched.state;
  const alarms: string[] = [];
  for (let check = 0; check < CHECKS; check++) {
    const error = check >= 10 && check < 20 ? HOUR : 0;
    const now = Date.parse('2027-01-01T00:00:00Z') + check * 6 * HOUR + error;
    const plant =
      check >= FROM && check < UNTIL ? atHost('dane-mismatch', 'fail', 'dane') : healthy;
    const decided = decideAlarms(
      state,
      { domain: 'a.example', result: plant(watched.healthy('a.example')), began: now - 1000 },
      now,
    );
    ({ state } = decided);
    alarms.push(...decided.alarms.map(({ kind, rule }) => `${kind} ${rule}`));
  }
  assert.deepEqual(alarms, ['added dane-mismatch', 'ended dane-mismatch']);
});

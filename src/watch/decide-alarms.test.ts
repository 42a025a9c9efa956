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
import {
  awaitsConfirmation,
  decideAlarms,
  emptyState,
  watchStateSchema,
  type Look,
  type WatchAlarm,
  type WatchState,
} from './index.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const healthy: Plant = (result) => result;

/** A watch of one domain, driven check by check. */
class Watched {
  state: WatchState = emptyState;
  now = Date.parse('2027-01-01T00:00:00Z');

  /** Checks once, six hours after the last check, and returns the alarms in short. */
  look(plant: Plant, more: Partial<Look> = {}, pause = 6 * HOUR): readonly string[] {
    this.now += pause;
    const { domain = 'a.example' } = more;
    const look = { domain, result: plant(healthyResult(domain)), ...more };
    const { state, alarms } = decideAlarms(this.state, look, this.now);
    this.state = watchStateSchema.parse(JSON.parse(JSON.stringify(state)));
    return alarms.map(({ kind, rule }) => `${kind} ${rule}`);
  }
}

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

/** A fault of a year: the rule of its alarm, its result for the domain, its days. */
interface Injected {
  readonly rule: string;
  readonly plant: Plant;
  readonly domain: string;
  readonly from: number;
  readonly until: number;
}

const noTlsa: Plant = (result) => ({
  ...result,
  hosts: result.hosts.map((host) => ({
    ...host,
    tlsa: { ...host.tlsa, status: 'absent', records: [] },
  })),
});
const unsigned: Plant = (result) => ({ ...result, route: { kind: 'mx', dnssec: 'insecure' } });
const noReports: Plant = (result) => ({
  ...result,
  tlsRpt: { status: 'absent', rua: [], problems: [] },
});

/** Twenty kinds: servers, certificates, DANE, policies, DNS, and silence. */
const kinds: readonly (readonly [rule: string, plant: Plant])[] = [
  ['starttls-absent', atHost('starttls-absent')],
  ['route-lost', (result) => ({ ...result, route: { kind: 'none', dnssec: 'secure' }, hosts: [] })],
  ['starttls-refused', atHost('starttls-refused')],
  ['tls-handshake-failed', atHost('tls-handshake-failed', 'fail', 'tls-version')],
  ['tls-broken-version', atHost('tls-broken-version', 'fail', 'tls-version')],
  ['tls-old-version', atHost('tls-old-version', 'warn', 'tls-version')],
  ['cert-expiry', atHost('cert-expired', 'fail', 'certificate')],
  ['cert-unknown-ca', atHost('cert-unknown-ca', 'fail', 'certificate')],
  ['cert-name-mismatch', atHost('cert-name-mismatch', 'fail', 'certificate')],
  ['dane-mismatch', atHost('dane-mismatch', 'fail', 'dane')],
  ['mx-unreachable', atHost('mx-unreachable', 'warn', 'mx')],
  ['sts-policy-unreachable', allOf(policyMode(undefined), atDomain('sts-policy-unreachable'))],
  ['sts-mx-mismatch', atDomain('sts-mx-mismatch', 'fail', 'mta-sts')],
  ['sts-weaker', policyMode('testing')],
  ['sts-weaker', policyMode('none')],
  ['dane-lost', noTlsa],
  ['dnssec-lost', allOf(unsigned, noTlsa)],
  ['dnssec-bogus', atDomain('dnssec-bogus', 'fail', 'dnssec')],
  ['tlsrpt-lost', noReports],
  ['not-seen', hidden()],
];

/** Numbers from 0 to 1 from a seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const domains = Array.from({ length: 30 }, (_, n) => `d${n}.example`);
const START = Date.parse('2027-01-01T00:00:00Z');

/** The outage of this machine: days 200 to 205. */
const outage = { from: START + 200 * DAY, until: START + 205 * DAY };

/**
 * A year of checks on a virtual clock: every domain each twelve hours with jitter, sooner
 * where a check awaits confirmation. One check in fifty is inconclusive, one in fifty
 * reports a false fault.
 */
function simulateYear(
  injected: readonly Injected[],
  { seed, hasOutage }: { readonly seed: number; readonly hasOutage: boolean },
): readonly WatchAlarm[] {
  const random = dice(seed);
  let state = emptyState;
  const results = new Map(domains.map((domain) => [domain, healthyResult(domain)]));
  const next = new Map(domains.map((domain) => [domain, START + random() * 12 * HOUR]));
  const alarms: WatchAlarm[] = [];
  const last = new Map<string, boolean>();
  for (;;) {
    const [domain, now] = [...next].reduce((a, b) => (b[1] < a[1] ? b : a));
    if (now > START + 365 * DAY) return alarms;
    const plants = injected.filter((f) => f.domain === domain && f.from <= now && now < f.until);
    const inOutage = hasOutage && outage.from <= now && now < outage.until;
    // Two false faults in a row would be a fault, so a good check precedes each of them.
    const glitch = !inOutage && last.get(domain) !== true && random() < 0.04;
    last.set(domain, glitch);
    const real = plants.reduce(
      (result, { plant }) => plant(result),
      results.get(domain) ?? healthyResult(domain),
    );
    const transient = random() < 0.5 ? hidden() : atHost('starttls-intermittent');
    const seen = glitch ? transient(real) : real;
    const result = inOutage ? hidden(random() < 0.5)(real) : seen;
    const decided = decideAlarms(state, { domain, result }, now);
    ({ state } = decided);
    alarms.push(...decided.alarms);
    const pause = awaitsConfirmation(state, domain) ? HOUR / 6 : 12 * HOUR;
    next.set(domain, now + pause * (0.9 + 0.2 * random()));
  }
}

/** One fault of each kind, at a separate domain, for 8 to 40 days of the year. */
function inject(seed: number): readonly Injected[] {
  const random = dice(seed);
  return kinds.map(([rule, plant], n) => {
    const from = START + (5 + random() * 140) * DAY;
    return { rule, plant, domain: `d${n}.example`, from, until: from + (8 + random() * 32) * DAY };
  });
}

const short = ({ kind, domain, rule }: WatchAlarm): string => `${domain} ${kind} ${rule}`;

for (const seed of [1, 2]) {
  test(`a year without a fault has no alarm (seed ${seed})`, () => {
    assert.deepEqual(simulateYear([], { seed, hasOutage: false }), []);
  });

  test(`each of 20 faults in a year is one alarm and one end (seed ${seed})`, () => {
    const injected = inject(seed);
    const alarms = simulateYear(injected, { seed, hasOutage: true });
    const expected = injected.flatMap(({ domain, rule }) => [
      `${domain} added ${rule}`,
      `${domain} ended ${rule}`,
    ]);
    const own = ['this machine added cannot-see', 'this machine ended cannot-see'];
    assert.deepEqual(alarms.map(short).sort(), [...expected, ...own].sort());
    assert.equal(new Set(alarms.map(({ id }) => id)).size, alarms.length);
    for (const { kind, todo } of alarms) assert.equal(todo.length, Number(kind === 'added'));
  });
}

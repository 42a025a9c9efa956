import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { PolicyWorld, type StepFaults } from '../../../test/support/publish/policy-simulation.js';
import type { DesiredPolicy, ReportSummary } from './types.js';
import { testSize } from '../../../test/support/test-size.js';

const desired: DesiredPolicy = {
  mode: 'enforce',
  mx: ['mx1.example.com', 'mx2.example.com'],
  maxAges: [86_400, 604_800],
  policyHost: 'policy.example.net',
  ttl: 3600,
  reporters: ['google.com'],
  days: 2,
  minReports: 1,
  confirmed: [],
};

const report = (change: Partial<ReportSummary> = {}): ReportSummary => ({
  signedBy: 'google.com',
  via: 'mail',
  day: '1970-01-03',
  sessions: 100,
  failures: 0,
  ...change,
});

/** A day of reports for each of the first 100 days. */
const goodReports = Array.from({ length: 100 }, (_, i) =>
  report({ day: new Date(i * 86_400_000).toISOString().slice(0, 10) }),
);

function domain(mx: readonly string[] = desired.mx): PolicyWorld {
  const world = new PolicyWorld(mx);
  world.reports = goodReports;
  return world;
}

/**
 * Runs a round each hour until the policy has this mode, at most for the given number of
 * days.
 */
function until(world: PolicyWorld, mode: string, wanted: DesiredPolicy = desired, days = 30): void {
  for (let i = 0; i < 24 * days && world.mode !== mode; i++) world.run(wanted);
  assert.equal(world.mode, mode);
}

function settle(world: PolicyWorld, wanted: DesiredPolicy, hours: number): void {
  for (let i = 0; i < hours; i++) world.run(wanted);
}

// [8461-8.1-1, 8461-8.2-2, 8461-3.3-14]
test('order from nothing: host, body in testing mode, certificate, record', () => {
  const world = domain();
  settle(world, desired, 6);
  assert.deepEqual(
    world.log.map((line) => line.split(' ')[0]).filter((word, i, all) => all.indexOf(word) === i),
    ['serve-policy', 'CNAME', 'make-key', 'certify', 'TXT'],
  );
  assert.equal(world.mode, 'testing');
  assert.deepEqual(world.broken, []);
});

test('a policy is enforced after testing, passing probes and signed clean reports', () => {
  const world = domain();
  until(world, 'enforce');
  assert.ok(world.now >= 2 * 86_400_000);
  assert.match(world.bodies[0] ?? '', /max_age: 86400/);
  settle(world, desired, 30);
  assert.match(world.bodies[0] ?? '', /max_age: 604800/);
  assert.deepEqual(world.broken, []);
});

const holding: readonly (readonly [
  string,
  Partial<DesiredPolicy>,
  (world: PolicyWorld) => void,
])[] = [
  ['an address fails our own probe', {}, (world) => void (world.hostsPass = 'fail')],
  ['an address could not be checked', {}, (world) => void (world.hostsPass = 'unknown')],
  ['no signed report came', {}, (world) => void (world.reports = [])],
  [
    'reports came over HTTPS alone, which anybody can post',
    {},
    (world) => void (world.reports = goodReports.map((record) => ({ ...record, via: 'https' }))),
  ],
  [
    'reports are not signed',
    {},
    (world) => void (world.reports = goodReports.map(({ signedBy: _, ...record }) => record)),
  ],
  ['reports are signed by somebody else', { reporters: ['example.net'] }, () => undefined],
  [
    'a signed report tells of failures',
    {},
    (world) => void (world.reports = goodReports.map((record) => ({ ...record, failures: 1 }))),
  ],
];
for (const [why, change, arrange] of holding) {
  test(`testing is held when ${why}`, () => {
    const world = domain();
    arrange(world);
    for (let i = 0; i < 24 * 10; i++) {
      const step = world.run({ ...desired, ...change });
      if (i > 24 * 9) assert.ok(step.waits.length > 0);
    }
    assert.equal(world.mode, 'testing');
  });
}

test('the operator may enforce without reports, but not against a failed probe', () => {
  const world = domain();
  world.reports = [];
  until(world, 'testing');
  settle(world, desired, 50);
  const [proposal] = world.run(desired).proposals;
  assert.match(proposal?.token ?? '', /^enforce:example\.com:/);
  const confirmed = { ...desired, confirmed: [proposal?.token ?? ''] };
  world.hostsPass = 'fail';
  assert.deepEqual(world.run(confirmed).proposals, []);
  settle(world, confirmed, 5);
  assert.equal(world.mode, 'testing');
  world.hostsPass = 'pass';
  until(world, 'enforce', confirmed);
});

test('10,000 reports of starttls-not-supported keep the mode and raise one alert', () => {
  for (const mode of ['enforce', 'testing'] as const) {
    const world = domain();
    until(world, mode, desired);
    settle(world, desired, 5);
    const body = world.bodies[0];
    for (let i = 0; i < 24 * 5; i++) {
      const day = new Date(world.now).toISOString().slice(0, 10);
      world.reports = Array.from({ length: 10_000 }, (_, total) =>
        report({
          day,
          failures: 50,
          ...(total % 3 === 0 ? { via: 'https' } : {}),
          ...(total % 2 === 0 ? { signedBy: `d${total}.example` } : {}),
        }),
      );
      const step = world.run(desired);
      assert.equal(world.mode, mode);
      assert.deepEqual(
        step.alerts.map(({ code }) => code),
        ['publish-reports-failing'],
      );
      assert.deepEqual(
        step.steps.filter(({ action }) => action.kind !== 'serve-policy'),
        [],
      );
    }
    assert.equal(world.bodies[0], body);
  }
});

test('a failing probe raises an alert and holds the ramp, but keeps enforce', () => {
  const world = domain();
  until(world, 'enforce');
  world.hostsPass = 'fail';
  settle(world, desired, 24 * 5);
  assert.equal(world.mode, 'enforce');
  assert.match(world.bodies[0] ?? '', /max_age: 86400/);
  assert.equal(world.run(desired).alerts[0]?.code, 'publish-mx-failing');
});

test('leaving enforce needs a confirmation that names that policy', () => {
  for (const mode of ['testing', 'none'] as const) {
    const world = domain();
    until(world, 'enforce');
    const retire = { ...desired, mode };
    settle(world, retire, 5);
    const [proposal] = world.run(retire).proposals;
    assert.match(proposal?.token ?? '', /^leave-enforce:example\.com:[0-9a-f]{8}-\d+$/);
    settle(
      world,
      {
        ...retire,
        confirmed: [
          'leave-enforce:example.com:00000000-2',
          proposal?.token.replace(/\d+$/, '1') ?? '',
        ],
      },
      5,
    );
    assert.equal(world.mode, 'enforce');
    until(world, mode, { ...retire, confirmed: [proposal?.token ?? ''] });
    assert.deepEqual(world.broken, []);
  }
});

/** Confirms every proposal. */
function remove(world: PolicyWorld, troubles: () => StepFaults = () => ({})): void {
  const none: DesiredPolicy = { ...desired, mode: 'none' };
  let confirmed: readonly string[] = [];
  for (let i = 0, still = 0; i < 24 * 60 && still < 24; i++) {
    const step = world.run({ ...none, confirmed }, troubles());
    confirmed = [...confirmed, ...step.proposals.map(({ token }) => token)];
    still =
      world.mode === 'absent' && world.txt.flat().length === 0 && step.steps.length === 0
        ? still + 1
        : 0;
  }
}

// [8461-8.3-1]
test('RFC 8461 §8.3: removal waits until every served policy has expired', () => {
  const world = domain();
  until(world, 'enforce');
  settle(world, desired, 48); // a policy of one week is served now
  const began = world.now;
  const confirm = {
    ...desired,
    mode: 'testing' as const,
    confirmed: [
      `leave-enforce:example.com:${world.state.served.at(-1)?.id.slice(0, 8) ?? ''}-${world.state.served.length}`,
    ],
  };
  until(world, 'testing', confirm);
  settle(world, confirm, 5);
  remove(world);
  assert.equal(world.mode, 'absent');
  assert.deepEqual(world.txt, [[], []]);
  assert.ok(world.now - began > 604_800_000, 'the week of the policy before last is waited for');
  assert.deepEqual(world.broken, []);
  assert.equal(world.run({ ...desired, mode: 'none' }).steps.length, 0);
});

// [8461-8.1-2]
test('MX change under enforce: union first, then the records, then the old host leaves', () => {
  const world = domain();
  until(world, 'enforce');
  settle(world, desired, 40);
  const move = { ...desired, mx: ['mx2.example.com', 'mx3.example.com'] };
  settle(world, move, 24 * 3);
  assert.deepEqual(world.mx[0], ['10 mx2.example.com', '20 mx3.example.com']);
  assert.doesNotMatch(world.bodies[0] ?? '', /mx1/);
  assert.match(world.bodies[0] ?? '', /mx3/);
  assert.equal(world.mode, 'enforce');
  assert.deepEqual(world.broken, []);
});

test('the policy does not move to an MX host that fails the probe', () => {
  const world = domain();
  until(world, 'enforce');
  settle(world, desired, 40);
  world.hostsPass = 'fail';
  settle(world, { ...desired, mx: ['mx3.example.com'] }, 24 * 3);
  assert.deepEqual(world.mx[0], ['10 mx1.example.com', '10 mx2.example.com']);
});

test('a host that only DNS contains never enters the policy and blocks its promotion', () => {
  const world = domain(['mx1.example.com', 'mx2.example.com', 'mx.attacker.example']);
  for (let i = 0; i < 24 * 5; i++) world.run(desired);
  assert.equal(world.mode, 'testing');
  assert.doesNotMatch(world.bodies[0] ?? '', /attacker/);
  const step = world.run(desired);
  assert.ok(step.alerts.some(({ code }) => code === 'publish-mx-unlisted'));
  assert.deepEqual(world.mx[0]?.length, 3);
});

// [8461-3.1-14, 8461-3.1-13]
test('one of several records stays, and other texts at the name are unchanged', () => {
  const world = domain();
  world.txt = [0, 1].map(() => ['v=STSv1; id=1;', 'v=STSv1; id=2;', 'hello "world"']);
  const { alerts, proposals } = world.run(desired);
  assert.ok(alerts.some(({ code }) => code === 'publish-record-multiple'));
  const confirmed = { ...desired, confirmed: proposals.map(({ token }) => token) };
  for (let i = 0; i < 4; i++) world.run(confirmed);
  const [rrset] = world.log.filter((line) => line.startsWith('TXT'));
  assert.match(rrset ?? '', /^TXT "hello \\"world\\"" "v=STSv1; id=[0-9a-f]{32};"$/);
});

test('a record with an unavailable policy stops all steps', () => {
  const world = domain();
  world.txt = [['v=STSv1; id=20200101;'], ['v=STSv1; id=20200101;']];
  for (let i = 0; i < 48; i++) assert.deepEqual(world.run(desired).steps, []);
  const { proposals } = world.run(desired);
  assert.match(proposals[0]?.token ?? '', /^begin:example\.com:/);
  until(world, 'testing', { ...desired, confirmed: proposals.map(({ token }) => token) });
});

test('an existing policy is adopted unchanged, and its max_age counts at removal', () => {
  const world = domain();
  world.bodies = [0, 1].map(
    () => 'version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 1209600\n',
  );
  world.txt = [['v=STSv1; id=20200101;'], ['v=STSv1; id=20200101;']];
  world.alias = 'web.example.net';
  world.certified = true;
  const { state } = world.run(desired);
  assert.equal(state.served[0]?.adopted, true);
  settle(world, desired, 24);
  assert.equal(world.mode, 'enforce');
  const began = world.now;
  remove(world);
  assert.ok(world.now - began > 1_100_000_000, 'two weeks less the day before');
  const { steps, waits } = world.run({ ...desired, mode: 'none' });
  assert.deepEqual(
    [steps, world.alias],
    [[], 'web.example.net'],
    'a name that was not made here stays',
  );
  assert.match(waits[0]?.why ?? '', /stays unchanged.*web\.example\.net/);
});

test('the name of the policy host is removed last, if it is unchanged', () => {
  const world = domain();
  until(world, 'enforce');
  const turned = 'another.example.net';
  world.alias = turned;
  remove(world);
  assert.equal(world.alias, turned);
  assert.match(
    world.run({ ...desired, mode: 'none' }).waits[0]?.why ?? '',
    /stays unchanged.*another\.example\.net/,
  );
  world.alias = desired.policyHost;
  assert.deepEqual(world.run({ ...desired, mode: 'none' }).steps.length, 1);
  assert.deepEqual([world.alias, world.log.at(-1), world.broken], [undefined, 'CNAME none', []]);
  assert.deepEqual(world.run({ ...desired, mode: 'none' }).steps, []);
});

const trouble = fc.record({
  dies: fc.boolean(),
  diesAfterOne: fc.boolean(),
  blind: fc.constantFrom(undefined, undefined, 'nameserver' as const, 'policy-host' as const),
  lags: fc.boolean(),
});

test('crashes, silence and lagging servers at any step lead to the same end', () => {
  fc.assert(
    fc.property(fc.infiniteStream(trouble), (stream) => {
      const world = domain();
      const troubles = (): StepFaults => {
        const { blind, ...rest } = stream.next().value as StepFaults;
        return { ...rest, ...(blind ? { blind } : {}) };
      };
      for (let i = 0; i < 24 * 40 && world.mode !== 'enforce'; i++) world.run(desired, troubles());
      for (let i = 0; i < 24 * 4; i++) world.run(desired, troubles());
      const move = { ...desired, mx: ['mx2.example.com', 'mx3.example.com'] };
      for (let i = 0; i < 24 * 6; i++) world.run(move, troubles());
      assert.doesNotMatch(world.bodies[0] ?? '', /mx1/);
      remove(world, troubles);
      assert.deepEqual(
        [world.mode, world.txt[0], world.alias, world.broken],
        ['absent', [], undefined, []],
      );
    }),
    { numRuns: testSize(5, 25) },
  );
});

test('a crash at any step leads to the same end', () => {
  /**
   * Simulates the lifetime of a policy. The process crashes in the given runs. Returns
   * the runs with a step, and every served policy.
   */
  const live = (
    diesAt: number,
    how: StepFaults,
  ): { busy: number[]; served: string[]; broken: readonly string[] } => {
    const world = domain();
    const busy: number[] = [];
    let total = 0;
    let confirmed: readonly string[] = [];
    const go = (wanted: DesiredPolicy, hours: number): void => {
      for (let i = 0; i < hours; i++, total++) {
        const step = world.run({ ...wanted, confirmed }, total === diesAt ? how : {});
        confirmed = [...confirmed, ...step.proposals.map(({ token }) => token)];
        if (step.steps.length > 0) busy.push(total);
      }
    };
    go(desired, 24 * 5);
    go({ ...desired, mx: ['mx2.example.com', 'mx3.example.com'] }, 24 * 2);
    go({ ...desired, mode: 'none' }, 24 * 10);
    assert.deepEqual([world.mode, world.alias], ['absent', undefined]);
    return { busy, served: world.state.served.map(({ id }) => id), broken: world.broken };
  };
  const whole = live(-1, {});
  assert.ok(whole.busy.length >= 12, `${whole.busy.length} steps`);
  for (const at of whole.busy) {
    for (const how of [{ dies: true }, { diesAfterOne: true }]) {
      const { served, broken } = live(at, how);
      assert.deepEqual({ served, broken }, { served: whole.served, broken: [] }, `run ${at}`);
    }
  }
});

import assert from 'node:assert/strict';
import test from 'node:test';
import type {
  RolloverObservation,
  TlsaRolloverState,
  RolloverStep,
  DesiredRollover,
  Rrset,
} from './types.js';
import { recordsOf } from './rrset.js';
import { startRollover, stepRollover } from './step-rollover.js';

const TTL = 3600;
const key = (n: number, type: 'ecdsa' | 'rsa' = 'ecdsa') => {
  const digit = `${n}${type === 'rsa' ? 'f' : 'e'}`;
  return {
    name: `${type}-${n}`,
    type,
    sha256: digit.repeat(32),
    sha512: digit.repeat(64),
    certified: true,
  };
};
const rrset = (...keys: ReturnType<typeof key>[]): Rrset => ({
  records: recordsOf(keys, [1]),
  ttl: TTL,
});
const desired: DesiredRollover = {
  publish: true,
  types: ['ecdsa'],
  matchingTypes: [1],
  ttl: TTL,
  retire: [],
};

/** Returns the observation of a host that presents key 1, with key 2 announced. */
function reading(
  change: Partial<RolloverObservation> = {},
  records = rrset(key(1), key(2)),
): RolloverObservation {
  return {
    at: 10_000_000,
    nameservers: ['a', 'b'].map((server) => ({ server, rrset: records })),
    dnssec: 'secure',
    ds: { records: ['1 13 2 ab'], ttl: TTL },
    addresses: ['192.0.2.1', '2001:db8::1'].map((address) => ({
      address,
      starttls: 'offered',
      keys: [key(1).sha256],
    })),
    ring: [key(1), key(2)],
    ...change,
  };
}

/** Returns the state of that host after it was first observed more than two TTLs ago. */
const start = (observed = reading()): TlsaRolloverState =>
  stepRollover(startRollover('mx.example.com'), { ...observed, at: 0 }, desired).state;
const leave1: DesiredRollover = { ...desired, retire: [key(1).sha256] };

/** Summarises the actions of a step. */
function asked({ steps }: RolloverStep): string {
  return steps
    .map(({ action }) =>
      action.kind === 'set-rrset'
        ? `set ${action.to.map((record) => record.slice(6, 8)).join('+') || 'nothing'}`
        : `${action.kind} ${action.key}`,
    )
    .join(', ');
}

test('with the current and the next key published the plan is empty', () => {
  assert.equal(asked(stepRollover(start(), reading(), desired)), '');
});

test("a host without TLSA records gets the current key's first, then the next key's", () => {
  const none: Rrset = { records: [], ttl: TTL };
  const first = stepRollover(startRollover('mx.example.com'), reading({}, none), desired);
  assert.equal(asked(first), 'set 1e');
  assert.equal(asked(stepRollover(first.state, reading({}, rrset(key(1))), desired)), 'set 1e+2e');
});

test('a published next key is deployed on request, and the old record is removed last', () => {
  const deploy = stepRollover(start(), reading(), leave1);
  assert.equal(asked(deploy), 'deploy ecdsa-2');
  const addresses = reading().addresses.map((address, i) => ({
    ...address,
    keys: [key(i === 0 ? 2 : 1).sha256],
  }));
  const half = stepRollover(deploy.state, reading({ addresses }), leave1);
  assert.equal(asked(half), 'deploy ecdsa-2');
  const all = reading().addresses.map((address) => ({ ...address, keys: [key(2).sha256] }));
  assert.equal(asked(stepRollover(half.state, reading({ addresses: all }), leave1)), 'set 2e');
});

test('an unreachable server keeps the retired record published', () => {
  const deploy = stepRollover(start(), reading(), leave1);
  const addresses = reading().addresses.map((address, i) => ({
    ...address,
    keys: i === 0 ? [key(2).sha256] : ('unknown' as const),
  }));
  const step = stepRollover(deploy.state, reading({ addresses }), leave1);
  assert.doesNotMatch(asked(step), /set/);
});

// [7671-8.1-1]
test('the two TTLs start when the last server stops showing the old records', () => {
  const ring = [key(1), key(2)];
  let state = start(reading({ ring: [key(1)] }, rrset(key(1))));
  const push = stepRollover(state, reading({ ring }, rrset(key(1))), leave1);
  assert.equal(asked(push), 'set 1e+2e');
  const lagging = reading({
    at: 15_000_000,
    nameservers: [
      { server: 'a', rrset: rrset(key(1), key(2)) },
      { server: 'b', rrset: rrset(key(1)) },
    ],
  });
  state = stepRollover(push.state, lagging, leave1).state;
  const seenAt = 20_000_000;
  const observed = stepRollover(state, reading({ at: seenAt }), leave1);
  assert.equal(asked(observed), '');
  assert.equal(observed.waits[0]?.until, seenAt + 2 * TTL * 1000);
  assert.equal(
    asked(stepRollover(observed.state, reading({ at: seenAt + 2 * TTL * 1000 - 1 }), leave1)),
    '',
  );
  assert.equal(
    asked(stepRollover(observed.state, reading({ at: seenAt + 2 * TTL * 1000 }), leave1)),
    'deploy ecdsa-2',
  );
});

test('a wait states whether servers differ, are silent or show old records', () => {
  const before = start(reading({ ring: [key(1)] }, rrset(key(1))));
  const push = stepRollover(before, reading({}, rrset(key(1))), desired);
  const why = (observed: RolloverObservation): string =>
    stepRollover(push.state, observed, desired).waits[0]?.why ?? '';
  const old = { server: 'a', rrset: rrset(key(1)) };
  const current = { server: 'b', rrset: rrset(key(1), key(2)) };
  assert.match(why(reading({}, rrset(key(1)))), /^every authoritative server still shows the/);
  assert.match(why(reading({ nameservers: [old, current] })), /do not all show the same records/);
  const silent = { server: 'b', rrset: 'unknown' as const };
  assert.equal(why(reading({ nameservers: [old, silent] })), 'no answer from b');
  assert.match(why(reading({ dnssec: 'bogus' }, rrset(key(1)))), /cannot be validated \(bogus\)/);
});

// The clock was ahead when the old records left the DNS, and was corrected later.
for (const [ahead, ms] of [
  ['a day', 86_400_000],
  ['a month', 2_592_000_000],
  ['thirty years', 946_080_000_000],
] as const)
  test(`after a clock that was ${ahead} ahead a rollover waits two TTLs, not longer`, () => {
    const ring = [key(1), key(2)];
    const before = start(reading({ ring: [key(1)] }, rrset(key(1))));
    const push = stepRollover(before, reading({ ring }, rrset(key(1))), leave1);
    const at = 20_000_000;
    const gone = stepRollover(push.state, reading({ at: at + ms }), leave1);
    assert.equal(asked(gone), '');
    const right = stepRollover(gone.state, reading({ at }), leave1);
    assert.equal(asked(right), '');
    assert.equal(right.waits[0]?.until, at + 2 * TTL * 1000);
    const end = { at: at + 2 * TTL * 1000 };
    assert.equal(asked(stepRollover(right.state, reading(end), leave1)), 'deploy ecdsa-2');
  });

// A machine without a hardware clock starts a round before its time is set.
for (const [behind, ms] of [
  ['three hours', 10_800_000],
  ['fifty years', 1_576_800_000_000],
] as const)
  test(`a clock that was ${behind} behind for one round shortens no wait`, () => {
    const ring = [key(1), key(2)];
    const before = start(reading({ ring: [key(1)] }, rrset(key(1))));
    const push = stepRollover(before, reading({ ring }, rrset(key(1))), leave1);
    const at = 2e12;
    let { state } = stepRollover(push.state, reading({ at }), leave1);
    ({ state } = stepRollover(state, reading({ at: at - ms }), leave1));
    const right = stepRollover(state, reading({ at: at + 60_000 }), leave1);
    assert.equal(asked(right), '');
    assert.equal(right.waits[0]?.until, at + 2 * TTL * 1000);
  });

test('a change of the DS records seen while the clock was ahead blocks for two TTLs', () => {
  const ds = { records: ['2 13 2 cd'], ttl: TTL };
  const at = 20_000_000;
  const changed = stepRollover(start(), reading({ at: at + 2_592_000_000, ds }), leave1);
  const right = stepRollover(changed.state, reading({ at, ds }), leave1);
  assert.equal(right.waits[0]?.until, at + 2 * TTL * 1000);
  const end = { at: at + 2 * TTL * 1000, ds };
  assert.equal(asked(stepRollover(right.state, reading(end), leave1)), 'deploy ecdsa-2');
});

test('[7672-2.2-7] an answer without DNSSEC proof starts no timer', () => {
  for (const dnssec of ['bogus', 'indeterminate'] as const) {
    const step = stepRollover(start(), reading({ dnssec }), leave1);
    assert.equal(asked(step), '');
    assert.match(step.waits[0]?.why ?? '', new RegExp(dnssec));
  }
});

test('in an unsigned zone no record is published, with the reason', () => {
  const step = stepRollover(
    startRollover('mx.example.com'),
    reading({ dnssec: 'insecure' }, { records: [], ttl: TTL }),
    desired,
  );
  assert.doesNotMatch(asked(step), /set/);
  assert.equal(step.alerts[0]?.code, 'publish-zone-unsigned');
});

// [7671-13-2]
test('no change starts while the delegation changes, and no change is sent twice', () => {
  const moved = { records: ['2 13 2 cd'], ttl: TTL };
  const before = start(reading({}, rrset(key(1))));
  const step = stepRollover(before, reading({ ds: moved }, rrset(key(1))), leave1);
  assert.equal(asked(step), '');
  assert.equal(step.waits[0]?.until, 10_000_000 + 2 * TTL * 1000);
  const later = reading({ at: 10_000_000 + 2 * TTL * 1000, ds: moved }, rrset(key(1)));
  assert.equal(asked(stepRollover(step.state, later, leave1)), 'set 1e+2e');
});

// [7672-9.2-1]
test('RFC 7672 §9.2: no TLSA records without STARTTLS or for a foreign key', () => {
  const none: Rrset = { records: [], ttl: TTL };
  const plain = reading().addresses.map((address, i) =>
    i === 0 ? address : { ...address, starttls: 'absent' as const, keys: [] },
  );
  const step = stepRollover(
    startRollover('mx.example.com'),
    reading({ addresses: plain }, none),
    desired,
  );
  assert.doesNotMatch(asked(step), /set/);
  assert.equal(step.alerts[0]?.code, 'publish-starttls-absent');
  const strange = reading().addresses.map((address) => ({ ...address, keys: ['ff'.repeat(32)] }));
  const other = stepRollover(
    startRollover('mx.example.com'),
    reading({ addresses: strange }, none),
    desired,
  );
  assert.doesNotMatch(asked(other), /set/);
  assert.equal(other.alerts[0]?.code, 'publish-key-unknown');
});

test('a ring key that the operator deployed is matched before anything else', () => {
  const addresses = reading().addresses.map((address) => ({ ...address, keys: [key(7).sha256] }));
  const step = stepRollover(
    start(),
    reading({ addresses, ring: [key(1), key(2), key(7)] }),
    desired,
  );
  assert.equal(asked(step), 'set 1e+2e+7e');
});

// [7671-8.4-2]
test('records with other parameters are replaced before a key changes', () => {
  const old: Rrset = { records: [`2 1 1 ${'ab'.repeat(32)}`], ttl: 86_400 };
  const step = stepRollover(startRollover('mx.example.com'), reading({}, old), leave1);
  assert.equal(asked(step), 'set 1e');
  const next = stepRollover(step.state, reading({}, rrset(key(1))), leave1);
  assert.equal(asked(next), 'set 1e+2e');
  const announced = stepRollover(next.state, reading({ at: 20_000_000 }), leave1);
  // Caches hold the RRset for two of its own TTLs.
  assert.equal(announced.waits[0]?.until, 10_000_000 + 2 * 86_400_000);
});

test('every published record is usage 3, selector 1 [7672-3.1.2-2]', () => {
  const { steps } = stepRollover(start(), reading(), { ...desired, matchingTypes: [1, 2] });
  const published = steps.flatMap(({ action }) => (action.kind === 'set-rrset' ? action.to : []));
  assert.ok(published.length > 0);
  for (const record of published) assert.match(record, /^3 1 [12] /);
});

// [7671-8.3-1]
test('RFC 7671 §8.3: SHA-512 is added for all keys, then SHA-256 removed for all', () => {
  const both = stepRollover(start(), reading(), { ...desired, matchingTypes: [1, 2] });
  const [step] = both.steps;
  assert.deepEqual(
    step?.action.kind === 'set-rrset' && step.action.to.map((record) => record.slice(0, 8)),
    ['3 1 1 1e', '3 1 1 2e', '3 1 2 1e', '3 1 2 2e'],
  );
});

test('two key types: both next keys are announced, and one key is deployed at a time', () => {
  const dual: DesiredRollover = {
    ...desired,
    types: ['ecdsa', 'rsa'],
    retire: [key(1).sha256, key(1, 'rsa').sha256],
  };
  const keys = [key(1), key(1, 'rsa'), key(2), key(2, 'rsa')];
  const addresses = reading().addresses.map((address) => ({
    ...address,
    keys: [key(1).sha256, key(1, 'rsa').sha256],
  }));
  const observed = reading({ addresses, ring: keys }, rrset(...keys));
  const first = stepRollover(
    startRollover('mx.example.com'),
    { ...observed, at: 0 },
    { ...dual, retire: [] },
  );
  const step = stepRollover(first.state, observed, dual);
  assert.equal(asked(step), 'deploy ecdsa-2');
  assert.equal(asked(stepRollover(step.state, observed, dual)), 'deploy ecdsa-2');
});

test('a retired key type keeps its record while an address shows it', () => {
  const keys = [key(1), key(1, 'rsa'), key(2), key(2, 'rsa')];
  const both = reading().addresses.map((address) => ({
    ...address,
    keys: [key(1).sha256, key(1, 'rsa').sha256],
  }));
  const observed = reading({ addresses: both, ring: keys }, rrset(...keys));
  const first = stepRollover(
    startRollover('mx.example.com'),
    { ...observed, at: 0 },
    { ...desired, types: ['ecdsa', 'rsa'] },
  );
  const still = stepRollover(
    first.state,
    {
      ...observed,
      addresses: both.map((address, i) =>
        i === 0 ? address : { ...address, keys: [key(1).sha256] },
      ),
    },
    desired,
  );
  assert.equal(asked(still), '');
  const over = stepRollover(
    still.state,
    { ...observed, addresses: both.map((address) => ({ ...address, keys: [key(1).sha256] })) },
    desired,
  );
  assert.equal(asked(over), 'set 1e+2e');
});

test('a server without a certificate gets a key first and TLSA records later', () => {
  const none: Rrset = { records: [], ttl: TTL };
  const bare = reading().addresses.map((address) => ({
    ...address,
    starttls: 'absent' as const,
    keys: [],
  }));
  const first = stepRollover(
    startRollover('mx.example.com'),
    reading({ addresses: bare, ring: [] }, none),
    desired,
  );
  assert.equal(asked(first), 'make-key ecdsa-1');
  const made = stepRollover(
    first.state,
    reading({ addresses: bare, ring: [{ ...key(1), certified: false }] }, none),
    desired,
  );
  assert.equal(asked(made), 'certify ecdsa-1');
  const certified = stepRollover(
    made.state,
    reading({ addresses: bare, ring: [key(1)] }, none),
    desired,
  );
  assert.equal(asked(certified), 'deploy ecdsa-1');
  assert.equal(
    asked(stepRollover(certified.state, reading({ ring: [key(1)] }, none), desired)),
    'set 1e',
  );
});

test('a record of another program ends the pending change, and a new one is planned', () => {
  const push = stepRollover(start(reading({}, rrset(key(1)))), reading({}, rrset(key(1))), desired);
  const theirs: Rrset = {
    records: [...rrset(key(1)).records, `3 1 1 ${'99'.repeat(32)}`],
    ttl: TTL,
  };
  const step = stepRollover(push.state, reading({}, theirs), desired);
  assert.equal(asked(step), 'set 1e');
});

test('without TLSA one change removes the records, and no deployment starts', () => {
  const step = stepRollover(start(), reading(), { ...leave1, publish: false });
  assert.equal(asked(step), 'set nothing');
});

test('earlier records are unknown, so the first key change waits two TTLs', () => {
  const step = stepRollover(startRollover('mx.example.com'), reading(), leave1);
  assert.equal(asked(step), '');
  assert.equal(step.waits[0]?.until, 10_000_000 + 2 * TTL * 1000);
});

test('the state survives saving', () => {
  const { state } = stepRollover(start(), reading(), leave1);
  assert.deepEqual(JSON.parse(JSON.stringify(state)), state);
});

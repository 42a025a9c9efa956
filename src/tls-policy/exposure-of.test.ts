import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cell, exposureOf } from './exposure-of.js';
import {
  attacks,
  senders,
  type HostView,
  type SenderClass,
  type ServerView,
  type StsView,
  type View,
} from './types.js';

const healthy: ServerView = {
  ip: '192.0.2.1',
  reachable: 'yes',
  starttls: 'yes',
  tls: 'yes',
  pkix: 'yes',
  dane: 'yes',
  attacker: false,
};
const enforce: StsView = { live: 'enforce', mx: ['mx.good.example'] };
const noPolicy: StsView = { live: 'absent', mx: [] };

function host(changes: Partial<HostView> = {}, server: Partial<ServerView> = {}): HostView {
  return {
    name: 'mx.good.example',
    dnssec: 'secure',
    tlsa: 'usable',
    servers: [{ ...healthy, ...server }],
    ...changes,
  };
}

function view(
  hosts: readonly HostView[],
  mtaSts: StsView = noPolicy,
  dnssec: View['route']['dnssec'] = 'secure',
): View {
  return { route: { kind: 'mx', dnssec }, mtaSts, hosts };
}

/** Returns the rows in the order none, strip, swap, spoofMx, suppress. */
function row(of: View, sender: SenderClass): string {
  const cells = exposureOf(of)[sender];
  return attacks.map((attack) => cells[attack]).join(' ');
}

const opportunistic = 'unverified cleartext to-attacker to-attacker cleartext';
const held = 'verified deferred deferred deferred deferred';
const unsigned = host({ dnssec: 'insecure', tlsa: 'absent' });
const good = view([host()], enforce);

test('an opportunistic sender is exposed to every attack under any policy', () => {
  for (const of of [
    good,
    view([host()]),
    view([unsigned], enforce, 'insecure'),
    view([unsigned], noPolicy, 'insecure'),
  ]) {
    assert.equal(row(of, 'opportunistic'), opportunistic);
  }
});

test('without STARTTLS and policy every class sends plaintext; forged DNS fails', () => {
  const plain = host(
    { dnssec: 'insecure', tlsa: 'absent' },
    { starttls: 'no', tls: 'unknown', pkix: 'unknown', dane: 'unknown' },
  );
  for (const sender of senders)
    assert.equal(
      row(view([plain], noPolicy, 'insecure'), sender),
      'cleartext cleartext cleartext to-attacker cleartext',
    );
  assert.equal(
    row(view([{ ...plain, dnssec: 'secure' }]), 'dane'),
    'cleartext cleartext cleartext deferred deferred',
  );
});

test('full protection: only a first contact without DNSSEC can be attacked', () => {
  assert.equal(row(good, 'mtaStsCached'), held);
  assert.equal(row(good, 'mtaStsFirst'), 'verified deferred deferred to-attacker cleartext');
  for (const sender of ['dane', 'bothFirst', 'bothCached'] as const)
    assert.equal(row(good, sender), held);
});

// [7672-2.1.1-2, 7672-2.2-6]
test('only MTA-STS in an unsigned zone: a DANE sender is an opportunistic sender', () => {
  const of = view([unsigned], enforce, 'insecure');
  assert.equal(row(of, 'dane'), opportunistic);
  assert.equal(row(of, 'mtaStsCached'), held);
  assert.equal(row(of, 'bothCached'), held);
  assert.equal(row(of, 'bothFirst'), 'verified deferred deferred to-attacker cleartext');
});

test('[7672-2.2-1] only DANE: an MTA-STS sender is an opportunistic sender', () => {
  const of = view([host({}, { pkix: 'no' })]);
  assert.equal(row(of, 'mtaStsFirst'), opportunistic);
  assert.equal(row(of, 'mtaStsCached'), opportunistic);
  assert.equal(row(of, 'dane'), held);
});

for (const live of ['testing', 'none'] as const) {
  test(`RFC 8461 §5 [8461-5-2]: mode ${live} protects no sender`, () => {
    const of = view([unsigned], { ...enforce, live }, 'insecure');
    for (const sender of ['mtaStsFirst', 'mtaStsCached'] as const)
      assert.equal(row(of, sender), opportunistic);
  });
}

test('signed zone without TLSA or policy: only forged answers are prevented', () => {
  assert.equal(
    row(view([host({ tlsa: 'absent' })]), 'dane'),
    'unverified cleartext to-attacker deferred deferred',
  );
});

test('RFC 7672 §2.2.1: insecure MX with TLSA: host verified, choice of host not', () => {
  assert.equal(
    row(view([host()], noPolicy, 'insecure'), 'dane'),
    'verified deferred deferred to-attacker deferred',
  );
});

test('signed MX zone, unsigned host zone: the addresses can be forged', () => {
  assert.equal(row(view([unsigned]), 'dane'), opportunistic);
});

// [7672-2.2-5, 7671-10.3-1]
test('RFC 7672 §2.2: unusable TLSA only: TLS, no authentication', () => {
  assert.equal(
    row(view([host({ tlsa: 'unusable' })]), 'dane'),
    'unverified deferred to-attacker deferred deferred',
  );
});

// [7672-2.2-3, 7672-2.2-4, 7671-4.1-1]
test('a stale TLSA record stops DANE senders in all five columns', () => {
  assert.equal(
    row(view([host({}, { dane: 'no' })]), 'dane'),
    'deferred deferred deferred deferred deferred',
  );
});

test('null MX and no mail: not applicable to any sender', () => {
  for (const kind of ['null-mx', 'none'] as const) {
    const of: View = { route: { kind, dnssec: 'insecure' }, mtaSts: noPolicy, hosts: [] };
    for (const sender of senders)
      assert.equal(
        row(of, sender),
        'not-applicable not-applicable not-applicable not-applicable not-applicable',
      );
  }
});

test('a resolver that hides DNSSEC makes only the DANE senders unknown', () => {
  const of = view([host({ dnssec: 'indeterminate', tlsa: 'unknown' })], enforce, 'indeterminate');
  assert.equal(row(of, 'dane'), 'unknown unknown unknown unknown unknown');
  assert.equal(row(of, 'mtaStsCached'), held);
  assert.equal(row(of, 'opportunistic'), opportunistic);
});

test('[7672-2.1.2-4] a failed host is skipped for the next one', () => {
  const both = view([host({ tlsa: 'bogus' }), host({ name: 'backup.good.example' })]);
  assert.equal(cell(both, 'dane', 'none'), 'verified');
});

test('an unknown server is neither good nor bad, but an attack on it has an outcome', () => {
  const dark = host(
    { tlsa: 'absent' },
    { reachable: 'unknown', starttls: 'unknown', tls: 'unknown', pkix: 'unknown', dane: 'unknown' },
  );
  assert.equal(
    row(view([dark]), 'opportunistic'),
    'unknown cleartext to-attacker to-attacker cleartext',
  );
});

test('the attacker blocks the protected host: one unprotected host exposes the domain', () => {
  const both = view([host(), host({ name: 'backup.good.example', tlsa: 'absent' })]);
  assert.equal(row(both, 'dane'), 'verified cleartext to-attacker deferred deferred');
});

const known = fc.constantFrom('yes' as const, 'no' as const, 'unknown' as const);
const arbitraryServer: fc.Arbitrary<ServerView> = fc.record({
  ip: fc.constant('192.0.2.1'),
  reachable: known,
  starttls: known,
  tls: known,
  pkix: known,
  dane: known,
  attacker: fc.constant(false),
});
const arbitraryHost: fc.Arbitrary<HostView> = fc.record({
  name: fc.constantFrom('mx.good.example', 'other.example'),
  dnssec: fc.constantFrom('secure', 'insecure', 'bogus', 'indeterminate'),
  tlsa: fc.constantFrom('usable', 'unusable', 'absent', 'insecure', 'bogus', 'tempfail', 'unknown'),
  servers: fc.array(arbitraryServer, { maxLength: 2 }),
});
const arbitraryView: fc.Arbitrary<View> = fc.record({
  route: fc.record({
    kind: fc.constantFrom('mx', 'implicit', 'error'),
    dnssec: fc.constantFrom('secure', 'insecure', 'bogus', 'indeterminate'),
  }),
  mtaSts: fc.record({
    live: fc.constantFrom('enforce', 'testing', 'none', 'absent', 'unavailable', 'unknown'),
    mx: fc.constant(['mx.good.example']),
  }),
  hosts: fc.array(arbitraryHost, { maxLength: 3 }),
});

// [8461-5-1, 3207-6-1]
test('property: a cached enforce policy never sends plaintext or to the attacker', () => {
  fc.assert(
    fc.property(arbitraryView, (of) => {
      const exposure = exposureOf({ ...of, mtaSts: { ...of.mtaSts, live: 'enforce' } });
      for (const sender of ['mtaStsCached', 'bothCached'] as const) {
        for (const attack of attacks)
          assert.ok(
            !['cleartext', 'to-attacker'].includes(exposure[sender][attack]),
            `${sender} ${attack}`,
          );
      }
    }),
  );
});

test('property: honouring another mechanism never helps an attack', () => {
  const danger = (outcome: string): boolean => outcome === 'cleartext' || outcome === 'to-attacker';
  fc.assert(
    fc.property(arbitraryView, (of) => {
      const exposure = exposureOf(of);
      for (const attack of attacks) {
        for (const [less, more] of [
          ['opportunistic', 'dane'],
          ['dane', 'bothCached'],
          ['mtaStsCached', 'bothCached'],
          ['opportunistic', 'mtaStsCached'],
        ] as const) {
          if (danger(exposure[more][attack]))
            assert.ok(
              danger(exposure[less][attack]) || exposure[less][attack] === 'unknown',
              `${less} ${more} ${attack}`,
            );
        }
      }
    }),
  );
});

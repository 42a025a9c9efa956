import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { at, moment } from '../../../test/support/sender/observed.js';
import {
  isSettled,
  judgeSender,
  observationsSchema,
  senderCases,
  senderResultSchema,
  type CaseResult,
  type MechanismResult,
  type Observation,
  type SenderMechanism,
  type SenderTestResult,
} from '../index.js';

const LATER = moment(3600);

function judged(observations: readonly Observation[], now = LATER): SenderTestResult {
  assert.ok(observationsSchema.safeParse(observations).success);
  const result = judgeSender(observations, { now });
  const parsed = senderResultSchema.safeParse(result);
  assert.ok(parsed.success, String(parsed.error));
  return result;
}

function caseIn(result: SenderTestResult, id: string): CaseResult {
  const found = result.cases.find((one) => one.case === id);
  assert.ok(found, id);
  return found;
}

function mechanismIn(result: SenderTestResult, mechanism: SenderMechanism): MechanismResult {
  const found = result.mechanisms.find((one) => one.mechanism === mechanism);
  assert.ok(found, mechanism);
  return found;
}

const verdictOf = (observations: readonly Observation[], id: string, now?: string): string =>
  caseIn(judged(observations, now), id).verdict;

/** A sender that enforces MTA-STS and delivers the rest opportunistically. */
const stsSender: readonly Observation[] = [
  ...at('plain').delivers(true),
  ...at('self-signed').delivers(true),
  ...at('clear').delivers(false),
  ...at('sts').fetched(),
  ...at('sts').delivers(true),
  ...at('sts-self-signed').fetched(),
  ...at('sts-self-signed').leavesTls('unknown_ca'),
  ...at('sts-clear').fetched(),
  ...at('sts-clear').greets(),
];

test('without observations nothing has started, and nothing is judged', () => {
  const result = judged([]);
  assert.ok(result.cases.every(({ verdict }) => verdict === 'not-started'));
  assert.ok(result.mechanisms.every(({ verdict }) => verdict === 'cannot-tell'));
  assert.equal(result.sender, undefined);
  assert.equal(result.cases.length, senderCases.length);
});

test('silence after a submission has no result, however long it lasts', () => {
  const observations = senderCases.flatMap(({ id }) => at(id).submitted());
  const result = judged(observations, moment(30 * 86_400));
  assert.ok(result.cases.every(({ verdict }) => verdict === 'not-seen'));
  assert.ok(result.mechanisms.every(({ verdict }) => verdict === 'cannot-tell'));
  assert.ok(!isSettled(result));
});

test('a message that the sender refused has not started', () => {
  const observations: Observation[] = [
    { kind: 'not-submitted', at: moment(0), case: 'dane', slot: 'me', reason: '550 no' },
  ];
  const result = caseIn(judged(observations), 'dane');
  assert.equal(result.verdict, 'not-started');
  assert.deepEqual(result.notes, ['not-submitted']);
});

test('DNS questions without a connection are never a refusal', () => {
  const observations = senderCases.flatMap(({ id }) => at(id).dns('MX', 'A', 'TLSA'));
  const result = judged(observations);
  assert.ok(result.cases.every(({ verdict }) => verdict === 'not-seen'));
  assert.ok(result.mechanisms.every(({ verdict }) => verdict === 'cannot-tell'));
});

test('DNS questions of another client are not a refusal of a working sender', () => {
  const stranger = senderCases.flatMap(({ id }) => at(id).dns('MX', 'TLSA'));
  const result = judged([...at('plain').submitted(), ...at('plain').delivers(true), ...stranger]);
  for (const id of ['bogus-mx', 'dane-bogus-tlsa', 'dane-mismatch', 'sts-mx'])
    assert.equal(caseIn(result, id).verdict, 'not-seen', id);
});

test('a bogus zone is refused at DNS: submitted, asked, and other mail arrives', () => {
  const control = [
    ...at('plain').submitted(),
    ...at('plain').dns('MX'),
    ...at('plain').delivers(true),
  ];
  const bogus = [...at('bogus-mx').submitted(), ...at('bogus-mx').dns('MX')];
  const result = caseIn(judged([...control, ...bogus]), 'bogus-mx');
  assert.equal(result.verdict, 'refused');
  assert.equal(result.step, 'dns');
  assert.equal(verdictOf(bogus, 'bogus-mx'), 'not-seen', 'no control');
  assert.equal(verdictOf([...control, ...bogus.slice(1)], 'bogus-mx'), 'not-seen', 'not sent');
  assert.equal(verdictOf([...control, ...bogus], 'bogus-mx', moment(10)), 'not-seen', 'too early');
});

test('a bogus TLSA record needs a TLSA question: MX alone decides nothing', () => {
  const control = [...at('plain').dns('MX'), ...at('plain').delivers(true)];
  const asked = (type: string): Observation[] => [
    ...control,
    ...at('dane-bogus-tlsa').submitted(),
    ...at('dane-bogus-tlsa').dns(type),
  ];
  assert.equal(verdictOf(asked('MX'), 'dane-bogus-tlsa'), 'not-seen');
  assert.equal(verdictOf(asked('TLSA'), 'dane-bogus-tlsa'), 'refused');
});

test('a TLSA mismatch without a connection is not a refusal', () => {
  const observations = [
    ...at('plain').dns('MX'),
    ...at('plain').delivers(true),
    ...at('dane-mismatch').submitted(),
    ...at('dane-mismatch').dns('MX', 'TLSA'),
  ];
  assert.equal(verdictOf(observations, 'dane-mismatch'), 'not-seen');
});

test('a policy that excludes the host is refused without a connection', () => {
  const observations = [
    ...at('plain').delivers(true),
    ...at('sts-mx').submitted(),
    ...at('sts-mx').fetched(),
  ];
  const result = caseIn(judged(observations), 'sts-mx');
  assert.equal(result.verdict, 'refused');
  assert.equal(result.step, 'policy');
  const failed = [...observations.slice(0, -1), ...at('sts-mx').fetched(404)];
  assert.equal(verdictOf(failed, 'sts-mx'), 'not-seen');
});

test('a probe that only greets is not a refusal; the next message counts', () => {
  const probe = at('dane-mismatch').greets();
  assert.equal(verdictOf(probe, 'dane-mismatch'), 'deferred');
  const message = at('dane-mismatch', { after: 5 }).delivers(true);
  assert.equal(verdictOf([...probe, ...message], 'dane-mismatch'), 'delivered-unverified');
});

test('a connection without a command decides nothing', () => {
  for (const id of ['dane-clear', 'sts-clear', 'dane', 'plain', 'sts-mx'])
    assert.equal(verdictOf(at(id).connects(), id), 'deferred', id);
});

test('a second connection in plaintext outweighs the failed handshake before it', () => {
  const observations = [
    ...at('sts-self-signed').leavesTls('unknown_ca'),
    ...at('sts-self-signed', { after: 1 }).delivers(false),
  ];
  const result = caseIn(judged(observations), 'sts-self-signed');
  assert.equal(result.verdict, 'delivered-in-plaintext');
  assert.ok(result.notes.includes('fell-back-to-plaintext'));
});

test('the weaker of two deliveries counts, in either order', () => {
  for (const [first, second] of [
    [true, false],
    [false, true],
  ] as const)
    assert.equal(
      verdictOf(
        [...at('plain').delivers(first), ...at('plain', { after: 9 }).delivers(second)],
        'plain',
      ),
      'delivered-in-plaintext',
    );
});

test('two refusals count once, and the sender may try again', () => {
  const observations = [
    ...at('sts-expired').leavesTls('certificate_expired'),
    ...at('sts-expired', { after: 300 }).leavesTls('certificate_expired'),
  ];
  const result = caseIn(judged(observations), 'sts-expired');
  assert.deepEqual([result.verdict, result.step, result.attempts], ['refused', 'certificate', 2]);
});

test('a handshake that breaks off without an alert is not a refusal', () => {
  assert.equal(verdictOf(at('dane-mismatch').breaksOff('sender'), 'dane-mismatch'), 'deferred');
  assert.equal(verdictOf(at('dane-mismatch').breaksOff('receiver'), 'dane-mismatch'), 'deferred');
  const protocol = at('dane-mismatch').leavesTls('protocol_version');
  assert.equal(verdictOf(protocol, 'dane-mismatch'), 'deferred');
});

test('a connection that the receiver ends is not a refusal of the sender', () => {
  assert.equal(verdictOf(at('sts-clear').greets('receiver'), 'sts-clear'), 'deferred');
});

test('a greylisted sender is deferred, and its retry decides', () => {
  const first = at('dane-mismatch').delivers(true, { reply: 450 });
  const result = caseIn(judged(first), 'dane-mismatch');
  assert.equal(result.verdict, 'deferred');
  assert.ok(result.notes.includes('receiver-deferred'));
  const retry = at('dane-mismatch', { after: 300 }).delivers(true);
  assert.equal(verdictOf([...first, ...retry], 'dane-mismatch'), 'delivered-unverified');
});

test('an envelope in plaintext is reported although no message arrived', () => {
  const result = caseIn(judged(at('sts-clear').delivers(false, { reply: 451 })), 'sts-clear');
  assert.equal(result.verdict, 'deferred');
  assert.ok(result.notes.includes('envelope-in-plaintext'));
});

test('a client of another network makes the refusal of one case inconclusive', () => {
  const stranger = at('sts-self-signed', { source: '203.0.113.9' }).delivers(false);
  const result = judged([...stsSender, ...stranger]);
  const one = caseIn(result, 'sts-self-signed');
  assert.deepEqual([one.verdict, one.met], ['deferred', 'open']);
  assert.ok(one.notes.includes('other-network'));
  assert.equal(mechanismIn(result, 'mta-sts').verdict, 'enforces');
  assert.deepEqual(result.sender?.networks, ['192.0.2.0', '203.0.113.0']);
});

test('the first client does not automatically count as the sender', () => {
  const stranger = at('sts', { source: '203.0.113.9', after: -60 }).delivers(false);
  const result = judged([...stranger, ...stsSender]);
  assert.equal(result.sender?.networks[0], '192.0.2.0');
  assert.equal(caseIn(result, 'sts').verdict, 'delivered-verified');
});

test('a mechanism is not judged from cases of two networks', () => {
  const other = { source: '203.0.113.9' };
  const result = judged([
    ...at('plain').delivers(true),
    ...at('dane').delivers(true),
    ...at('dane-mismatch', other).leavesTls('bad_certificate'),
  ]);
  assert.equal(caseIn(result, 'dane-mismatch').verdict, 'refused');
  assert.equal(mechanismIn(result, 'dane').verdict, 'cannot-tell');
});

test('a delivery by another server than the submission server shows a smart host', () => {
  const direct = [...at('plain').submitted('192.0.2.7'), ...at('plain').delivers(true)];
  assert.equal(judged(direct).sender?.smartHost, false);
  const relayed = [...at('plain').submitted('203.0.113.25'), ...at('plain').delivers(true)];
  assert.equal(judged(relayed).sender?.smartHost, true);
});

test('MTA-STS is enforced: one case delivered, others refused', () => {
  const result = mechanismIn(judged(stsSender), 'mta-sts');
  assert.equal(result.verdict, 'enforces');
  assert.deepEqual(result.proof, ['sts', 'sts-self-signed', 'sts-clear']);
  const withoutControl = stsSender.filter((one) => one.case !== 'sts');
  assert.equal(mechanismIn(judged(withoutControl), 'mta-sts').verdict, 'cannot-tell');
});

test('a sender that refuses every bad certificate does not therefore use MTA-STS', () => {
  const result = judged([
    ...at('plain').delivers(true),
    ...at('self-signed').leavesTls('unknown_ca'),
    ...at('clear').delivers(false),
    ...at('sts').delivers(true),
    ...at('sts-self-signed').leavesTls('unknown_ca'),
    ...at('sts-clear').delivers(false),
  ]);
  assert.equal(mechanismIn(result, 'mta-sts').verdict, 'does-not-use');
  assert.equal(mechanismIn(result, 'starttls').verdict, 'enforces-wrongly');
  assert.equal(caseIn(result, 'plain').verdict, 'delivered-verified');
});

test('a sender that requires TLS everywhere does not therefore use DANE', () => {
  const result = judged([
    ...at('plain').delivers(true),
    ...at('clear').greets(),
    ...at('dane').delivers(true),
    ...at('dane-clear').greets(),
    ...at('dane-mismatch').delivers(true),
  ]);
  assert.equal(mechanismIn(result, 'dane').verdict, 'does-not-use');
  assert.equal(mechanismIn(result, 'starttls').verdict, 'enforces');
  assert.equal(caseIn(result, 'dane').verdict, 'delivered-unverified');
});

test('a policy that is fetched and then violated counts as observed only', () => {
  const result = judged([
    ...at('sts').fetched(),
    ...at('sts').delivers(true),
    ...at('sts-clear').fetched(),
    ...at('sts-clear').delivers(false),
  ]);
  assert.equal(mechanismIn(result, 'mta-sts').verdict, 'observes-only');
});

test('a sender that refuses mode testing enforces wrongly', () => {
  const result = judged([...stsSender, ...at('sts-testing').leavesTls('unknown_ca')]);
  const { verdict, faults } = mechanismIn(result, 'mta-sts');
  assert.equal(verdict, 'enforces-wrongly');
  assert.deepEqual(faults, ['sts-testing']);
});

test('only the second message decides about a cached policy', () => {
  const first = [...at('sts-cached', { message: 1 }).delivers(true)];
  assert.equal(verdictOf(first, 'sts-cached'), 'not-started');
  const second = at('sts-cached', { after: 60, message: 2 });
  assert.equal(verdictOf([...first, ...second.greets()], 'sts-cached'), 'refused');
  assert.equal(
    verdictOf([...first, ...second.delivers(false)], 'sts-cached'),
    'delivered-in-plaintext',
  );
});

test('only messages with REQUIRETLS decide about REQUIRETLS', () => {
  const asking = { parameters: ['REQUIRETLS'] };
  const kept = at('requiretls').delivers(true, asking);
  const verdict = (observations: Observation[]): string =>
    mechanismIn(judged(observations), 'requiretls').verdict;
  assert.equal(verdict([...kept, ...at('requiretls-absent').leavesTls()]), 'enforces');
  assert.equal(verdict([...kept, ...at('requiretls-absent').delivers(true)]), 'enforces-wrongly');
  const plain = at('requiretls').delivers(true);
  assert.equal(verdict([...plain, ...at('requiretls-absent').delivers(true)]), 'cannot-tell');
});

test('a refusal stays open until the sender has had time to fall back', () => {
  const refusal = at('sts-self-signed').leavesTls('unknown_ca');
  const early = judged(refusal, moment(2));
  assert.ok(caseIn(early, 'sts-self-signed').notes.includes('still-open'));
  assert.ok(!isSettled(early));
  assert.ok(isSettled(judged(refusal)));
});

test('the order of observations does not matter, nor do unknown cases', () => {
  const all = [...stsSender, ...at('case-of-tomorrow').delivers(false)];
  const expected = judged(stsSender);
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (shuffled) => {
      assert.deepEqual(
        judged(shuffled).cases.map(({ verdict, step, notes }) => [verdict, step, notes]),
        expected.cases.map(({ verdict, step, notes }) => [verdict, step, notes]),
      );
    }),
    { numRuns: 20 },
  );
});

const report = (change: object = {}): Observation => ({
  kind: 'report',
  at: moment(86_400),
  case: 'report',
  slot: 'me',
  organization: 'Sender',
  day: moment(0).slice(0, 10),
  authenticated: true,
  successes: 0,
  failures: 1,
  resultTypes: ['certificate-not-trusted'],
  senders: ['192.0.2.7'],
  ...change,
});

test('a TLS report is shown with the attempts of its day', () => {
  const seen = [...at('plain').delivers(true), ...at('report').delivers(true)];
  const [first] = caseIn(judged([...seen, report()]), 'report').reports ?? [];
  assert.deepEqual(first, {
    organization: 'Sender',
    day: moment(0).slice(0, 10),
    authenticated: true,
    successes: 0,
    failures: 1,
    resultTypes: ['certificate-not-trusted'],
    seen: 1,
    fromSender: 'yes',
    agrees: 'yes',
  });
  const other = {
    day: '2026-11-29',
    senders: ['198.51.100.9'],
    resultTypes: ['starttls-not-supported'],
  };
  const [wrong] = caseIn(judged([...seen, report(other)]), 'report').reports ?? [];
  assert.deepEqual([wrong?.seen, wrong?.fromSender, wrong?.agrees], [0, 'no', 'no']);
  const [silent] =
    caseIn(judged([...seen, report({ senders: [], resultTypes: [] })]), 'report').reports ?? [];
  assert.deepEqual([silent?.fromSender, silent?.agrees], ['not-named', 'open']);
});

test('a report starts no case and changes no verdict', () => {
  const alone = judged([report()]);
  assert.equal(caseIn(alone, 'report').verdict, 'not-started');
  assert.equal(alone.sender, undefined);
  assert.equal(caseIn(alone, 'report').reports?.[0]?.seen, 0);
  const attempts = [...stsSender, ...at('report').submitted()];
  const without = judged(attempts);
  const joined = judged([...attempts, report(), report({ authenticated: false, failures: 9 })]);
  assert.deepEqual(
    joined.cases.map((one) => ({ ...one, reports: undefined })),
    without.cases.map((one) => ({ ...one, reports: undefined })),
  );
  assert.deepEqual(joined.mechanisms, without.mechanisms);
});

test('authenticated reports are first, and a flood of others is truncated', () => {
  const forged = Array.from({ length: 50 }, (_, n) =>
    report({ authenticated: false, organization: `Forged ${n}` }),
  );
  const { reports = [] } = caseIn(judged([...forged, report()]), 'report');
  assert.equal(reports.length, 20);
  assert.deepEqual([reports[0]?.organization, reports[0]?.authenticated], ['Sender', true]);
});

test('DKIM domains identify only the judged network', () => {
  const signed = (source: string, domains: string[]): readonly Observation[] =>
    at('plain', { source })
      .delivers(true)
      .map((one) => (one.kind === 'data' ? { ...one, signedBy: domains } : one));
  const result = judged([
    ...signed('192.0.2.1', ['sender.example', 'esp.example']),
    ...at('sts').delivers(true),
    ...signed('198.51.100.9', ['stranger.example']),
  ]);
  assert.deepEqual(result.sender?.signingDomains, ['sender.example', 'esp.example']);
  assert.equal(judged(at('plain').delivers(true)).sender?.signingDomains, undefined);
});

test('the hello shows an offered hybrid group, the session a used one', () => {
  const hybrid = (groups: number[], group?: string): string | undefined => {
    const observations = at('pq')
      .delivers(true)
      .map((one) => {
        if (one.kind === 'hello') return { ...one, groups };
        return one.kind === 'handshake' ? { ...one, group } : one;
      });
    return caseIn(judged(observations), 'pq').evidence.tls?.hybrid;
  };
  assert.equal(hybrid([0x11ec, 29]), 'offered');
  assert.equal(hybrid([0x11ec, 29], 'X25519MLKEM768'), 'used');
  assert.equal(hybrid([29, 23]), 'not-offered');
  assert.equal(hybrid([0x11ec, 29], 'x25519'), 'offered');
});

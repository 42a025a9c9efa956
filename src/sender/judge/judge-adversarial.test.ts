import assert from 'node:assert/strict';
import test from 'node:test';
import { at, moment } from '../../../test/support/sender/observed.js';
import {
  judgeSender,
  senderCases,
  senderResultSchema,
  type CaseResult,
  type Observation,
  type SenderMechanism,
  type SenderTestResult,
} from '../index.js';

function judged(observations: readonly Observation[], now = moment(3600)): SenderTestResult {
  const result = judgeSender(observations, { now });
  senderResultSchema.parse(result);
  return result;
}

function caseIn(result: SenderTestResult, id: string): CaseResult {
  const found = result.cases.find((one) => one.case === id);
  assert.ok(found, id);
  return found;
}

const verdictOf = (observations: readonly Observation[], id: string): string =>
  caseIn(judged(observations), id).verdict;

const mechanismOf = (observations: readonly Observation[], name: SenderMechanism): string =>
  judged(observations).mechanisms.find(({ mechanism }) => mechanism === name)?.verdict ?? '';

test('HELO and QUIT do not refuse a host without STARTTLS', () => {
  const control = at('plain').delivers(true);
  for (const id of ['clear', 'dane-clear', 'sts-clear']) {
    assert.equal(verdictOf([...control, ...at(id).greetsByHelo()], id), 'deferred', id);
    assert.equal(verdictOf([...control, ...at(id).greets()], id), 'refused', id);
  }
});

test('a verification of the address is not a refusal in any case', () => {
  for (const id of ['dane-clear', 'dane-mismatch', 'sts-clear', 'plain'])
    assert.equal(verdictOf(at(id).callsOut(), id), 'deferred', id);
});

test('a verification of the address does not undo a refusal', () => {
  const refused = at('sts-self-signed').leavesTls('unknown_ca');
  const callout = at('sts-self-signed', { after: 60 }).callsOut();
  for (const observations of [
    [...refused, ...callout],
    [...at('sts-self-signed', { after: -60 }).callsOut(), ...refused],
  ])
    assert.equal(verdictOf(observations, 'sts-self-signed'), 'refused');
});

test('a verification of a twin leaves a delivery verified', () => {
  const observations = [
    ...at('dane').delivers(true),
    ...at('dane-mismatch').leavesTls('bad_certificate'),
    ...at('dane-mismatch', { after: 9 }).callsOut(),
  ];
  assert.equal(verdictOf(observations, 'dane'), 'delivered-verified');
});

test('a bounce that arrives counts as a message', () => {
  const bounce = at('dane-clear')
    .delivers(false)
    .map((one) => (one.kind === 'mail' ? { ...one, fromDomain: '' } : one));
  assert.equal(verdictOf(bounce, 'dane-clear'), 'delivered-in-plaintext');
});

test('a scanner that inspects TLS at every case is not a refusing sender', () => {
  const scan = senderCases.flatMap(({ id, host }) =>
    host.starttls === 'absent' ? at(id).greets() : at(id).leavesTls(),
  );
  const result = judged(scan);
  assert.ok(result.cases.every(({ verdict }) => verdict !== 'refused'));
  assert.ok(result.mechanisms.every(({ verdict }) => verdict === 'cannot-tell'));
});

test('a sender that trusts no CA counts as refusing although no mail arrives', () => {
  const alerts = ['plain', 'sts'].flatMap((id) => at(id).leavesTls('unknown_ca'));
  assert.equal(verdictOf(alerts, 'plain'), 'refused');
  const submitted = [...at('plain').submitted(), ...at('plain').leavesTls()];
  assert.equal(verdictOf(submitted, 'plain'), 'refused');
});

test('two servers behind one address are not one sender', () => {
  const neighbour = { name: 'mx.other.test' };
  const observations = [
    ...at('plain').delivers(true),
    ...at('sts').delivers(true),
    ...at('sts-clear').delivers(false),
    ...at('sts-self-signed', neighbour).leavesTls('unknown_ca'),
    ...at('dane', neighbour).delivers(true),
  ];
  const result = judged(observations);
  assert.ok(caseIn(result, 'sts-self-signed').notes.includes('other-network'));
  assert.equal(mechanismOf(observations, 'mta-sts'), 'does-not-use');
  assert.equal(mechanismOf(observations, 'dane'), 'cannot-tell');
  assert.equal(caseIn(result, 'sts').verdict, 'delivered-unverified');
});

test('several servers of one domain are one sender, as are those without a name', () => {
  const names = ['out1.sender.test', 'out2.sender.test', '[192.0.2.9]', 'localhost'];
  const ids = ['plain', 'sts', 'sts-clear', 'self-signed'];
  const observations = ids.flatMap((id, index) =>
    at(id, { name: names[index] ?? '' }).delivers(id !== 'sts-clear'),
  );
  assert.ok(judged(observations).cases.every(({ notes }) => !notes.includes('other-network')));
  assert.equal(mechanismOf(observations, 'mta-sts'), 'does-not-use');
});

test('a message that another server delivers leaves a refusal open', () => {
  const observations = [
    ...at('plain').delivers(true),
    ...at('dane-clear').greets(),
    ...at('dane-clear', { name: 'mx.other.test' }).delivers(false),
  ];
  const result = caseIn(judged(observations), 'dane-clear');
  assert.deepEqual([result.verdict, result.met], ['deferred', 'open']);
  assert.ok(result.notes.includes('other-network'));
  assert.equal(judged(observations).exposure.dane.stripStarttls, 'unknown');
});

test('a delivery before the policy fetch does not violate the policy', () => {
  const later = [
    ...at('plain').delivers(true),
    ...at('sts').delivers(true),
    ...at('sts-self-signed').delivers(true),
    ...at('sts-self-signed', { after: 30 }).fetched(),
  ];
  const result = caseIn(judged(later), 'sts-self-signed');
  assert.deepEqual([result.verdict, result.met], ['delivered-unverified', 'open']);
  assert.ok(result.notes.includes('fetched-policy-later'));
  assert.equal(mechanismOf(later, 'mta-sts'), 'cannot-tell');
  const again = [...later, ...at('sts-self-signed', { after: 90 }).delivers(true)];
  assert.equal(mechanismOf(again, 'mta-sts'), 'observes-only');
});

test('a policy that is violated and never fetched is unused', () => {
  const observations = [
    ...at('sts').delivers(true),
    ...at('sts-self-signed').delivers(true),
    ...at('sts-self-signed', { after: 30 }).fetched(404),
  ];
  assert.equal(caseIn(judged(observations), 'sts-self-signed').met, 'no');
});

test('a retry from another network leaves a deferral open', () => {
  const observations = [
    ...at('plain').delivers(true),
    ...at('dane').delivers(true),
    ...at('dane-mismatch').delivers(true, { reply: 450 }),
    ...at('dane-mismatch', { source: '203.0.113.7', after: 600 }).leavesTls('bad_certificate'),
  ];
  const result = caseIn(judged(observations), 'dane-mismatch');
  assert.deepEqual([result.verdict, result.met], ['deferred', 'open']);
  assert.equal(mechanismOf(observations, 'dane'), 'cannot-tell');
});

test('MAIL before a reset is neither a delivery nor a refusal', () => {
  const reset = at('dane-clear')
    .delivers(false)
    .filter(({ kind }) => kind !== 'data' && kind !== 'rcpt');
  const result = caseIn(judged(reset), 'dane-clear');
  assert.equal(result.verdict, 'deferred');
  assert.ok(result.notes.includes('envelope-in-plaintext'));
});

test('plaintext to another host of the case outweighs a refused certificate', () => {
  const observations = [
    ...at('second-mx').leavesTls('unknown_ca'),
    ...at('second-mx', { after: 1 }).delivers(false),
  ];
  assert.equal(verdictOf(observations, 'second-mx'), 'delivered-in-plaintext');
});

test('a clock that goes back leaves cases open and reverses no verdict', () => {
  const refused = at('sts-self-signed', { after: 7200 }).leavesTls('unknown_ca');
  const before = judged([...at('sts').delivers(true), ...refused], moment(60));
  assert.ok(caseIn(before, 'sts-self-signed').notes.includes('still-open'));
  const mixed = [...at('clear', { after: 7200 }).delivers(true), ...at('clear').delivers(false)];
  assert.equal(verdictOf(mixed, 'clear'), 'delivered-in-plaintext');
});

test('a connection of the same name from another network stays another network', () => {
  const observations = [
    ...at('plain').delivers(true),
    ...at('dane').delivers(true),
    ...at('dane-clear', { source: '203.0.113.7' }).greets(),
  ];
  assert.equal(mechanismOf(observations, 'dane'), 'cannot-tell');
});

const scanner = { source: '203.0.113.9', name: 'scan.other.test' };
const scans = senderCases.flatMap(({ id }) => at(id, scanner).greets());
const nameless = { name: '[192.0.2.1]' };

/**
 * Returns the observations of a sender that uses no policy and delivers every message.
 */
const delivered = (...ids: string[]): readonly Observation[] =>
  ids.flatMap((id) => [...at(id).submitted(), ...at(id).delivers(!id.endsWith('clear'))]);

const basis = delivered('plain', 'clear', 'self-signed', 'sts', 'dane');

/** Observations that must show neither a refusal at a case nor a mechanism in use. */
const harmless: readonly (readonly [string, string, readonly Observation[]])[] = [
  ['a scanner of every case', 'dane-clear', scans],
  ['a scanner under TLS', 'dane-mismatch', at('dane-mismatch', scanner).leavesTls()],
  ['a nameless monitor at its address', 'dane-clear', at('dane-clear', nameless).greets()],
  ['a nameless scan under TLS', 'sts-self-signed', at('sts-self-signed', nameless).leavesTls()],
  ['a neighbour that refuses', 'sts-clear', at('sts-clear', { name: 'a.other.test' }).greets()],
  ['a connection to port 25 alone', 'dane-mismatch', at('dane-mismatch').connects()],
  ['half a handshake', 'dane-mismatch', at('dane-mismatch').breaksOff('sender')],
  ['a handshake that we end', 'sts-self-signed', at('sts-self-signed').breaksOff('receiver')],
  [
    'an alert about the version',
    'dane-mismatch',
    at('dane-mismatch').leavesTls('protocol_version'),
  ],
  ['a probe with RCPT', 'dane-clear', at('dane-clear').delivers(false, { reply: 450 })],
  ['greylisting', 'dane-mismatch', at('dane-mismatch').delivers(true, { reply: 451 })],
  [
    'two connections, one of which delivers',
    'dane-mismatch',
    [...at('dane-mismatch').leavesTls('bad_certificate'), ...at('dane-mismatch').delivers(true)],
  ],
  [
    'a delivery after four hours',
    'sts-self-signed',
    [
      ...at('sts-self-signed').leavesTls('unknown_ca'),
      ...at('sts-self-signed', { after: 14_400 }).delivers(true),
    ],
  ],
  [
    'a fallback relay that delivers',
    'dane-clear',
    [
      ...at('dane-clear').greets(),
      ...at('dane-clear', { source: '203.0.113.7', name: 'relay.isp.test' }).delivers(false),
    ],
  ],
  [
    'a second server of the domain that delivers',
    'dane-mismatch',
    [
      ...at('dane-mismatch').leavesTls('bad_certificate'),
      ...at('dane-mismatch', { source: '198.51.100.8' }).delivers(true),
    ],
  ],
  [
    'a crawler of policies',
    'sts-mx',
    [...at('sts-mx').submitted(), ...at('sts-mx', scanner).fetched()],
  ],
  ['a policy that was fetched, and no message', 'sts-mx', at('sts-mx').fetched()],
  [
    'questions of a resolver that no delivery used',
    'dane-bogus-tlsa',
    [...at('dane-bogus-tlsa').submitted(), ...at('dane-bogus-tlsa').dns('MX', 'TLSA')],
  ],
];
for (const [name, id, observations] of harmless)
  test(`${name} shows no refusal at ${id}`, () => {
    const result = judged([...basis, ...observations], moment(20_000));
    const one = caseIn(result, id);
    assert.notEqual(one.verdict, 'refused');
    assert.notEqual(one.met, 'yes');
    const verdicts = result.mechanisms.map(({ verdict }) => verdict);
    assert.ok(!verdicts.some((verdict) => verdict.startsWith('enforces')), String(verdicts));
  });

test('a scanner with more cases than the sender does not count as the sender', () => {
  const result = judged([...scans, ...basis]);
  assert.equal(result.sender?.networks[0], '192.0.2.0');
  assert.equal(caseIn(result, 'dane').verdict, 'delivered-unverified');
});

test('a refusal proves a mechanism only next to a delivery without the mechanism', () => {
  const strict = [...delivered('sts'), ...at('sts-self-signed').leavesTls('unknown_ca')];
  for (const contrast of [[], at('self-signed').submitted()]) {
    const { mechanisms } = judged([...strict, ...contrast]);
    const found = mechanisms.find(({ mechanism }) => mechanism === 'mta-sts');
    assert.equal(found?.verdict, 'cannot-tell');
    assert.ok(found.missing.includes('self-signed'));
  }
  assert.equal(mechanismOf([...strict, ...delivered('self-signed')], 'mta-sts'), 'enforces');
});

test('REQUIRETLS of another client does not count for the sender', () => {
  const asking = { parameters: ['REQUIRETLS'] };
  const messages = delivered('requiretls', 'requiretls-absent');
  for (const id of ['plain', 'requiretls'])
    assert.equal(
      mechanismOf([...messages, ...at(id, scanner).delivers(true, asking)], 'requiretls'),
      'cannot-tell',
    );
});

test('without its first message, a cached policy cannot be expected', () => {
  const second = at('sts-cached', { message: 2, after: 60 }).delivers(false);
  assert.equal(caseIn(judged(second), 'sts-cached').met, 'open');
  const first = at('sts-cached', { message: 1 }).delivers(true);
  assert.equal(caseIn(judged([...first, ...second]), 'sts-cached').met, 'no');
});

test('opportunistic TLS is not judged from the cases of two networks', () => {
  const observations = [...delivered('plain'), ...at('clear', { source: '203.0.113.9' }).greets()];
  assert.equal(mechanismOf(observations, 'starttls'), 'cannot-tell');
});

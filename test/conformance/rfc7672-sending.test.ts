import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Lab, Scenario } from '../../src/lab/index.js';
import { createSender, type Sender } from '../../src/send/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { ended, inLab, mailTo, smallLab } from './testing-senders.js';

const signed = { signed: {} } as const;
const scenarios: readonly Scenario[] = [
  {
    ...unjudged('good.example'),
    zone: signed,
    hosts: [{ certificate: 'self-signed', tlsa: ['ee'] }],
  },
  {
    ...unjudged('two.example'),
    zone: signed,
    hosts: [
      { name: 'mx1', tlsa: ['ee'] },
      { name: 'mx2', tlsa: ['ee'] },
    ],
  },
  // The MX record names an alias. The TLSA records are at its target.
  {
    ...unjudged('aliased.example'),
    zone: { ...signed, withoutMx: true, records: '@ MX 10 mail\nmail CNAME mx' },
    hosts: [{ certificate: 'self-signed', tlsa: ['ee'] }],
  },
  {
    ...unjudged('bogus.example'),
    zone: { ...signed, fault: 'expired' },
    hosts: [{ tlsa: ['ee'] }],
  },
  { ...unjudged('hosted.example'), hosts: [{ name: 'mx.good.example.' }] },
  { ...unjudged('signed-only.example'), zone: signed },
  {
    ...unjudged('worse.example'),
    zone: signed,
    hosts: [{ name: 'mx1' }, { name: 'mx2', tlsa: ['ee'] }],
  },
  {
    ...unjudged('stale.example'),
    zone: signed,
    hosts: [
      { name: 'mx1', tlsa: ['stale'] },
      { name: 'mx2', tlsa: ['ee'] },
    ],
  },
];

let lab: Lab;
let sender: Sender;
before(async () => {
  ({ lab, sender } = await smallLab(scenarios));
});
after(() => lab.close());

const fresh = (more = {}) => createSender(inLab(lab, more));

// [7672-2.1.2-1]
test('RFC 7672 §2.1.2: a failed lookup of the servers defers the mail', async () => {
  const delivery = await mailTo(sender, 'bogus.example');
  assert.equal(ended(delivery), 'deferred send-route-unknown');
  assert.match(delivery.recipients[0]?.failure?.detail ?? '', /dnssec-/);
});

test('RFC 7672 §2.1.2 [7672-2.1.2-2]: a failed address lookup excludes one host only', async () => {
  const back = lab.fault('mx1.two.example A', 'servfail');
  const { outcomes } = await mailTo(fresh(), 'two.example');
  back();
  assert.deepEqual(
    outcomes[0]?.attempts.map(({ host, state }) => [host, state]),
    [
      ['mx1.two.example', 'refused'],
      ['mx2.two.example', 'used'],
    ],
  );
});

// [7672-2.2-1]
test('RFC 7672 §2.2: a host that fails DANE is skipped, never used in plaintext', async () => {
  const { outcomes } = await mailTo(sender, 'stale.example');
  assert.deepEqual(
    outcomes[0]?.attempts.map(({ host, state, failure, cleartext }) => [
      host,
      state,
      failure?.code,
      cleartext,
    ]),
    [
      ['mx1.stale.example', 'failed', 'server-dane-mismatch', false],
      ['mx2.stale.example', 'used', undefined, false],
    ],
  );
});

test('RFC 7672 §2.2.1 [7672-2.2.1-1]: a safer host does not precede a preferred one', async () => {
  const { outcomes } = await mailTo(sender, 'worse.example');
  assert.deepEqual(
    [outcomes[0]?.attempts[0]?.host, outcomes[0]?.attempts[0]?.state],
    ['mx1.worse.example', 'used'],
  );
});

// [7672-6-1, 7672-2.2.1-2]
test('RFC 7672 §6, §2.2.1: mandatory DANE needs secure records under a secure MX', async () => {
  const insisting = fresh({ require: 'dane' });
  assert.equal(ended(await mailTo(insisting, 'good.example')), 'delivered');
  assert.equal(ended(await mailTo(insisting, 'hosted.example')), 'deferred send-no-server');
  assert.equal(ended(await mailTo(insisting, 'signed-only.example')), 'deferred send-no-server');
  assert.equal(
    ended(await mailTo(sender, 'hosted.example')),
    'delivered',
    'where it is not mandatory',
  );
});

// [7672-8.1-1, 7671-7-2]
test('RFC 7672 §8.1: the target of an alias chain is the TLSA base, in SNI and first', async () => {
  const { outcomes } = await mailTo(sender, 'aliased.example');
  const [attempt] = outcomes[0]?.attempts ?? [];
  assert.deepEqual(
    [attempt?.host, attempt?.session?.sni, attempt?.state],
    ['mail.aliased.example', 'mx.aliased.example', 'used'],
  );
  const decision = await sender.policy('aliased.example');
  assert.deepEqual(decision.hosts[0]?.referenceNames, ['mx.aliased.example', 'aliased.example']);
});

// [7672-9.1-1]
test('RFC 7672 §9.1: observing needs an option; it delivers and reports', async () => {
  const observing = fresh({ observe: true });
  const { outcomes } = await mailTo(observing, 'stale.example');
  const [attempt] = outcomes[0]?.attempts ?? [];
  assert.deepEqual(
    [attempt?.host, attempt?.state, attempt?.failure?.code],
    ['mx1.stale.example', 'used', 'server-dane-mismatch'],
  );
  assert.deepEqual(outcomes[0]?.waiver, { kind: 'observe' });
  assert.equal(attempt?.results[0]?.failure?.resultType, 'validation-failure');
});

test('RFC 3207 §4.1 [3207-4.1-1]: an insufficient session ends with QUIT', async () => {
  const { conversations } = await mailTo(sender, 'stale.example');
  assert.deepEqual(
    conversations[0]?.lines.filter(({ from }) => from === 'C').map(({ text }) => text),
    ['EHLO sender.example', 'STARTTLS', 'QUIT'],
  );
});

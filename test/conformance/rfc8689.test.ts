import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Lab, Scenario } from '../../src/lab/index.js';
import type { Sender } from '../../src/send/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { ended, mailTo, smallLab } from './testing-senders.js';

const habit = 'offers-requiretls';
const signed = { signed: {} } as const;
const scenarios: readonly Scenario[] = [
  {
    ...unjudged('dane.example'),
    zone: signed,
    hosts: [{ habit, certificate: 'self-signed', tlsa: ['ee'] }],
  },
  { ...unjudged('pkix.example'), zone: signed, hosts: [{ habit }] },
  { ...unjudged('sts.example'), hosts: [{ habit }], sts: { mode: 'testing' } },
  { ...unjudged('unsigned.example'), hosts: [{ habit }] },
  {
    ...unjudged('untrusted.example'),
    zone: signed,
    hosts: [{ habit, certificate: 'self-signed' }],
  },
  { ...unjudged('unable.example'), zone: signed, hosts: [{ tlsa: ['ee'] }] },
  { ...unjudged('plain.example'), zone: signed, hosts: [{ habit: 'no-starttls' }] },
  { ...unjudged('second.example'), zone: signed, hosts: [{ name: 'mx1' }, { name: 'mx2', habit }] },
  { ...unjudged('dead.example'), zone: signed, hosts: [{ dial: 'refuse' }] },
  {
    ...unjudged('mismatch.example'),
    zone: signed,
    hosts: [{ habit, tlsa: ['stale'] }],
    sts: { mode: 'enforce', mx: ['other.mismatch.example'] },
  },
];

let lab: Lab;
let sender: Sender;
before(async () => {
  ({ lab, sender } = await smallLab(scenarios));
});
after(() => lab.close());

const received = (domain: string) => lab.mail.filter(({ to }) => to.includes(`you@${domain}`));

// [8689-2-1]
test('REQUIRETLS goes with MAIL FROM under TLS, to a server that offers it there', async () => {
  for (const domain of ['dane.example', 'pkix.example', 'sts.example']) {
    assert.equal(ended(await mailTo(sender, domain, { requireTls: true })), 'delivered', domain);
    assert.deepEqual(
      received(domain).map(({ sealed, parameters }) => [sealed, parameters.includes('REQUIRETLS')]),
      [[true, true]],
    );
  }
  await mailTo(sender, 'dane.example');
  assert.doesNotMatch(
    received('dane.example')[1]?.parameters ?? '',
    /REQUIRETLS/,
    'and only when asked for',
  );
});

// [8689-4.2.1-1]
test('neither DNSSEC nor MTA-STS proves the MX: the mail is returned, not sent', async () => {
  const delivery = await mailTo(sender, 'unsigned.example', { requireTls: true });
  assert.equal(ended(delivery), 'rejected send-requiretls-failed');
  assert.deepEqual(delivery.outcomes[0]?.attempts[0]?.reasons[0], 'require-verified-mx');
  assert.deepEqual(received('unsigned.example'), []);
});

test('[8689-4.2.1-2] an unverified certificate: the mail is returned', async () => {
  assert.equal(
    ended(await mailTo(sender, 'untrusted.example', { requireTls: true })),
    'rejected send-requiretls-failed',
  );
  assert.deepEqual(received('untrusted.example'), []);
});

test('[8689-4.2.1-3] the hosts are tried in turn until one qualifies', async () => {
  const delivery = await mailTo(sender, 'second.example', { requireTls: true });
  assert.equal(ended(delivery), 'delivered');
  assert.deepEqual(
    delivery.outcomes[0]?.attempts.map(({ host, state }) => [host, state]),
    [
      ['mx1.second.example', 'failed'],
      ['mx2.second.example', 'used'],
    ],
  );
});

// [8689-4.2.1-4]
test('an unmet requirement bounces with 5.7.30 or 5.7.10; silence is retried', async () => {
  for (const [domain, status] of [
    ['unable.example', '5.7.30'],
    ['plain.example', '5.7.10'],
  ] as const) {
    const delivery = await mailTo(sender, domain, { requireTls: true });
    assert.deepEqual(
      [ended(delivery), delivery.recipients[0]?.failure?.detail],
      ['rejected send-requiretls-failed', status],
    );
    assert.deepEqual(received(domain), []);
  }
  assert.equal(
    ended(await mailTo(sender, 'dead.example', { requireTls: true })),
    'deferred send-no-server',
  );
});

// [8689-4.2.2-1]
test('TLS-Required: No uses TLS where offered, and failing policies do not defer it', async () => {
  assert.match(ended(await mailTo(sender, 'mismatch.example')), /^deferred/);
  const delivery = await mailTo(sender, 'mismatch.example', { header: 'TLS-Required: No\r\n' });
  assert.equal(ended(delivery), 'delivered');
  assert.equal(received('mismatch.example')[0]?.sealed, true);
  assert.deepEqual(delivery.outcomes[0]?.waiver, { kind: 'tls-required-no' });
  const stripped = await lab.attack('dane.example', 'strip');
  assert.equal(
    ended(await mailTo(sender, 'dane.example', { header: 'tls-required:\r\n no\r\n' })),
    'delivered',
  );
  stripped();
});

test('only a single TLS-Required: No field has an effect', async () => {
  for (const header of [
    'TLS-Required: Yes\r\n',
    'TLS-Required: No\r\nTLS-Required: No\r\n',
    'X-TLS-Required: No\r\n',
    'A: b\r\n\r\nTLS-Required: No\r\n',
  ])
    assert.match(ended(await mailTo(sender, 'mismatch.example', { header })), /^deferred/, header);
});

test('[8689-4.1-1] REQUIRETLS overrides TLS-Required', async () => {
  const delivery = await mailTo(sender, 'untrusted.example', {
    header: 'TLS-Required: No\r\n',
    requireTls: true,
  });
  assert.equal(ended(delivery), 'rejected send-requiretls-failed');
});

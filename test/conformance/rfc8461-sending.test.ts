import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Lab, Scenario } from '../../src/lab/index.js';
import { memoryStsCache } from '../../src/mta-sts/index.js';
import { createSender, type Sender } from '../../src/send/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { ended, inLab, mailTo, smallLab } from './testing-senders.js';

/** Servers that accept TLS 1.2 with one kind of key exchange. */
const suites = {
  'static-rsa': 'AES128-GCM-SHA256',
  dhe: 'DHE-RSA-AES128-GCM-SHA256',
  ecdhe: 'ECDHE-RSA-AES128-GCM-SHA256',
} as const;

const scenarios: readonly Scenario[] = [
  { ...unjudged('enforced.example'), sts: { mode: 'enforce' } },
  {
    ...unjudged('self-signed.example'),
    hosts: [{ certificate: 'self-signed' }],
    sts: { mode: 'enforce' },
  },
  {
    ...unjudged('testing.example'),
    hosts: [{ certificate: 'self-signed' }],
    sts: { mode: 'testing' },
  },
  {
    ...unjudged('testing-plain.example'),
    hosts: [{ habit: 'no-starttls' }],
    sts: { mode: 'testing' },
  },
  ...(['enforce', 'testing'] as const).flatMap((mode) =>
    Object.entries(suites).map(([name, list]): Scenario => ({
      ...unjudged(`${name}-${mode}.example`),
      hosts: [{ certificate: 'rsa', suites: list }],
      sts: { mode },
    })),
  ),
  { ...unjudged('testing-unlisted.example'), sts: { mode: 'testing', mx: ['other.example'] } },
  {
    ...unjudged('unlisted-first.example'),
    hosts: [{ name: 'mx1' }, { name: 'mx2' }],
    sts: { mode: 'enforce', mx: ['mx2.unlisted-first.example'] },
  },
  { ...unjudged('no-policy.example'), sts: { mode: 'enforce', habit: 'not-found' } },
  {
    ...unjudged('delegated.example'),
    zone: {
      records: '_mta-sts CNAME _mta-sts.enforced.example.\nmta-sts CNAME mta-sts.enforced.example.',
    },
  },
  {
    ...unjudged('relay.example'),
    hosts: [{ name: '@' }],
    sts: { mode: 'enforce', mx: ['relay.example'] },
  },
];

let lab: Lab;
let sender: Sender;
before(async () => {
  ({ lab, sender } = await smallLab(scenarios));
});
after(() => lab.close());

// [8461-3.4-1]
test('RFC 8461 §3.4: with a smart host its policy counts, not that of the recipient', async () => {
  const smart = await sender.policy('[relay.example]');
  assert.deepEqual(
    [
      smart.domain,
      smart.mtaSts.policy?.mode,
      smart.hosts[0]?.decision.action === 'use' && smart.hosts[0].decision.authenticate,
    ],
    ['relay.example', 'enforce', ['pkix']],
  );
  const literal = await sender.policy('[192.0.2.25]');
  assert.equal(literal.mtaSts.record.status, 'not-asked');
});

test('RFC 8461 §5 [8461-5-4]: mail that the policy refuses is deferred, never returned', async () => {
  const delivery = await mailTo(sender, 'self-signed.example');
  assert.equal(ended(delivery), 'deferred send-no-server');
  assert.equal(delivery.recipients[0]?.failure?.temporary, true);
});

// [8461-5-3, 8461-6-1]
test('RFC 8461 §5, §6: in testing mode mail is delivered and failures are reported', async () => {
  for (const [domain, type] of [
    ['testing.example', 'certificate-not-trusted'],
    ['testing-plain.example', 'starttls-not-supported'],
    ['testing-unlisted.example', 'validation-failure'],
  ] as const) {
    const delivery = await mailTo(sender, domain);
    assert.equal(ended(delivery), 'delivered', domain);
    const [outcome] = delivery.outcomes;
    assert.deepEqual(
      [outcome?.policies[0]?.type, outcome?.policies[0]?.mode, outcome?.policies[0]?.tlsRpt.status],
      ['sts', 'testing', 'found'],
    );
    assert.equal(outcome?.attempts[0]?.results[0]?.failure?.resultType, type);
  }
});

test('RFC 8461 §6 [8461-6-1]: a record without a policy is reported as a failed fetch', async () => {
  const none = await mailTo(sender, 'no-policy.example');
  assert.deepEqual(
    none.outcomes[0]?.policies.map(({ type, failure }) => [
      type,
      failure?.resultType,
      failure?.code,
    ]),
    [['no-policy-found', 'sts-policy-fetch-error', 'sts-policy-http-status']],
  );
  const stsCache = memoryStsCache();
  await createSender(inLab(lab, { stsCache })).policy('enforced.example');
  const undo = [
    await lab.attack('enforced.example', 'sts-new-id'),
    await lab.attack('enforced.example', 'policy-not-found'),
  ];
  // A sender with a cached policy that queries the DNS again.
  const again = await mailTo(createSender(inLab(lab, { stsCache })), 'enforced.example');
  undo.forEach((end) => end());
  assert.equal(ended(again), 'delivered');
  assert.deepEqual(
    again.outcomes[0]?.policies.map(({ type, failure }) => [type, failure?.resultType]),
    [['sts', 'sts-policy-fetch-error']],
  );
});

// [8461-8.4-1]
test('RFC 8461 §8.4: hosts are tried in MX order; a refused one counts as down', async () => {
  const { outcomes } = await mailTo(sender, 'unlisted-first.example');
  assert.deepEqual(
    outcomes[0]?.attempts.map(({ host, state, reasons }) => [
      host,
      state,
      reasons.includes('sts-mx-mismatch'),
    ]),
    [
      ['mx1.unlisted-first.example', 'refused', true],
      ['mx2.unlisted-first.example', 'used', false],
    ],
  );
});

// [8461-7.2-1]
test('RFC 8461 §7.2: an enforced policy refuses versions before TLS 1.2', async () => {
  const end = await lab.attack('enforced.example', 'tls10');
  const delivery = await mailTo(sender, 'enforced.example');
  end();
  assert.match(ended(delivery), /^deferred/);
  assert.equal(ended(await mailTo(sender, 'enforced.example')), 'delivered');
});

for (const [name, enforced] of [
  ['static-rsa', /^deferred/],
  ['dhe', /^deferred/],
  ['ecdhe', /^delivered$/],
] as const)
  // [10015-2-1, 10015-2-2, 10015-3-1, 10015-4-1]
  test(`TLS 1.2 with ${name} alone under a policy`, async () => {
    assert.match(ended(await mailTo(sender, `${name}-enforce.example`)), enforced);
    const { recipients, outcomes } = await mailTo(sender, `${name}-testing.example`);
    assert.equal(recipients[0]?.status, 'delivered');
    assert.equal(outcomes[0]?.attempts.at(-1)?.cleartext, false);
  });

test('RFC 8461 §8.2 [8461-8.2-1]: an alias at _mta-sts is followed', async () => {
  const { mtaSts } = await sender.policy('delegated.example');
  assert.equal(mtaSts.record.status, 'found');
});

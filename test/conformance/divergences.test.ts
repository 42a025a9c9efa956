/**
 * Tests that this sender has none of forty known departures of mail senders from RFC
 * 8461, RFC 7672 and RFC 8460. The numbers are those of the survey that lists them. A
 * departure that this sender's design excludes is only counted, with the reason.
 */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { Name } from '../../src/base/index.js';
import { parseTlsa, verifyDane } from '../../src/dane/index.js';
import { createResolver } from '../../src/dns/index.js';
import type { Lab, Scenario } from '../../src/lab/index.js';
import {
  afterFailure,
  matchMx,
  parsePolicy,
  parseStsRecord,
  stsFailures,
} from '../../src/mta-sts/index.js';
import { body, stsWorld, type StsWorld } from '../support/sts-source.js';
import { createCa, issue } from '../../src/pki/index.js';
import { decideHost, referenceNames } from '../../src/tls-policy/index.js';
import {
  answerOf,
  createSender,
  postfixVersions,
  type Delivery,
  type Sender,
} from '../../src/send/index.js';
import { parseCertificate, spkiSha256 } from '../../src/x509/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { ended, inLab, mailTo, smallLab } from './testing-senders.js';

const signed = { signed: {} } as const;
const scenarios: readonly Scenario[] = [
  {
    ...unjudged('both.example'),
    zone: signed,
    hosts: [{ tlsa: ['ee'] }],
    sts: { mode: 'enforce' },
  },
  {
    ...unjudged('testing.example'),
    hosts: [{ certificate: 'self-signed' }],
    sts: { mode: 'testing' },
  },
  {
    ...unjudged('aliased.example'),
    zone: { ...signed, withoutMx: true, records: '@ MX 10 mail\nmail CNAME mx' },
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
  {
    ...unjudged('stale.example'),
    zone: signed,
    hosts: [
      { name: 'mx1', tlsa: ['stale'] },
      { name: 'mx2', tlsa: ['stale'] },
    ],
    sts: { mode: 'enforce', mx: ['*.stale.example'] },
  },
  {
    ...unjudged('unlisted.example'),
    hosts: [{ name: 'mx1' }, { name: 'mx2' }],
    sts: { mode: 'enforce', mx: ['mx2.unlisted.example'] },
  },
  {
    ...unjudged('unusable.example'),
    zone: signed,
    hosts: [{ certificate: 'self-signed', tlsa: ['unusable'] }],
  },
  { ...unjudged('not-found.example'), sts: { mode: 'enforce', habit: 'not-found' } },
  { ...unjudged('html.example'), sts: { mode: 'enforce', habit: 'html' } },
  { ...unjudged('endless.example'), sts: { mode: 'enforce', habit: 'endless' } },
  {
    ...unjudged('untrusted.example'),
    hosts: [{ certificate: 'self-signed' }],
    sts: { mode: 'enforce' },
  },
  { ...unjudged('hosted.example'), hosts: [{ name: 'mx1.two.example.' }] },
  { ...unjudged('breaks.example'), hosts: [{ habit: 'breaks-tls' }] },
  { ...unjudged('inert.example'), hosts: [{ certificate: 'self-signed', tlsa: ['stale'] }] },
];

let lab: Lab;
let sender: Sender;
before(async () => {
  ({ lab, sender } = await smallLab(scenarios));
});
after(() => lab.close());

const numbers: number[] = [];
const notApplicable: { readonly n: number; readonly why: string }[] = [
  { n: 10, why: 'a crash over an option that there is not: listening takes no reuse_port' },
];

/** Registers the test of one row of the survey. */
function row(n: number, says: string, check: () => void | Promise<void>): void {
  numbers.push(n);
  test(`${n}: ${says}`, check);
}

const domain = Name.of('example.com');
const MINUTE = 60_000;

/** Returns a sender with a cached policy, after a change of the published records. */
async function knowing(
  change: Partial<Pick<StsWorld, 'texts' | 'policy'>>,
  later = 2 * MINUTE,
): Promise<StsWorld> {
  const world = stsWorld();
  await world.source.lookup(domain);
  Object.assign(world, change);
  world.time += later;
  return world;
}

async function kept(change: Partial<Pick<StsWorld, 'texts' | 'policy'>>): Promise<void> {
  const world = await knowing(change);
  const { how, policy } = await world.source.lookup(domain);
  assert.deepEqual([how, policy?.mode], ['kept', 'enforce']);
}

const policyOf = (text: string): string => {
  const parsed = parsePolicy(text);
  return parsed.ok
    ? `${parsed.value.mode} ${parsed.value.maxAge} ${parsed.value.mx.join(' ')}`.trim()
    : parsed.failure.code;
};

const attemptsOf = ({ outcomes }: Delivery) => outcomes[0]?.attempts ?? [];

row(1, 'a changed id is fetched when the record is seen, not when max_age nears', async () => {
  const world = await knowing({
    texts: ['v=STSv1; id=2'],
    policy: body('enforce', 604_800, 'new.example.com'),
  });
  assert.deepEqual((await world.source.lookup(domain)).policy?.mx, ['new.example.com']);
});

row(2, 'a policy in testing leaves results to report', async () => {
  const delivery = await mailTo(sender, 'testing.example');
  assert.deepEqual(
    [ended(delivery), attemptsOf(delivery)[0]?.results[0]?.failure?.resultType],
    ['delivered', 'certificate-not-trusted'],
  );
});

row(3, 'both policies are reported on where both apply, and a failed fetch is told', async () => {
  const delivery = await mailTo(sender, 'both.example');
  assert.deepEqual(
    delivery.outcomes[0]?.policies.map(({ type }) => type),
    ['sts', 'tlsa'],
  );
  const failed = await mailTo(sender, 'not-found.example');
  assert.equal(failed.outcomes[0]?.policies[0]?.failure?.resultType, 'sts-policy-fetch-error');
});

row(4, 'TLSA records are looked for where a secure alias of the MX host leads', async () => {
  const { hosts } = await sender.policy('aliased.example');
  assert.deepEqual([hosts[0]?.tlsa.base, hosts[0]?.tlsa.status], ['mx.aliased.example', 'usable']);
});

row(5, 'a DNS error for one MX host leaves the others in use', async () => {
  const back = lab.fault('_25._tcp.mx1.two.example TLSA', 'servfail');
  const delivery = await mailTo(createSender(inLab(lab)), 'two.example');
  back();
  assert.deepEqual(
    [ended(delivery), attemptsOf(delivery).at(-1)?.host],
    ['delivered', 'mx2.two.example'],
  );
});

row(6, 'an expired policy is not renewed by an unchanged id without a fetch', async () => {
  const world = stsWorld({ policy: body('enforce', 300) });
  await world.source.lookup(domain);
  world.policy = 'sts-policy-http-status';
  world.time += 301_000;
  assert.equal((await world.source.lookup(domain)).policy, undefined);
});

row(7, 'a max_age above a year is cut to a year, and the policy holds', () => {
  assert.equal(policyOf(body('enforce', 99_999_999)), 'enforce 31557600 mx.example.com');
});

row(8, 'a wildcard stands for one label', () => {
  assert.deepEqual(
    [matchMx('*.example.com', 'mx.example.com'), matchMx('*.example.com', 'a.b.example.com')],
    [true, false],
  );
});

row(9, 'MTA-STS that validates does not override DANE that fails', async () => {
  const delivery = await mailTo(sender, 'stale.example');
  assert.deepEqual(
    [ended(delivery), attemptsOf(delivery)[0]?.failure?.code],
    ['deferred send-no-server', 'server-dane-mismatch'],
  );
  assert.equal(attemptsOf(delivery)[0]?.session?.certificate?.chain, 'trusted');
});

row(11, 'the same decision is told in the same words every time', async () => {
  const told = new Set<string>();
  for (let i = 0; i < 5; i++) {
    const decision = await createSender(inLab(lab)).policy('unlisted.example');
    told.add(
      answerOf(decision, {
        version: postfixVersions.at(-1) ?? '3.7',
        validates: true,
      }).reply.replace(/ policy_ttl=\d+/, ''),
    );
  }
  assert.equal(told.size, 1, [...told].join('\n'));
});

row(
  12,
  'a domain without a policy costs one question for each TTL, a failing one a fetch in five minutes',
  async () => {
    const none = stsWorld({ texts: [] });
    for (let i = 0; i < 100; i++) await none.source.lookup(domain);
    assert.equal(none.asked.length, 1);
    const failing = stsWorld({ policy: 'sts-policy-unreachable' });
    for (let i = 0; i < 100; i++) {
      failing.time += 2_000;
      await failing.source.lookup(domain);
    }
    assert.equal(failing.fetches, 1);
  },
);

row(13, 'every session is told, not only the last, for every policy', async () => {
  const delivery = await mailTo(sender, 'stale.example');
  const told = attemptsOf(delivery).map(({ host, results }) => [
    host,
    results.map(({ failure }) => failure?.code ?? 'success'),
  ]);
  assert.deepEqual(told, [
    ['mx1.stale.example', ['success', 'server-dane-mismatch']],
    ['mx2.stale.example', ['success', 'server-dane-mismatch']],
  ]);
});

row(
  14,
  'no connection is opened to an MX host that the enforced policy does not list',
  async () => {
    const delivery = await mailTo(sender, 'unlisted.example');
    assert.deepEqual(
      delivery.conversations.map(({ host }) => host),
      ['mx2.unlisted.example'],
    );
  },
);

row(15, 'TLSA records of which none is usable ask for TLS, not for a delay', async () => {
  const delivery = await mailTo(sender, 'unusable.example');
  assert.deepEqual(
    [ended(delivery), attemptsOf(delivery)[0]?.session?.version],
    ['delivered', 'TLSv1.3'],
  );
});

row(16, 'with a secure MX a trust anchor’s certificate may be for the next-hop domain', () => {
  const ca = createCa({ name: 'Some CA' });
  const { chain } = issue(ca, { names: ['example.com'] });
  const sent = [...chain, ca.der].flatMap((der) => {
    const parsed = parseCertificate(der);
    return parsed.ok ? [parsed.value] : [];
  });
  const anchor = sent.at(-1);
  const record = anchor && parseTlsa(`2 1 1 ${spkiSha256(anchor)}`);
  assert.ok(record);
  const judge = (dnssec: 'secure' | 'insecure') => {
    const names = referenceNames('mx.example.com', { domain: 'example.com', route: { dnssec } });
    return verifyDane({ records: [record], chain: sent, names, validationTime: Date.now() })
      .verdict;
  };
  assert.deepEqual([judge('secure'), judge('insecure')], ['match', 'mismatch']);
});

row(17, 'a changed id whose policy host fails leaves the cached policy in force', () =>
  kept({ texts: ['v=STSv1; id=2'], policy: 'sts-policy-http-status' }),
);

row(18, 'a 404 page is no policy, whatever it says', async () => {
  const { mtaSts } = await sender.policy('not-found.example');
  assert.deepEqual([mtaSts.policy, mtaSts.trouble?.code], [undefined, 'sts-policy-http-status']);
});

row(19, 'mode none needs no mx', () => {
  assert.equal(policyOf('version: STSv1\nmode: none\nmax_age: 86400\n'), 'none 86400');
});

row(20, 'a max_age within the bounds counts as it stands, short or long', () => {
  for (const age of [1, 300, 3599, 31_557_599])
    assert.equal(policyOf(body('enforce', age)), `enforce ${age} mx.example.com`);
});

row(21, 'unusable TLSA records never mean that clear text will do', async () => {
  const end = await lab.attack('unusable.example', 'strip');
  const delivery = await mailTo(sender, 'unusable.example');
  end();
  assert.equal(ended(delivery), 'deferred send-no-server');
});

row(22, 'what policy refuses is refused for now, not for good', async () => {
  for (const name of ['untrusted.example', 'stale.example'])
    assert.match(ended(await mailTo(sender, name)), /^deferred/, name);
});

row(23, 'a changed id with an unreadable policy leaves the cached policy in force', () =>
  kept({ texts: ['v=STSv1; id=2'], policy: 'version: STSv2\n' }),
);

row(24, 'TXT records are not joined with each other, and no body is read without end', async () => {
  const joined = parseStsRecord(['v=STSv1;', 'id=1;']);
  assert.equal(joined.status === 'invalid' && joined.failure.code, 'sts-record-invalid');
  const { mtaSts } = await sender.policy('endless.example');
  assert.equal(mtaSts.trouble?.code, 'sts-policy-invalid');
});

row(25, 'a mismatch puts mail off, and an MTA-STS error takes nothing from DANE', async () => {
  assert.match(ended(await mailTo(sender, 'stale.example')), /^deferred/);
  const ends = [
    await lab.attack('both.example', 'sts-servfail'),
    await lab.attack('both.example', 'swap-certificate'),
  ];
  const delivery = await mailTo(createSender(inLab(lab)), 'both.example');
  ends.reverse().forEach((end) => end());
  assert.equal(ended(delivery), 'deferred send-no-server');
});

row(26, 'DANE under an unsigned MX is named as the lesser thing it is', async () => {
  const { hosts } = await sender.policy('hosted.example');
  assert.ok(hosts[0]?.decision.reasons.includes('dane-insecure-mx'));
  assert.deepEqual(hosts[0]?.referenceNames, ['mx1.two.example']);
});

row(27, 'a record that is gone takes no cached policy away', () => kept({ texts: [] }));

row(28, 'a failing lookup of the record takes no cached policy away', () =>
  kept({ texts: 'failed' }),
);

row(29, 'a fresh policy is not fetched again for every message, an expired one is', async () => {
  const world = stsWorld({ policy: body('enforce', 3600) });
  for (let i = 0; i < 30; i++) {
    world.time += 61_000;
    await world.source.lookup(domain);
  }
  assert.equal(world.fetches, 1);
  world.time += 3_600_000;
  await world.source.lookup(domain);
  assert.equal(world.fetches, 2);
});

row(30, 'a policy without mode is none at all, and a wildcard never reaches deeper', () => {
  assert.equal(policyOf(body('enforce').replace('mode: enforce\n', '')), 'sts-policy-invalid');
  assert.equal(matchMx('*.example.com', 'a.b.example.com'), false);
});

row(31, 'max_age is one to ten digits', () => {
  for (const age of ['1.5', '0x10', '', '1e3', '+5', '12345678901'])
    assert.equal(policyOf(body('enforce').replace('604800', age)), 'sts-policy-invalid', age);
});

row(32, 'usages of public CAs and unsigned records authenticate no server', async () => {
  const records = ['0 1 1', '1 1 1']
    .map((head) => parseTlsa(`${head} ${'ab'.repeat(32)}`))
    .filter((r) => r !== undefined);
  assert.equal(
    verifyDane({ records, chain: [], names: [], validationTime: 0 }).verdict,
    'unverifiable',
  );
  const { hosts } = await sender.policy('inert.example');
  assert.deepEqual(hosts[0]?.decision.action === 'use' && hosts[0].decision.authenticate, []);
});

row(
  33,
  'a failed handshake is no reason to leave TLS out the next time, and under a policy none to go in plaintext',
  async () => {
    for (let i = 0; i < 2; i++) {
      const delivery = await mailTo(sender, 'breaks.example');
      assert.equal(ended(delivery), 'delivered');
      assert.ok(
        delivery.conversations[0]?.lines.some(({ text }) => text === 'STARTTLS'),
        `message ${i + 1}`,
      );
    }
    const end = await lab.attack('untrusted.example', 'inject');
    assert.match(ended(await mailTo(sender, 'untrusted.example')), /^deferred/);
    end();
  },
);

row(34, 'an mx value is a host name or nothing', () => {
  for (const value of ['a.test ciphers=low', '*', '*.*.test', 'a.test}', 'a.test,b.test'])
    assert.equal(policyOf(body('enforce', 604_800, value)), 'sts-policy-invalid', value);
});

row(35, 'of a repeated mode the first counts', () => {
  assert.equal(policyOf(`${body('none')}mode: enforce\n`), 'none 604800 mx.example.com');
});

row(36, 'order, and foreign letters in unknown fields, cost no policy', () => {
  assert.equal(
    policyOf('mode: enforce\nmx: mx.example.com\nnote: grüße\nmax_age: 60\nversion: STSv1\n'),
    'enforce 60 mx.example.com',
  );
});

row(37, 'an empty line costs no policy', () => {
  assert.equal(policyOf(`${body('enforce')}\n\n`), 'enforce 604800 mx.example.com');
});

row(38, 'a refresh renews nothing that it did not fetch, and the media type counts', async () => {
  const world = await knowing({ policy: 'sts-policy-unreachable' }, 86_400_000);
  const before = world.cache.get('example.com')?.policy?.fetchedAt;
  assert.equal(await world.source.refreshDue(), 1);
  assert.equal(world.cache.get('example.com')?.policy?.fetchedAt, before);
  assert.equal((await sender.policy('html.example')).mtaSts.trouble?.code, 'sts-policy-wrong-type');
});

row(
  39,
  'a failed fetch is not a policy of mode none, and no host leaves the list before its turn',
  async () => {
    const entry = afterFailure(
      undefined,
      'example.com',
      { id: '1', failure: stsFailures.make('sts-policy-unreachable') },
      0,
    );
    assert.equal(entry.policy, undefined);
    assert.deepEqual(
      attemptsOf(await mailTo(sender, 'unlisted.example')).map(
        ({ host, state }) => `${host} ${state}`,
      ),
      ['mx1.unlisted.example refused', 'mx2.unlisted.example used'],
    );
  },
);

row(40, 'the AD bit of a resolver proves nothing', async () => {
  const { network, upstreams, anchors } = lab;
  const lying = {
    dial: network.dial.bind(network),
    async exchange(request: Parameters<typeof network.exchange>[0]) {
      const result = await network.exchange(request);
      if (result.ok && result.bytes[3] !== undefined) result.bytes[3] |= 0x20;
      return result;
    },
  };
  const resolver = createResolver({ network: lying, upstreams, anchors });
  const { hosts } = await createSender({ ...inLab(lab), resolver }).policy('inert.example');
  assert.notEqual(hosts[0]?.tlsa.status, 'usable');
  assert.equal(
    decideHost({ name: 'mx.example.com', dnssec: 'insecure', tlsa: 'insecure' }, 'insecure', {
      dane: true,
      mtaSts: undefined,
    }).action,
    'use',
  );
});

test('all forty are tested, or documented as not applicable', () => {
  const all = [...numbers, ...notApplicable.map(({ n }) => n)].sort((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  assert.ok(notApplicable.every(({ why }) => why.length > 20));
});

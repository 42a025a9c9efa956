/**
 * Domains with partly broken DNS: the decision of a sender, the answer to Postfix, and
 * the outcome of the mail.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { check } from '../../src/check/index.js';
import type { DomainDecision } from '../../src/tls-policy/index.js';
import { renderPolicy } from '../../src/cli/render-policy.js';
import { createLab, type DnsFault, type Lab, type Scenario } from '../../src/lab/index.js';
import { answerOf, createSender, type Delivery, type Sender } from '../../src/send/index.js';
import { ended, inLab, mailTo } from '../conformance/testing-senders.js';

const domain = 'one.example';
const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;

type Traits = Omit<Partial<Scenario>, 'expect' | 'domain'>;
type Faults = Readonly<Record<string, DnsFault>>;

interface Found {
  readonly lab: Lab;
  readonly sender: Sender;
  readonly decision: DomainDecision;
  /**
   * The answers to two Postfix servers: one with a validating resolver, one without.
   */
  readonly replies: readonly [string, string];
  readonly delivery: Delivery;
}

/**
 * Builds the domain, breaks the answers to some questions about it, and sends a message
 * to it.
 */
async function found(
  traits: Traits,
  faults: Faults,
  work: (found: Found) => Promise<void> | void,
): Promise<void> {
  const lab = await createLab({ scenarios: [{ domain, says: '', expect, ...traits }, elsewhere] });
  try {
    for (const [question, fault] of Object.entries(faults)) lab.fault(question, fault);
    const sender = createSender(inLab(lab));
    const decision = await sender.policy(domain);
    const reply = (validates: boolean): string =>
      answerOf(decision, { version: '3.7', validates }).reply;
    const delivery = await mailTo(sender, domain);
    await work({ lab, sender, decision, replies: [reply(true), reply(false)], delivery });
  } finally {
    await lab.close();
  }
}

/** An unsigned zone with hosts that other domains use. */
const elsewhere: Scenario = {
  domain: 'elsewhere.example',
  says: '',
  expect,
  zone: { withoutMx: true },
};

const v6Only: Traits['hosts'] = [{ beside: { family: 6 } }];
const broken: readonly (readonly [string, Traits['hosts'], Faults])[] = [
  ['AAAA answers SERVFAIL', [{}], { 'mx.one.example AAAA': 'servfail' }],
  ['AAAA is refused', [{}], { 'mx.one.example AAAA': 'refused' }],
  ['AAAA is never answered', [{}], { 'mx.one.example AAAA': 'drop' }],
  ['A answers SERVFAIL and AAAA is good', v6Only, { 'mx.one.example A': 'servfail' }],
];

for (const [says, hosts, faults] of broken) {
  test(`[7672-2.2.2-3] unsigned: ${says}: mail is delivered, Postfix gets no policy`, () =>
    found({ hosts }, faults, ({ decision, replies, delivery }) => {
      assert.deepEqual(
        [decision.hosts[0]?.dnssec, decision.hosts[0]?.decision.reasons],
        ['insecure', ['dane-absent', 'sts-no-policy']],
      );
      assert.deepEqual(replies, ['NOTFOUND ', 'NOTFOUND ']);
      assert.equal(ended(delivery), 'delivered');
    }));

  test(`[7672-2.2.2-3] signed with TLSA records: ${says}: DANE by the other family`, () =>
    found(
      { zone: { signed: {} }, hosts: (hosts ?? []).map((host) => ({ ...host, tlsa: ['ee'] })) },
      faults,
      ({ decision, replies, delivery }) => {
        assert.deepEqual(
          [decision.hosts[0]?.dnssec, decision.hosts[0]?.tlsa.status],
          ['secure', 'usable'],
        );
        assert.match(decision.hosts[0]?.trouble?.detail ?? '', /^A(AAA)?: /);
        assert.equal(replies[0], 'OK dane');
        assert.match(
          replies[1],
          /^TEMP one\.example: The domain has DANE, but Hermetic did not see the resolver/,
        );
        assert.equal(ended(delivery), 'delivered');
      },
    ));
}

for (const [says, zone, tlsa] of [
  ['signed, DANE', { signed: {} }, ['ee']],
  ['signed with NSEC3, DANE', { signed: { denial: 'nsec3' } }, ['ee']],
] as const)
  test(`check: ${says}: AAAA answers SERVFAIL: a pass by the A record`, () =>
    found({ zone, hosts: [{ tlsa }] }, { 'mx.one.example AAAA': 'servfail' }, async ({ lab }) => {
      const { network, upstreams, anchors, trustStore, spacingMs } = lab;
      const options = { network, upstreams, anchors, trustStore, spacingMs };
      const { verdict, findings, exposure } = await check(domain, options);
      const ids = findings.map(({ id }) => id);
      assert.equal(verdict, 'pass', ids.join(' '));
      assert.ok(!ids.includes('dane-inert'));
      assert.equal(exposure.dane.stripStarttls, 'deferred');
      assert.equal(exposure.dane.none, 'verified');
    }));

test('signed: a forged AAAA next to a secure A keeps DANE over IPv4', () =>
  found(
    { zone: { signed: {} }, hosts: [{ tlsa: ['ee'] }] },
    { 'mx.one.example AAAA': { forge: ['mx.one.example. 60 IN AAAA 2001:db8::66'] } },
    ({ decision, replies }) => {
      const [host] = decision.hosts;
      assert.deepEqual([host?.dnssec, host?.tlsa.status], ['secure', 'usable']);
      assert.deepEqual(
        host?.addresses.filter((ip) => ip.includes(':')),
        [],
      );
      assert.equal(replies[0], 'OK dane');
    },
  ));

test('signed: a stale TLSA record still defers if the AAAA lookup fails', () =>
  found(
    { zone: { signed: {} }, hosts: [{ tlsa: ['stale'] }] },
    { 'mx.one.example AAAA': 'servfail' },
    ({ delivery }) => assert.equal(ended(delivery), 'deferred send-no-server'),
  ));

/**
 * The MX host is an alias of `mail`, which has the server's address. The lookup of AAAA
 * records fails.
 */
const aliased: Traits = {
  zone: { signed: {}, withoutMx: true, records: '@ MX 10 alias\nalias CNAME mx' },
  hosts: [{ tlsa: ['ee'] }],
};

for (const question of ['alias.one.example AAAA', 'mx.one.example AAAA'])
  test(`an aliased MX host: ${question} answers SERVFAIL: DANE at the target`, () =>
    found(aliased, { [question]: 'servfail' }, ({ decision, delivery }) => {
      const [host] = decision.hosts;
      assert.deepEqual([host?.dnssec, host?.tlsa.status], ['secure', 'usable']);
      assert.equal(host?.tlsa.base, 'mx.one.example');
      assert.equal(ended(delivery), 'delivered');
    }));

const two: Traits['hosts'] = [{ name: 'mx1' }, { name: 'mx2' }];

for (const signed of [undefined, {}])
  test(`${signed ? 'signed' : 'unsigned'}, no TLSA records, AAAA of one of two hosts fails: no policy`, () =>
    found(
      { ...(signed ? { zone: { signed } } : {}), hosts: two },
      { 'mx1.one.example AAAA': 'servfail' },
      ({ replies, delivery }) => {
        assert.deepEqual(replies, ['NOTFOUND ', 'NOTFOUND ']);
        assert.equal(ended(delivery), 'delivered');
      },
    ));

const lame: Faults = { 'mx1.one.example A': 'servfail', 'mx1.one.example AAAA': 'servfail' };

test('unsigned, one of two hosts without any address lookup: no DANE for the host', () =>
  found({ hosts: two }, lame, ({ decision, replies, delivery }) => {
    assert.deepEqual(decision.hosts[0]?.addresses, []);
    assert.equal(decision.hosts[0]?.trouble?.code, 'dns-servfail');
    assert.deepEqual(replies, ['NOTFOUND ', 'NOTFOUND ']);
    assert.equal(ended(delivery), 'delivered');
  }));

test('signed, one of two hosts without any address lookup: Postfix defers', () =>
  found({ zone: { signed: {} }, hosts: two }, lame, ({ replies, delivery }) => {
    assert.equal(replies[0], 'OK dane');
    assert.match(
      replies[1],
      /^TEMP one\.example: mx1\.one\.example: .*\(dns-servfail: A+: mx1\.one\.example: SERVFAIL/,
    );
    assert.doesNotMatch(replies[1], /has DANE/);
    assert.equal(ended(delivery), 'delivered', 'by the other host');
  }));

test('unsigned: a failed lookup of the only host defers, with the lookup as reason', () =>
  found(
    {},
    { 'mx.one.example A': 'servfail', 'mx.one.example AAAA': 'servfail' },
    ({ replies, delivery }) => {
      assert.match(
        replies[0],
        /^TEMP one\.example: mx\.one\.example: .*looked up \(dns-servfail: A+: mx\.one\.example: SERVFAIL/,
      );
      assert.equal(ended(delivery), 'deferred send-no-server');
    },
  ));

const tlsa = '_25._tcp.mx.one.example TLSA';
const deferred: readonly (readonly [string, Traits, Faults, RegExp])[] = [
  [
    'TLSA answers SERVFAIL',
    { hosts: [{ tlsa: ['ee'] }] },
    { [tlsa]: 'servfail' },
    /mx\.one\.example: The TLSA lookup failed.*\(dns-servfail: .*_25\._tcp\.mx\.one\.example: SERVFAIL/,
  ],
  [
    'TLSA answers SERVFAIL, and MTA-STS is enforced',
    { hosts: [{ tlsa: ['ee'] }], sts: { mode: 'enforce' } },
    { [tlsa]: 'servfail' },
    /mx\.one\.example: The TLSA lookup failed.*SERVFAIL/,
  ],
  [
    'the absence of TLSA records is forged',
    { hosts: [{ tlsa: ['ee'] }] },
    { [tlsa]: 'nodata' },
    /mx\.one\.example: The TLSA answer fails validation.*\(dnssec-denial-missing/,
  ],
  [
    'the MTA-STS policy lists another host',
    { hosts: [{ tlsa: ['ee'] }], sts: { mode: 'enforce', mx: ['mx.elsewhere.example'] } },
    {},
    /mx\.one\.example: The MTA-STS policy does not list this host/,
  ],
  [
    'the MX lookup fails',
    {},
    { 'one.example MX': 'servfail' },
    /^one\.example: The mail hosts of the domain could not be looked up \(dns-servfail: one\.example: SERVFAIL/,
  ],
];

for (const [says, traits, faults, reason] of deferred)
  test(`the reason of a deferral comes first everywhere: ${says}`, () =>
    found({ zone: { signed: {} }, ...traits }, faults, ({ decision, replies, delivery }) => {
      const [reply] = replies;
      assert.equal(decision.action, 'wait');
      assert.match(reply, /^TEMP one\.example: /);
      assert.match(reply.slice('TEMP '.length), reason);
      const [recipient] = delivery.recipients;
      assert.match(
        `${domain}: ${recipient?.failure?.detail ?? ''}`,
        decision.route.kind === 'error'
          ? /dns-servfail/
          : new RegExp(reason.source.replace('mx\\.one\\.example: ', '')),
      );
    }));

for (const [says, signed] of [
  ['a DS record with a SHA-1 digest alone', { dsDigests: [1] }],
  ['DS records with SHA-1 and SHA-384 digests', { dsDigests: [1, 4] }],
  ['NSEC3 with 200 iterations', { denial: 'nsec3', iterations: 200 }],
  ['NSEC3 with opt-out and 51 iterations', { denial: 'nsec3-optout', iterations: 51 }],
  ['NSEC3 with opt-out', { denial: 'nsec3-optout' }],
] as const)
  test(`[9904-4-1, 9276-3.2-1] ${says}: TLSA records bind, and a stale one defers`, async () => {
    await found({ zone: { signed }, hosts: [{ tlsa: ['ee'] }] }, {}, async (good) => {
      assert.equal(good.decision.hosts[0]?.dnssec, 'secure');
      assert.equal(good.replies[0], 'OK dane');
      assert.equal(ended(good.delivery), 'delivered');
      const { network, upstreams, anchors, trustStore, spacingMs } = good.lab;
      const { verdict, findings } = await check(domain, {
        network,
        upstreams,
        anchors,
        trustStore,
        spacingMs,
      });
      assert.equal(verdict, 'pass', findings.map(({ id }) => id).join(' '));
    });
    await found({ zone: { signed }, hosts: [{ tlsa: ['stale'] }] }, {}, ({ delivery }) =>
      assert.equal(ended(delivery), 'deferred send-no-server'),
    );
  });

for (const [algorithm, name] of [
  [5, 'RSASHA1 (5)'],
  [7, 'RSASHA1-NSEC3-SHA1 (7)'],
  [12, 'ECC-GOST (12)'],
] as const)
  // [9905-2-1, 9906-2-1]
  test(`RFC 9905 §2, RFC 9906 §2: a zone signed with ${name} counts as unsigned`, () =>
    found(
      { zone: { signed: { dsAlgorithm: algorithm } }, hosts: [{ tlsa: ['stale'] }] },
      {},
      async ({ lab, decision, replies, delivery }) => {
        const [host] = decision.hosts;
        assert.deepEqual(
          [host?.dnssec, host?.unsupported],
          ['insecure', { zone: domain, algorithms: [name] }],
        );
        assert.deepEqual(replies, ['NOTFOUND ', 'NOTFOUND ']);
        assert.equal(ended(delivery), 'delivered');
        assert.match(
          renderPolicy(decision, 400),
          /signed with .*, an algorithm that no longer counts\. Validators treat it as unsigned/,
        );
        const { network, upstreams, anchors, trustStore, spacingMs } = lab;
        const { findings } = await check(domain, {
          network,
          upstreams,
          anchors,
          trustStore,
          spacingMs,
        });
        const inert = findings.find(({ id }) => id === 'dane-inert');
        assert.match(
          inert?.why ?? '',
          new RegExp(`a retired algorithm as unsigned \\(one\\.example: ${name.slice(0, 7)}`),
        );
      },
    ));

test('unsigned: insecure addresses cause no TLSA lookup', () =>
  found({ hosts: [{ tlsa: ['ee'] }] }, { [tlsa]: 'servfail' }, ({ replies, delivery }) => {
    assert.deepEqual(replies, ['NOTFOUND ', 'NOTFOUND ']);
    assert.equal(ended(delivery), 'delivered');
  }));

test('NSEC3 with too many iterations: AAAA unproved, DANE stays in force', () =>
  found(
    { zone: { signed: { denial: 'nsec3', iterations: 600 } }, hosts: [{ tlsa: ['ee'] }] },
    {},
    ({ decision, replies, delivery }) => {
      const [host] = decision.hosts;
      assert.deepEqual([host?.dnssec, host?.trouble?.code], ['secure', 'dnssec-iterations']);
      assert.equal(replies[0], 'OK dane');
      assert.equal(ended(delivery), 'delivered');
    },
  ));

test('implicit MX of a zone with 200 NSEC3 iterations: DANE for the host', () =>
  found(
    {
      zone: { signed: { denial: 'nsec3', iterations: 200 }, withoutMx: true },
      hosts: [{ name: '@', tlsa: ['ee'] }],
    },
    {},
    ({ decision, replies, delivery }) => {
      assert.deepEqual(
        [decision.route.kind, decision.route.dnssec, decision.hosts[0]?.dnssec],
        ['implicit', 'insecure', 'secure'],
      );
      assert.equal(replies[0], 'OK dane');
      assert.equal(ended(delivery), 'delivered');
    },
  ));

for (const [says, asked, traits] of [
  ['a domain that does not exist', 'nowhere.example', {}],
  ['a domain that accepts no mail', domain, { zone: { withoutMx: true, records: '@ MX 0 .' } }],
  ['a domain with neither MX nor address', domain, { zone: { withoutMx: true }, hosts: [] }],
  ['a domain with mail hosts', domain, {}],
  [
    'a signed domain with TLSA records',
    domain,
    { zone: { signed: {} }, hosts: [{ tlsa: ['ee'] }] },
  ],
  ['a domain with an address alone', domain, { zone: { withoutMx: true }, hosts: [{ name: '@' }] }],
] as const satisfies readonly (readonly [string, string, Traits])[])
  test(`a resolver that strips DNSSEC: ${says}: no decision, and no bounce`, () =>
    found(traits, {}, async ({ lab }) => {
      lab.resolverHabit('strips');
      const sender = createSender(inLab(lab));
      assert.equal((await sender.policy(asked)).action, 'wait');
      assert.match(ended(await mailTo(sender, asked)), /^deferred /);
      const { network, upstreams, anchors, trustStore, spacingMs } = lab;
      const result = await check(asked, { network, upstreams, anchors, trustStore, spacingMs });
      assert.equal(result.verdict, 'inconclusive');
      assert.ok(!result.findings.some(({ id }) => id === 'domain-nonexistent'));
    }));

test('a sender without DANE trusts a resolver that strips DNSSEC', () =>
  found({}, {}, async ({ lab }) => {
    lab.resolverHabit('strips');
    const sender = createSender(inLab(lab, { dane: false }));
    assert.equal((await sender.policy('nowhere.example')).action, 'reject');
    assert.equal((await sender.policy(domain)).action, 'deliver');
  }));

test('a proved NXDOMAIN rejects the mail', () =>
  found({}, {}, async ({ sender }) => {
    assert.equal((await sender.policy('nowhere.example')).action, 'reject');
  }));

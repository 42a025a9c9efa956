import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Name } from '../../base/index.js';
import { typeNumber } from '../../dns/index.js';
import { startPolicy, stepPolicy } from '../mta-sts/step-policy.js';
import { stepReports } from '../mta-sts/step-reports.js';
import { mxWildcardBlocker as domainHeld } from '../mta-sts/apply-observation.js';
import type { PolicyStep, DesiredPolicy } from '../mta-sts/types.js';
import { startRollover, stepRollover } from '../tlsa/step-rollover.js';
import type { RolloverStep } from '../tlsa/types.js';
import { generateKey } from '../../pki/index.js';
import { serverKey } from '../keys/key-ring.js';
import { policyId, stsRecord } from '../records/policy-id.js';
import { queryAuthoritatives } from './query-authoritatives.js';
import { observePublishedDomain } from './observe-domain.js';
import { addressWildcardBlocker, observePublishedHost } from './observe-host.js';
import { authoritativeCname } from './query-authoritatives.js';
import { authoritativeTxt } from './query-authoritatives.js';
import { zoneEyes, type ZoneOptions } from '../../../test/support/publish/zone.js';

const domain = 'one.example';
const host = 'mx1.one.example';
const mail = '@ MX 10 mx1\nmx1 A 192.0.2.25\n';
const body = 'version: STSv1\r\nmode: testing\r\nmx: mx1.one.example\r\nmax_age: 86400\r\n';
const desired: DesiredPolicy = {
  mode: 'testing',
  mx: [host],
  maxAges: [86_400],
  policyHost: 'policy.one.example',
  ttl: 3600,
  reporters: [],
  days: 1,
  minReports: 0,
  confirmed: [],
};

for (const signed of [false, true]) {
  const zone = signed ? 'signed zone' : 'unsigned zone';
  /** `NAME TYPE` and the origin of its records: the name itself, a wildcard, or none. */
  const cases: readonly (readonly [string, string, string])[] = [
    ['* CNAME www\nwww A 192.0.2.99', '_mta-sts.one.example TXT', 'wildcard'],
    ['* TXT "v=spf1 -all"', '_mta-sts.one.example TXT', 'wildcard'],
    ['* TXT "a"\n_mta-sts TXT "a"', '_mta-sts.one.example TXT', 'own'],
    ['* CNAME www\nwww A 192.0.2.99\n_mta-sts CNAME www', '_mta-sts.one.example TXT', 'own'],
    ['_mta-sts TXT "b"', '_mta-sts.one.example TXT', 'own'],
    ['* TXT "a"', 'deep.below.one.example TXT', 'wildcard'],
    ['* TXT "a"\nx.below A 192.0.2.1', 'deep.below.one.example TXT', 'nothing'],
    ['* TXT "a"\n*.sub TXT "a"\nsub TXT "a"', 'sub.one.example TXT', 'own'],
    ['* MX 10 mx1', 'one.example MX', 'own'],
    ['*._tcp.mx1 TLSA 3 1 1 0102', '_25._tcp.mx1.one.example TLSA', 'wildcard'],
    ['_25._tcp.mx1 TLSA 3 1 1 0102', '_25._tcp.mx1.one.example TLSA', 'own'],
    ['* A 192.0.2.7', '_mta-sts.one.example TXT', 'nothing'],
    ['old DNAME www', 'x.old.one.example TXT', 'own'],
  ];
  for (const [records, question, expected] of cases)
    test(`${zone}: "${records.replaceAll('\n', '; ')}" at ${question} is ${expected}`, async () => {
      const observer = zoneEyes(mail + records, { signed });
      const [name = '', type = ''] = question.split(' ');
      const found = await observer.zone(Name.of(name), 'print');
      const number = typeNumber(type) ?? 0;
      const query = { zone: found, name: Name.of(name), type: number };
      const shown = await queryAuthoritatives(query, observer);
      assert.equal(shown.length, 2);
      for (const { alias, synthesised, rrset } of shown) {
        const some = alias !== undefined || (rrset !== 'unknown' && rrset.records.length > 0);
        const kind = synthesised ? 'wildcard' : 'own';
        assert.equal(some ? kind : 'nothing', expected);
      }
    });
}

function query(domain: string) {
  return { domain, mxHosts: [host], days: 1, dns: 'own' };
}

async function stepOf(records: string, options: ZoneOptions = {}): Promise<PolicyStep> {
  const observed = await observePublishedDomain(query(domain), zoneEyes(records, options));
  const served = {
    id: policyId(body),
    body,
    mode: 'testing',
    maxAge: 86_400,
    mx: [host],
    first: 0,
  } as const;
  const policyHosts = [{ address: '192.0.2.80', fetched: { body } }];
  return stepPolicy(
    { ...startPolicy(domain), served: [served] },
    { ...observed, policyHosts },
    desired,
  );
}

for (const wildcard of [
  '* CNAME www\nwww A 192.0.2.99',
  '* TXT "v=spf1 -all"',
  '* TXT "a"\n* TXT "b"',
])
  for (const signed of [false, true])
    test(`wildcard "${wildcard.replace('\n', '; ')}" does not prevent _mta-sts (signed: ${signed})`, async () => {
      const { steps, waits } = await stepOf(`${mail}${wildcard}`, { signed });
      assert.deepEqual(waits, []);
      assert.deepEqual(
        steps.map(({ action }) => action),
        [
          {
            kind: 'set-rrset',
            name: '_mta-sts.one.example',
            type: 'TXT',
            from: [],
            to: [`"${stsRecord(policyId(body))}"`],
            ttl: 3600,
          },
        ],
      );
    });

test('an alias at _mta-sts is reported with its target and the fix', async () => {
  const { steps, waits } = await stepOf(`${mail}_mta-sts CNAME _mta-sts.provider.example.`);
  assert.deepEqual(steps, []);
  assert.match(waits[0]?.why ?? '', /alias of _mta-sts\.provider\.example.*remove the alias/);
});

test('differing servers do not count as an alias', async () => {
  const { waits } = await stepOf(`${mail}_mta-sts CNAME www`, { second: mail });
  assert.match(waits[0]?.why ?? '', /do not all answer with the same _mta-sts record/);
});

test('an alias at _smtp._tls is reported, and a wildcard there is not required', async () => {
  const reports = async (records: string) => {
    const observed = await observePublishedDomain(query(domain), zoneEyes(records));
    const held = domainHeld(domain, observed);
    return stepReports(domain, observed.tlsRpt, { rua: ['mailto:tls@one.example'], ttl: 60, held });
  };
  const alias = await reports(`${mail}_smtp._tls CNAME rpt.provider.example.`);
  assert.deepEqual(alias.steps, []);
  assert.match(alias.waits[0]?.why ?? '', /alias of rpt\.provider\.example/);
  const wildcard = await reports(`${mail}* TXT "v=spf1 -all"`);
  const [step] = wildcard.steps;
  assert.deepEqual(step?.action.from, []);
  assert.deepEqual(step.action.to, ['"v=TLSRPTv1; rua=mailto:tls@one.example"']);
});

for (const wildcard of ['* CNAME www\nwww A 192.0.2.99', '* A 192.0.2.99', '* AAAA 2001:db8::99'])
  test(`the policy host's alias replaces "${wildcard.replace('\n', '; ')}"`, async () => {
    const observed = await observePublishedDomain(query(domain), zoneEyes(mail + wildcard));
    const policyHosts = [{ address: '192.0.2.99', fetched: { failure: 'sts-policy-http-status' } }];
    const { steps } = stepPolicy(startPolicy(domain), { ...observed, policyHosts }, desired);
    const set = steps.map(({ action }) => action).find(({ kind }) => kind === 'set-rrset');
    assert.ok(set?.kind === 'set-rrset');
    assert.deepEqual(
      [set.name, set.type, set.from, set.to],
      ['mta-sts.one.example', 'CNAME', [], ['policy.one.example.']],
    );
  });

test('a policy host that is an alias is reported with its target', async () => {
  const records = `${mail}mta-sts CNAME www\nwww A 192.0.2.99`;
  const observed = await observePublishedDomain(query(domain), zoneEyes(records));
  const policyHosts = [{ address: '192.0.2.99', fetched: { failure: 'sts-policy-http-status' } }];
  const { steps, waits } = stepPolicy(startPolicy(domain), { ...observed, policyHosts }, desired);
  assert.ok(steps.every(({ action }) => action.kind !== 'set-rrset'));
  assert.match(waits[0]?.why ?? '', /alias of www\.one\.example, not of policy\.one\.example/);
});

for (const wildcard of ['* MX 10 mx1', '* CNAME mail\nmail MX 10 mx1'])
  test(`no records below a domain with its MX from "${wildcard.replace('\n', '; ')}"`, async () => {
    const sub = 'sub.one.example';
    const observed = await observePublishedDomain(query(sub), zoneEyes(mail + wildcard));
    const policyHosts = [{ address: '192.0.2.80', fetched: { body } }];
    const { steps, waits } = stepPolicy(startPolicy(sub), { ...observed, policyHosts }, desired);
    assert.deepEqual(steps, []);
    assert.match(waits[0]?.why ?? '', /MX records from a wildcard.*at sub\.one\.example itself/);
    const held = domainHeld(sub, observed);
    const reports = stepReports(sub, observed.tlsRpt, {
      rua: ['mailto:a@b.example'],
      ttl: 60,
      held,
    });
    assert.deepEqual(reports.steps, []);
    assert.equal(reports.waits[0]?.why, held);
  });

const key = serverKey('ecdsa-1', generateKey().publicKey);

async function rolloverOf(records: string, publish = true): Promise<RolloverStep> {
  const observer = zoneEyes(records, { signed: true });
  const observed = await observePublishedHost(startRollover(host), () => [], observer, 'own');
  const state = { ...startRollover(host), slots: { ecdsa: { current: key, made: 1 } } };
  return stepRollover(
    state,
    {
      ...observed,
      ds: { records: ['1 13 2 00'], ttl: 60 },
      addresses: [{ address: '192.0.2.25', starttls: 'offered', keys: [key.sha256] }],
      ring: [{ ...key, certified: true }],
    },
    { publish, types: ['ecdsa'], matchingTypes: [1], ttl: 3600, retire: [] },
  );
}

test('a TLSA owner that is an alias is reported with its target', async () => {
  const { steps, waits } = await rolloverOf(`${mail}_25._tcp.mx1 CNAME keys\nkeys A 192.0.2.1`);
  assert.deepEqual(steps, []);
  assert.match(
    waits[0]?.why ?? '',
    /_25\._tcp\.mx1\.one\.example is an alias of keys\.one\.example/,
  );
});

for (const wildcard of ['*.mx1 CNAME www\nwww A 192.0.2.99', '*._tcp.mx1 TLSA 3 1 1 00'])
  test(`TLSA records replace "${wildcard.replace('\n', '; ')}" without requiring it`, async () => {
    const { steps, state } = await rolloverOf(mail + wildcard);
    const [action] = steps.map((step) => step.action);
    assert.ok(action?.kind === 'set-rrset');
    assert.deepEqual(action.from, []);
    assert.ok(action.to.includes(`3 1 1 ${key.sha256}`));
    // A cache may hold the answer of the wildcard.
    assert.ok(state.alive.length >= 2);
  });

test('TLSA records of a wildcard are not removed, and the wildcard is reported', async () => {
  const { steps, waits } = await rolloverOf(`${mail}*._tcp.mx1 TLSA 3 1 1 00`, false);
  assert.deepEqual(steps, []);
  assert.match(waits[0]?.why ?? '', /come from a wildcard/);
});

test('an alias of a wildcard to TLSA records is reported', async () => {
  const records = `${mail}*._tcp.mx1 CNAME keys\nkeys TLSA 3 1 1 00`;
  const { steps, waits } = await rolloverOf(records);
  assert.deepEqual(steps, []);
  assert.match(waits[0]?.why ?? '', /alias of keys\.one\.example/);
});

for (const wildcard of ['* A 192.0.2.25', '* AAAA 2001:db8::25', '* CNAME www\nwww A 192.0.2.25'])
  test(`no records below a host with addresses from "${wildcard.replace('\n', '; ')}"`, async () => {
    const { steps, waits } = await rolloverOf(`@ MX 10 mx1\n${wildcard}`);
    assert.deepEqual(steps, []);
    assert.match(waits[0]?.why ?? '', /mx1\.one\.example has its addresses from a wildcard/);
    assert.ok(await addressWildcardBlocker(host, 'own', zoneEyes(`@ MX 10 mx1\n${wildcard}`)));
  });

test('the answer to a challenge replaces a wildcard and does not follow its alias', async () => {
  const name = '_acme-challenge.mta-sts.one.example';
  for (const wildcard of ['* CNAME www\nwww TXT "x"', '* TXT "x"']) {
    const observer = zoneEyes(mail + wildcard);
    assert.equal(await authoritativeCname(name, 'own', observer), undefined);
    assert.deepEqual(await authoritativeTxt(name, 'own', observer), [[], []]);
  }
  const observer = zoneEyes(`${mail}_acme-challenge.mta-sts CNAME acme.dynamic.example.`);
  assert.equal(await authoritativeCname(name, 'own', observer), 'acme.dynamic.example');
});

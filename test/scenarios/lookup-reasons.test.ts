/**
 * The texts of the report about partly failed lookups, misplaced records and peers that
 * do not speak SMTP.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { grade, renderTerminal } from '../../src/check/index.js';
import { checkDomains } from '../../src/cli/check-domains.js';
import { createLab, type Scenario } from '../../src/lab/index.js';

interface Case {
  readonly domain: string;
  readonly traits: Omit<Scenario, 'domain' | 'says' | 'expect'>;
  readonly verdict: string;
  readonly finding: string;
  readonly says: RegExp;
}

const signed = { signed: {} };
const dane = [{ tlsa: ['ee'] }] as const;
const faults = (attack: NonNullable<Scenario['attack']>['faults']) => ({
  attack: { faults: attack },
});
const tlsa = `TLSA 3 1 1 ${'5e'.repeat(32)}`;

const cases: readonly Case[] = [
  {
    domain: 'no-sts-answer.example',
    traits: faults({ '_mta-sts.no-sts-answer.example TXT': 'servfail' }),
    verdict: 'inconclusive',
    finding: 'sts-lookup-failed',
    says: /_mta-sts\.no-sts-answer\.example: SERVFAIL \(dns-servfail\)/,
  },
  {
    domain: 'many-iterations.example',
    traits: { zone: { signed: { denial: 'nsec3', iterations: 600 } }, hosts: dane },
    verdict: 'inconclusive',
    finding: 'sts-lookup-failed',
    says: /many-iterations\.example \(dnssec-iterations\)/,
  },
  {
    domain: 'forged-sts.example',
    traits: {
      zone: signed,
      hosts: dane,
      ...faults({
        '_mta-sts.forged-sts.example TXT': {
          forge: ['_mta-sts.forged-sts.example. 60 IN TXT "v=STSv1; id=66"'],
        },
      }),
    },
    verdict: 'inconclusive',
    finding: 'sts-lookup-failed',
    says: /\(dnssec-signature-missing\)/,
  },
  {
    domain: 'no-rpt-answer.example',
    traits: {
      zone: signed,
      hosts: dane,
      ...faults({ '_smtp._tls.no-rpt-answer.example TXT': 'refused' }),
    },
    verdict: 'inconclusive',
    finding: 'tlsrpt-lookup-failed',
    says: /_smtp\._tls\.no-rpt-answer\.example: REFUSED \(dns-refused\)/,
  },
  {
    domain: 'forged-rpt.example',
    traits: {
      zone: signed,
      hosts: dane,
      ...faults({ '_smtp._tls.forged-rpt.example TXT': 'nxdomain' }),
    },
    verdict: 'inconclusive',
    finding: 'tlsrpt-lookup-failed',
    says: /_smtp\._tls\.forged-rpt\.example \(dnssec-denial-missing\)/,
  },
  {
    domain: 'no-aaaa.example',
    traits: { zone: signed, hosts: dane, ...faults({ 'mx.no-aaaa.example AAAA': 'servfail' }) },
    verdict: 'pass',
    finding: 'address-family-failed',
    says: /AAAA: mx\.no-aaaa\.example: SERVFAIL/,
  },
  {
    domain: 'no-a.example',
    traits: {
      zone: signed,
      hosts: [{ tlsa: ['ee'], beside: { family: 6 } }],
      ...faults({ 'mx.no-a.example A': 'refused' }),
    },
    verdict: 'pass',
    finding: 'address-family-failed',
    says: /A: mx\.no-a\.example: REFUSED/,
  },
  {
    domain: 'no-address.example',
    traits: {
      zone: signed,
      hosts: dane,
      ...faults({
        'mx.no-address.example A': 'servfail',
        'mx.no-address.example AAAA': 'servfail',
      }),
    },
    verdict: 'inconclusive',
    finding: 'dnssec-indeterminate',
    says: /mx\.no-address\.example: SERVFAIL/,
  },
  {
    domain: 'no-tlsa-answer.example',
    traits: {
      zone: signed,
      hosts: dane,
      ...faults({ '_25._tcp.mx.no-tlsa-answer.example TLSA': 'servfail' }),
    },
    verdict: 'fail',
    finding: 'dane-tempfail',
    says: /_25\._tcp\.mx\.no-tlsa-answer\.example: SERVFAIL/,
  },
  {
    domain: 'denied-tlsa.example',
    traits: {
      zone: signed,
      hosts: dane,
      ...faults({ '_25._tcp.mx.denied-tlsa.example TLSA': 'nxdomain' }),
    },
    verdict: 'fail',
    finding: 'dane-bogus',
    says: /\(dnssec-denial-missing\)/,
  },
  {
    domain: 'short-tlsa-beside.example',
    traits: {
      zone: { signed: {}, records: `_25._tcp.mx TLSA 3 1 1 ${'0d'.repeat(31)}` },
      hosts: dane,
    },
    verdict: 'pass',
    finding: 'dane-leftover',
    says: /it has 31 octets of data where SHA-256 has 32/,
  },
  {
    domain: 'zone-twice.example',
    traits: { zone: { signed: {}, records: `_25._tcp.mx.zone-twice.example ${tlsa}` } },
    verdict: 'warn',
    finding: 'dane-misplaced',
    says: /_25\._tcp\.mx\.zone-twice\.example\.zone-twice\.example TLSA 3 1 1/,
  },
  {
    domain: 'two-records.example',
    traits: { sts: { mode: 'enforce', copies: 2 } },
    verdict: 'warn',
    finding: 'sts-record-multiple',
    says: /2 records: "v=STSv1; id=20261120;"; "v=STSv1; id=20261121;"/,
  },
];

const scenarios = cases.map(({ domain, traits }): Scenario => {
  const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;
  return { domain, says: '', expect, ...traits };
});

test('the text report shows the failed lookup and the misplaced record', async (t) => {
  const lab = await createLab({ scenarios });
  t.after(() => lab.close());
  const all = checkDomains(
    lab,
    cases.map(({ domain }) => domain),
  );
  for (const [i, { domain, verdict, finding, says }] of cases.entries())
    await t.test(domain, async () => {
      const result = grade(await (all[i] as (typeof all)[number]));
      assert.equal(result.verdict, verdict);
      assert.match(result.findings.find((f) => f.id === finding)?.reason ?? '', says);
      assert.match(renderTerminal(result).replace(/\s+/g, ' '), says);
      assert.ok(!result.findings.some((f) => f.id === 'dane-inert'));
    });
});

test('a service on port 25 other than SMTP is shown', async (t) => {
  const greetings = ['SSH-2.0-OpenSSH_9.6', 'HTTP/1.1 400 Bad Request', '250 hello'];
  const lab = await createLab({
    scenarios: greetings.map((greeting, i): Scenario => {
      const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;
      return { domain: `not-smtp-${i}.example`, says: '', expect, hosts: [{ greeting }] };
    }),
  });
  t.after(() => lab.close());
  const all = await Promise.all(
    checkDomains(
      lab,
      greetings.map((_, i) => `not-smtp-${i}.example`),
    ),
  );
  for (const [i, greeting] of greetings.entries()) {
    const text = renderTerminal(grade(all[i] as (typeof all)[number])).replace(/\s+/g, ' ');
    assert.ok(text.includes(`(smtp-garbage): "${greeting}"`), text);
  }
});

test('two MTA-STS records are repaired in one step, without testing mode', async (t) => {
  const lab = await createLab({ scenarios });
  t.after(() => lab.close());
  const [evidence] = await Promise.all(checkDomains(lab, ['two-records.example']));
  assert.ok(evidence);
  const steps = grade(evidence).findings.find((f) => f.id === 'sts-record-multiple')?.steps ?? [];
  assert.deepEqual(
    steps.map((step) => step.kind),
    ['dns', 'confirm', 'dns', 'confirm'],
  );
  assert.doesNotMatch(JSON.stringify(steps), /testing/);
});

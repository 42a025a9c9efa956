import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { checkDomains } from '../../src/cli/check-domains.js';
import { grade } from '../../src/check/index.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { allScenarios, createLab, type DnsFault, type Scenario } from '../../src/lab/index.js';

/** A case: the scenario, and severity and id of each expected finding. */
interface Case {
  readonly says: string;
  readonly more: Partial<Scenario>;
  readonly finds?: readonly string[];
  readonly undecided?: readonly string[];
}

const sts = (more: Partial<NonNullable<Scenario['sts']>>): Partial<Scenario> => ({
  sts: { mode: 'enforce', ...more },
});
const rpt = (uri: string, records = ''): Partial<Scenario> => ({
  rpt: `v=TLSRPTv1; rua=${uri}`,
  zone: { records },
});
const policyOf = (name: string, pattern: string): Partial<Scenario> =>
  sts({ mx: [`mx.${name}.example`, pattern] });

/** `free.example` does not exist, `attacker.example` and `lab.example` do. */
const cases: Readonly<Record<string, Case>> = {
  'host-gone': {
    says: 'mta-sts is an alias of a missing name in a domain that exists',
    more: sts({ hostRecords: 'mta-sts CNAME gone.lab.example.' }),
    finds: ['warn sts-host-dangling'],
  },
  'host-free': {
    says: 'mta-sts is an alias of a name in a domain that does not exist',
    more: sts({ hostRecords: 'mta-sts CNAME policy.free.example.' }),
    finds: ['fail sts-host-claimable'],
  },
  'host-unclaimed': {
    says: 'mta-sts is an alias of a missing name of a service',
    more: sts({ hostRecords: 'mta-sts CNAME my-policy.azurewebsites.net.' }),
    finds: ['fail sts-host-claimable'],
  },
  'host-unserved': {
    says: 'mta-sts is an alias of a service that does not serve the policy',
    more: sts({
      hostRecords: 'mta-sts CNAME my-policy.github.io.',
      habit: 'not-found',
    }),
    finds: ['fail sts-host-claimable'],
  },
  'host-served': {
    says: 'mta-sts is an alias of a service that serves the policy',
    more: sts({ hostRecords: 'mta-sts CNAME my-policy.github.io.' }),
  },
  'host-alone': {
    says: 'an alias mta-sts without a record of MTA-STS',
    more: { zone: { records: 'mta-sts CNAME policy.free.example.' } },
    finds: ['fail sts-host-claimable'],
  },
  'record-gone': {
    says: '_mta-sts is an alias of a missing name',
    more: { zone: { records: '_mta-sts CNAME gone.lab.example.' } },
    finds: ['warn sts-record-dangling'],
  },
  'record-free': {
    says: '_mta-sts is an alias of a name in a domain that does not exist',
    more: { zone: { records: '_mta-sts CNAME _mta-sts.free.example.' } },
    finds: ['warn sts-record-dangling'],
  },
  'pattern-gone': {
    says: 'the policy permits a host that does not exist',
    more: policyOf('pattern-gone', 'gone.lab.example'),
    finds: ['warn sts-mx-dangling'],
  },
  'pattern-own': {
    says: 'the policy permits a host of the domain itself that does not exist',
    more: policyOf('pattern-own', 'gone.pattern-own.example'),
    finds: [],
  },
  'pattern-free': {
    says: 'the policy permits hosts of a domain that does not exist',
    more: policyOf('pattern-free', '*.mail.free.example'),
    finds: ['warn sts-mx-dangling'],
  },
  'pattern-kept': {
    says: 'the policy permits a wildcard of a domain that exists',
    more: policyOf('pattern-kept', '*.lab.example'),
  },
  'mx-free': {
    says: 'an MX host in a domain that does not exist',
    more: { zone: { records: '@ MX 20 mx.free.example.' } },
    finds: ['warn mx-nonexistent', 'warn mx-claimable'],
  },
  'mx-gone': {
    says: 'an MX host that does not exist in a domain that does',
    more: { zone: { records: '@ MX 20 gone.lab.example.' } },
    finds: ['warn mx-nonexistent'],
  },
  'report-free': {
    says: 'reports go to a domain that does not exist',
    more: rpt('mailto:tls@free.example'),
    finds: ['warn tlsrpt-target-claimable'],
  },
  'report-null': {
    says: 'reports go to a domain that takes no mail',
    more: rpt('mailto:tls@no.report-null.example', 'no MX 0 .'),
    finds: ['info tlsrpt-target-dead'],
  },
  'report-mute': {
    says: 'reports go to a name without MX record and address',
    more: rpt('mailto:tls@no.report-mute.example', 'no TXT "x"'),
    finds: ['info tlsrpt-target-dead'],
  },
  'report-refused': {
    says: 'the HTTPS receiver of reports refuses connections',
    more: {
      ...rpt('https://r.report-refused.example:25/v1'),
      hosts: [{}, { name: 'r', dial: 'refuse' }],
    },
    finds: ['info tlsrpt-target-dead'],
  },
  'report-https': {
    says: 'the HTTPS receiver of reports accepts connections',
    more: rpt('https://r.report-https.example/v1', 'r A 203.0.113.10'),
  },
  'host-unknown': {
    says: 'the lookup of the policy host fails',
    more: {
      ...sts({}),
      attack: {
        faults: {
          'mta-sts.host-unknown.example A': 'servfail',
          'mta-sts.host-unknown.example AAAA': 'servfail',
        },
      },
    },
    undecided: ['sts-host-claimable', 'sts-host-dangling'],
  },
  'report-unknown': {
    says: 'the lookup of the receiver of reports fails',
    more: {
      ...rpt('mailto:tls@far.report-unknown.example'),
      attack: { faults: { 'far.report-unknown.example MX': 'servfail' as DnsFault } },
    },
    undecided: ['tlsrpt-target-claimable', 'tlsrpt-target-dead'],
  },
};

/** This test judges these scenarios without their stored expectation. */
const unjudged = (allScenarios[0] as Scenario).expect;

/** Hosting services of the simulated internet. */
const services: readonly Scenario[] = [
  { domain: 'azurewebsites.net', records: '' },
  { domain: 'github.io', records: 'my-policy A 203.0.113.10' },
].map(({ domain, records }) => ({
  domain,
  says: 'a service',
  zone: { records, withoutMx: true },
  hosts: [],
  rpt: false,
  expect: unjudged,
}));

const results = new Map<string, CheckResult>();

before(async () => {
  const scenarios = Object.entries(cases).map(([name, { says, more }]): Scenario => ({
    domain: `${name}.example`,
    says,
    expect: unjudged,
    ...more,
  }));
  const lab = await createLab({ scenarios: [...scenarios, ...services] });
  const domains = Object.keys(cases).map((name) => `${name}.example`);
  const collected = await Promise.all(checkDomains(lab, domains, { depth: 'verdict' }));
  await lab.close();
  for (const evidence of collected) results.set(evidence.domain, grade(evidence));
});

after(() => results.clear());

const judged = /dangling|claimable|target-dead|mx-nonexistent/;

for (const [name, { says, finds = [], undecided = [] }] of Object.entries(cases))
  test(`names of ${name}.example: ${says}`, () => {
    const { findings = [], undecided: open = [] } = results.get(`${name}.example`) ?? {};
    const shown = findings
      .filter(({ id }) => judged.test(id))
      .map(({ severity, id }) => `${severity} ${id}`);
    assert.deepEqual(shown, finds);
    assert.deepEqual(
      open.filter((id) => judged.test(id)),
      undecided,
    );
    for (const { id, reason = '' } of findings)
      if (judged.test(id) && id !== 'mx-nonexistent') assert.notEqual(reason, '', id);
  });

test('a denial is never called an unregistered domain', () => {
  const findings = results.get('host-free.example')?.findings ?? [];
  const reason = findings.find(({ id }) => id === 'sts-host-claimable')?.reason ?? '';
  assert.match(reason, /the DNS denies that free\.example exists, so it may be available/);
});

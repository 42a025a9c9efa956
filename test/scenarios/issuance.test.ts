import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { checkDomains } from '../../src/cli/check-domains.js';
import { grade } from '../../src/check/index.js';
import { checkResultSchema, evidenceSchema, type CheckResult } from '../../src/evidence/index.js';
import { allScenarios, createLab, type Scenario } from '../../src/lab/index.js';

/**
 * A case: its zone lines, the hosts whose renewal CAA or DNSSEC stops, and the other
 * expected findings.
 */
interface Case {
  readonly says: string;
  readonly records?: string;
  readonly more?: Partial<Scenario>;
  /** Host and id of each expected finding, without findings of severity info. */
  readonly stops?: readonly string[];
  /** Findings of severity info or good that are expected. */
  readonly notes?: readonly string[];
}

const permits = 'CAA 0 issue "letsencrypt.org"';
const other = 'CAA 0 issue "other-ca.test"';
const wild = (records: string): Partial<Scenario> => ({
  hosts: [{ certificate: 'known-ca-wildcard' }],
  zone: { records },
});

/** The cases; every certificate is from a CA whose identifier is letsencrypt.org. */
const cases: Readonly<Record<string, Case>> = {
  none: { says: 'no CAA anywhere', notes: ['caa-absent'] },
  'at-domain': { says: 'the domain permits the CA', records: `@ ${permits}` },
  'at-host': {
    says: 'the host permits the CA, the domain another one',
    records: `@ ${other}\nmx ${permits}\nmta-sts ${permits}`,
  },
  closest: {
    says: 'the host refuses what the domain permits',
    records: `@ ${permits}\nmx ${other}`,
    stops: ['mx caa-excludes-issuer'],
  },
  empty: {
    says: 'no CA may issue',
    records: '@ CAA 0 issue ";"',
    stops: ['mta-sts caa-excludes-issuer', 'mx caa-excludes-issuer'],
  },
  malformed: {
    says: 'the only property is malformed',
    records: '@ CAA 0 issue "%%%"',
    stops: ['mta-sts caa-excludes-issuer', 'mx caa-excludes-issuer'],
  },
  critical: {
    says: 'a critical property is unknown',
    records: `@ ${permits}\n@ CAA 128 somenewtag "x"`,
    stops: ['mta-sts caa-excludes-issuer', 'mx caa-excludes-issuer'],
  },
  'not-critical': { says: 'an unknown property is not critical', records: '@ CAA 0 newtag "x"' },
  iodef: { says: 'only a contact', records: '@ CAA 0 iodef "mailto:a@b.example"' },
  wildcard: {
    says: 'issuewild refuses the CA of a wildcard certificate',
    more: wild(`@ ${permits}\n@ CAA 0 issuewild ";"`),
    stops: ['mx caa-excludes-issuer'],
  },
  'below-wildcard': {
    says: 'the records of the host do not concern its wildcard certificate',
    more: wild(`@ ${permits}\nmx ${other}`),
  },
  'no-wildcard': {
    says: 'issuewild does not concern the certificate of a host',
    records: `@ ${permits}\n@ CAA 0 issuewild ";"`,
  },
  alias: {
    says: 'the policy host is an alias, and its target refuses the CA',
    records: `@ ${permits}\nhosted ${other}\nhosted A 203.0.113.10`,
    more: {
      sts: { mode: 'enforce', certificate: 'known-ca', hostRecords: 'mta-sts CNAME hosted' },
    },
    stops: ['mta-sts caa-excludes-issuer'],
  },
  'alias-parent': {
    says: 'the parent of the target of an alias does not count',
    records: `sub ${other}\nhosted.sub A 203.0.113.10\n@ ${permits}`,
    more: {
      sts: { mode: 'enforce', certificate: 'known-ca', hostRecords: 'mta-sts CNAME hosted.sub' },
    },
  },
  bound: {
    says: 'bound to an account and a method',
    records:
      '@ CAA 0 issue "letsencrypt.org; accounturi=https://ca.test/1; validationmethods=http-01"',
    notes: ['caa-good'],
  },
  'no-method': {
    says: 'bound to no method at all',
    records: '@ CAA 0 issue "letsencrypt.org; validationmethods="',
    stops: ['mta-sts caa-excludes-issuer', 'mx caa-excludes-issuer'],
  },
  'own-ca': {
    says: 'DANE with a certificate of its own: no CA renews it',
    records: '@ CAA 0 issue ";"',
    more: { hosts: [{ certificate: 'self-signed', tlsa: ['ee'] }], sts: undefined },
  },
  servfail: {
    says: 'the CAA lookup fails',
    more: { attack: { faults: { 'mx.servfail.example CAA': 'servfail' } } },
    notes: ['caa-lookup-failed'],
  },
  unproved: {
    says: 'the CAA answer has no signature',
    more: {
      zone: { signed: {} },
      attack: { faults: { 'mx.unproved.example CAA': 'nodata' } },
    },
    stops: ['mx issuance-bogus'],
  },
  iterations: {
    says: 'too many NSEC3 iterations stop this check, not a CA',
    more: { zone: { signed: { denial: 'nsec3', iterations: 600 } } },
    notes: ['caa-lookup-failed', 'caa-lookup-failed'],
  },
};

/** This test judges these scenarios without their stored expectation. */
const unjudged = (allScenarios[0] as Scenario).expect;

const results = new Map<string, CheckResult>();

before(async () => {
  const scenarios = Object.entries(cases).map(([name, { says, records, more }]): Scenario => ({
    domain: `${name}.example`,
    says,
    hosts: [{ certificate: 'known-ca' }],
    sts: { mode: 'enforce', certificate: 'known-ca' },
    expect: unjudged,
    ...more,
    zone: { ...more?.zone, records: [records, more?.zone?.records].join('\n') },
  }));
  const lab = await createLab({ scenarios });
  const domains = lab.scenarios.map(({ domain }) => domain);
  const collected = await Promise.all(checkDomains(lab, domains, { depth: 'verdict' }));
  await lab.close();
  for (const evidence of collected) {
    assert.ok(evidenceSchema.safeParse(JSON.parse(JSON.stringify(evidence))).success);
    results.set(evidence.domain, grade(evidence));
  }
});

after(() => results.clear());

const stopping = ['caa-excludes-issuer', 'issuance-bogus'];
const noting = ['caa-absent', 'caa-lookup-failed', 'caa-good'];

for (const [name, { says, stops = [], notes = [] }] of Object.entries(cases))
  test(`CAA of ${name}.example: ${says}`, () => {
    const result = results.get(`${name}.example`);
    assert.ok(result);
    assert.ok(checkResultSchema.safeParse(JSON.parse(JSON.stringify(result))).success);
    const found = result.findings.filter(({ id }) => stopping.includes(id));
    const shown = found.map(({ id, subject }) => `${subject.split('.')[0] ?? ''} ${id}`);
    assert.deepEqual(shown.sort(), [...stops].sort());
    for (const { reason } of found) assert.match(reason ?? '', /CAA/);
    const noted = result.findings.map(({ id }) => id).filter((id) => noting.includes(id));
    assert.deepEqual(noted, notes);
  });

test('a failed CAA lookup leaves the permission undecided', () => {
  const undecided = results.get('servfail.example')?.undecided ?? [];
  assert.ok(undecided.includes('caa-excludes-issuer'));
  const passed = results.get('servfail.example')?.passed ?? [];
  assert.ok(passed.every(({ id }) => id !== 'caa-excludes-issuer'));
  assert.ok(!(results.get('at-domain.example')?.undecided ?? []).includes('caa-excludes-issuer'));
});

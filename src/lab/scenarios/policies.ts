import { exposure, rows, stsOnly, unprotected } from './exposure-rows.js';
import type { Row, Scenario, StsTraits } from './scenario.js';

const { firstContact, open, waits, waitsFirst } = rows;
const uneven: Row = ['cleartext', 'cleartext', 'cleartext', 'to-attacker', 'cleartext'];

const asIfAbsent = (domain: string, says: string, sts: StsTraits, finding: string): Scenario => ({
  domain,
  says,
  sts,
  expect: { verdict: 'warn', warn: [finding], exposure: unprotected },
});

/** Domains with an incomplete or wrong MTA-STS policy. */
export const policyDomains: readonly Scenario[] = [
  asIfAbsent(
    'testing-mode.example',
    'MTA-STS in testing mode',
    { mode: 'testing' },
    'sts-mode-testing',
  ),
  asIfAbsent('sts-none.example', 'MTA-STS withdrawn: mode none', { mode: 'none' }, 'sts-mode-none'),
  asIfAbsent(
    'sts-redirect.example',
    'the policy host redirects',
    { mode: 'enforce', habit: 'redirects' },
    'sts-policy-redirect',
  ),
  asIfAbsent(
    'sts-bad-cert.example',
    "the policy host's certificate is for another name",
    { mode: 'enforce', certificate: 'wrong-name' },
    'sts-policy-webpki-invalid',
  ),
  asIfAbsent(
    'sts-wrong-type.example',
    'the policy is served as text/html',
    { mode: 'enforce', habit: 'html' },
    'sts-policy-wrong-type',
  ),
  asIfAbsent(
    'sts-not-found.example',
    'the policy file is missing',
    { mode: 'enforce', habit: 'not-found' },
    'sts-policy-unreachable',
  ),
  asIfAbsent(
    'sts-duplicate-record.example',
    'two _mta-sts records',
    { mode: 'enforce', copies: 2 },
    'sts-record-multiple',
  ),
  asIfAbsent(
    'sts-record-case.example',
    'the record begins with v=stsv1 in lower case',
    { mode: 'enforce', record: 'v=stsv1; id=1234' },
    'sts-record-ignored',
  ),
  asIfAbsent(
    'sts-record-hyphens.example',
    'the id of the record has hyphens',
    { mode: 'enforce', record: 'v=STSv1; id=2026-11-01' },
    'sts-record-invalid',
  ),
  asIfAbsent(
    'sts-policy-case.example',
    'the fields of the policy begin with capitals',
    {
      mode: 'enforce',
      lines: [
        'Version: STSv1',
        'Mode: enforce',
        'MX: mx.sts-policy-case.example',
        'Max_Age: 604800',
      ],
    },
    'sts-policy-invalid',
  ),
  {
    domain: 'sts-long-age.example',
    says: 'max_age is two years',
    sts: {
      mode: 'enforce',
      lines: [
        'version: STSv1',
        'mode: enforce',
        'mx: mx.sts-long-age.example',
        'max_age: 63072000',
      ],
    },
    expect: { verdict: 'warn', warn: ['sts-policy-odd'], exposure: stsOnly },
  },
  {
    domain: 'rpt-slashes.example',
    says: 'the address for reports is written mailto://',
    sts: { mode: 'enforce' },
    rpt: 'v=TLSRPTv1; rua=mailto://a@rpt-slashes.example',
    expect: { verdict: 'warn', warn: ['tlsrpt-odd'], exposure: stsOnly },
  },
  {
    domain: 'sts-uncached.example',
    says: 'MTA-STS enforced with max_age 0: nothing is cached',
    sts: { mode: 'enforce', maxAge: 0 },
    expect: {
      verdict: 'warn',
      warn: ['sts-policy-odd'],
      exposure: exposure(open, {
        mtaStsFirst: firstContact,
        mtaStsCached: firstContact,
        bothFirst: firstContact,
        bothCached: firstContact,
      }),
    },
  },
  {
    domain: 'sts-alias.example',
    says: 'the MX host is an alias; policy and certificate name the host it leads to',
    zone: { withoutMx: true, records: '@ MX 10 mail\nmail CNAME mx' },
    sts: { mode: 'enforce' },
    expect: {
      verdict: 'fail',
      fail: ['mx-is-cname'],
      exposure: exposure(open, {
        mtaStsFirst: waitsFirst,
        mtaStsCached: waits,
        bothFirst: waitsFirst,
        bothCached: waits,
      }),
    },
  },
  {
    domain: 'sometimes-tls.example',
    says: 'MTA-STS enforced; a farm behind one address, half of it without STARTTLS',
    hosts: [{ habit: 'sometimes-tls' }],
    sts: { mode: 'enforce' },
    expect: {
      verdict: 'fail',
      fail: ['starttls-intermittent'],
      exposure: { ...stsOnly, opportunistic: uneven, dane: uneven },
    },
  },
  {
    domain: 'sts-mx-mismatch.example',
    says: 'one of two MX hosts is not in the policy',
    hosts: [{ name: 'mx1' }, { name: 'mx2' }],
    sts: { mode: 'enforce', mx: ['mx1.sts-mx-mismatch.example'] },
    expect: { verdict: 'fail', fail: ['sts-mx-mismatch'], exposure: stsOnly },
  },
  {
    domain: 'sts-two-label-wildcard.example',
    says: 'the wildcard of the policy would have to match two labels',
    hosts: [{ name: 'a.mx' }],
    sts: { mode: 'enforce', mx: ['*.sts-two-label-wildcard.example'] },
    expect: {
      verdict: 'fail',
      fail: ['sts-no-mx-matches'],
      exposure: exposure(open, {
        mtaStsFirst: waitsFirst,
        mtaStsCached: waits,
        bothFirst: waitsFirst,
        bothCached: waits,
      }),
    },
  },
];

import { exposure, rows, stsOnly, unprotected } from './exposure-rows.js';
import type { Scenario, StsTraits } from './scenario.js';

const { open, waits, waitsFirst } = rows;

const asIfAbsent = (domain: string, says: string, sts: StsTraits, finding: string): Scenario => ({
  domain,
  says,
  sts,
  expect: { verdict: 'warn', warn: [finding], exposure: unprotected },
});

/** MTA-STS, done half or wrong. */
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
    'the policy file is not there',
    { mode: 'enforce', habit: 'not-found' },
    'sts-policy-unreachable',
  ),
  asIfAbsent(
    'sts-duplicate-record.example',
    'two _mta-sts records',
    { mode: 'enforce', copies: 2 },
    'sts-record-multiple',
  ),
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

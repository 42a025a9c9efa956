import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { grade, renderTerminal } from '../../src/check/index.js';
import { checkDomains } from '../../src/cli/check-domains.js';
import { createLab, type Lab } from '../../src/lab/index.js';

/** Domains, a finding of each, and its text in the report. */
const cases: readonly (readonly [domain: string, finding: string, says: RegExp])[] = [
  ['sts-record-case.example', 'sts-record-ignored', /"v=stsv1; id=1234": it is case-sensitive/],
  [
    'sts-record-hyphens.example',
    'sts-record-invalid',
    /"v=STSv1; id=2026-11-01": id "2026-11-01" may hold letters and digits only/,
  ],
  [
    'sts-policy-case.example',
    'sts-policy-invalid',
    /line 1 "Version: STSv1": field names are case-sensitive, write version/,
  ],
  ['sts-long-age.example', 'sts-policy-odd', /line 4 "max_age: 63072000": max_age is at most/],
  [
    'rpt-slashes.example',
    'tlsrpt-odd',
    /"mailto:\/\/a@rpt-slashes.example": mailto: takes no slash/,
  ],
  [
    'client-certificate.example',
    'cert-not-acceptable',
    /CN=mx\.client-certificate\.example: extendedKeyUsage is clientAuth, without serverAuth/,
  ],
  ['name-constraints.example', 'cert-not-acceptable', /CN=Lab Bound CA: nameConstraints/],
  [
    'common-name-only.example',
    'cert-name-mismatch',
    /only the common name has "mx\.common-name-only\.example"/,
  ],
  ['expired-intermediate.example', 'cert-chain-outdated', /CN=Lab Old CA: valid from .* to /],
  [
    'tlsa-root-not-sent.example',
    'dane-mismatch',
    /SHA-256 of the key of CN=Hermetic Lab Root, which is not in the chain the server sends/,
  ],
  ['tlsa-wrong-usage.example', 'dane-mismatch', /CN=Hermetic Lab CA, number 2 of the chain/],
  [
    'tlsa-stronger-digest.example',
    'dane-mismatch',
    /it matches, but senders look only at .* 3 1 2/,
  ],
  ['tlsa-sha1.example', 'dane-unusable', /20 octets of data where SHA-256 has 32.*SHA-1/],
  [
    'tlsa-port-465.example',
    'dane-misplaced',
    /_465\._tcp\.mx\.tlsa-port-465\.example TLSA 3 1 1 5e5e/,
  ],
];

let lab: Lab;
before(async () => {
  lab = await createLab({});
});
after(() => lab.close());

for (const [domain, id, says] of cases)
  test(`the text report gives the reason: ${domain}`, async () => {
    const [result] = await Promise.all(checkDomains(lab, [domain])).then((all) =>
      all.map((one) => grade(one)),
    );
    assert.ok(result);
    const finding = result.findings.find((f) => f.id === id);
    assert.match(finding?.reason ?? '', says);
    assert.match(renderTerminal(result).replace(/\s+/g, ' '), says);
  });

test('a stale stronger digest is deleted, and no existing record is added', async () => {
  const [evidence] = await Promise.all(checkDomains(lab, ['tlsa-stronger-digest.example']));
  assert.ok(evidence);
  const steps = grade(evidence).findings.find((f) => f.id === 'dane-mismatch')?.steps ?? [];
  const changes = steps.filter((step) => step.kind === 'dns').map((step) => step.text);
  assert.equal(changes.length, 1);
  assert.match(changes[0] ?? '', /^Delete this record\.\n.* TLSA 3 1 2 0d0d/);
});

test('correcting a record does not return to testing mode', async () => {
  for (const domain of ['sts-record-case.example', 'sts-record-hyphens.example']) {
    const [evidence] = await Promise.all(checkDomains(lab, [domain]));
    assert.ok(evidence);
    const [first] = grade(evidence).findings;
    assert.deepEqual(
      first?.steps.map((step) => step.kind),
      ['confirm', 'dns', 'confirm'],
    );
    assert.doesNotMatch(JSON.stringify(first?.steps), /testing/);
  }
});

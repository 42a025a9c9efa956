import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { grade, renderTerminal } from '../../src/check/index.js';
import { checkDomains } from '../../src/cli/check-domains.js';
import { createLab, type Lab } from '../../src/lab/index.js';

/** Domains, a finding of each, and what the text report says of it. */
const cases: readonly (readonly [domain: string, finding: string, says: RegExp])[] = [
  ['sts-record-case.example', 'sts-record-ignored', /"v=stsv1; id=1234": upper and lower case/],
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

test('a record that one step corrects does not begin again in testing mode', async () => {
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

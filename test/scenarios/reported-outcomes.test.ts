import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { DeliveryOutcome } from '../../src/evidence/index.js';
import { createLab, type Lab } from '../../src/lab/index.js';
import { createSender, reportedPolicies } from '../../src/send/index.js';
import {
  formatReport,
  mergePolicies,
  parseReport,
  type ReportedPolicy,
} from '../../src/tls-rpt/index.js';
import { inLab, mailTo } from '../conformance/testing-senders.js';
import { fewAtATime } from '../support/few-at-a-time.js';

let lab: Lab;
const outcomes = new Map<string, DeliveryOutcome>();

before(async () => {
  lab = await createLab();
  const sender = createSender(inLab(lab));
  await fewAtATime(lab.scenarios, async ({ domain }) => {
    const {
      outcomes: [outcome],
    } = await mailTo(sender, domain);
    if (outcome) outcomes.set(domain, outcome);
  });
});
after(() => lab.close());

const policiesOf = (domain: string): readonly ReportedPolicy[] => {
  const outcome = outcomes.get(domain);
  assert.ok(outcome, domain);
  return reportedPolicies(outcome).map(({ policy }) => policy);
};

const told = (domain: string): readonly string[] =>
  policiesOf(domain).map((p) => {
    const failures = p.failureDetails.map(
      (d) => `${d.resultType} ${d.failureReasonCode?.split(':')[0] ?? ''}`,
    );
    return [
      `${p.policyType} ${p.totalSuccessfulSessionCount}/${p.totalFailureSessionCount}`,
      ...failures,
    ].join(', ');
  });

// [8460-4.2.1-1, 8460-4.2.2-1, 8460-4.3-1]
test('every failure is reported as its RFC 8460 type, with its reason', () => {
  assert.deepEqual(told('good.example'), ['sts 1/0']);
  assert.deepEqual(told('stripped.example'), [
    'sts 0/1, starttls-not-supported server-no-starttls',
  ]);
  assert.deepEqual(told('swapped-cert.example'), [
    'sts 0/1, certificate-not-trusted server-pkix-untrusted',
  ]);
  assert.deepEqual(told('expired-enforced.example'), [
    'sts 0/1, certificate-expired server-pkix-expired',
  ]);
  assert.deepEqual(told('sts-two-label-wildcard.example'), [
    'sts 0/1, validation-failure sts-mx-mismatch',
  ]);
  assert.deepEqual(told('sts-redirect.example'), [
    'no-policy-found 0/1, sts-policy-fetch-error sts-policy-redirect',
  ]);
  assert.deepEqual(told('sts-bad-cert.example'), [
    'no-policy-found 0/1, sts-webpki-invalid sts-policy-webpki-invalid',
  ]);
  assert.deepEqual(told('sts-wrong-type.example'), [
    'no-policy-found 0/1, sts-policy-invalid sts-policy-wrong-type',
  ]);
});

// [8460-1.1-1, 8460-4.3.4-1]
test('a domain without a record gets no report, and no session gives none', () => {
  assert.deepEqual(told('opportunistic.example'), []);
  assert.deepEqual(told('null-mx.example'), []);
});

test('the outcomes of a day are one strict report without a note', () => {
  const all = [...outcomes.values()].flatMap((outcome) =>
    reportedPolicies(outcome).map(({ policy }) => policy),
  );
  assert.ok(all.length > 15, `${all.length}`);
  const text = formatReport({
    organizationName: 'Sender',
    startDatetime: '2026-11-24T00:00:00Z',
    endDatetime: '2026-11-24T23:59:59Z',
    contactInfo: 'tls@sender.example',
    reportId: '1@sender.example',
    policies: mergePolicies([...all, ...all]),
  });
  assert.ok(text.ok, text.ok ? '' : text.failure.detail);
  const read = parseReport(Buffer.from(text.value));
  assert.ok(read.ok);
  assert.deepEqual(read.value.notes, []);
  const good = read.value.report.policies.find(
    ({ policyDomain }) => policyDomain === 'good.example',
  );
  assert.equal(good?.totalSuccessfulSessionCount, 2);
  assert.deepEqual(good.mxHost, ['mx.good.example']);
  assert.deepEqual(good.policyString.slice(0, 2), ['version: STSv1', 'mode: enforce']);
});

test('mail that waives TLS is not reported', async () => {
  const {
    outcomes: [outcome],
  } = await mailTo(createSender(inLab(lab)), 'good.example', { header: 'TLS-Required: No\r\n' });
  assert.ok(outcome);
  assert.deepEqual(reportedPolicies(outcome), []);
});

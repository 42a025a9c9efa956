import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  formatReport,
  mergePolicies,
  parseReport,
  reportDay,
  reportFileName,
  reportSubject,
  type TlsReport,
} from './index.js';
import { somePolicy, someReport } from '../../test/support/tls-rpt-reports.js';

const [sample] = fc.sample(someReport, { numRuns: 1, seed: 1 }) as [TlsReport];

// [8460-4-1, 8460-4-4, 8460-4.4-1, 8460-4.4-2, 8460-4.4-3, 8460-4.4-4, 8460-4.4-5]
// [8460-4.4-6, 8460-4.4-7, 8460-4.4-8, 8460-4.4-9]
// [8460-4.4-10, 8460-4.4-11, 8460-4.4-12, 8460-4.4-13, 8460-4.4-14, 8460-4.4-15]
// [8460-4.4-16, 8460-4.4-17, 8460-4.4-18, 8460-4.4-19]
test('reports survive building and parsing without a note', () => {
  fc.assert(
    fc.property(someReport, (report) => {
      const text = formatReport(report);
      assert.ok(text.ok, text.ok ? '' : text.failure.detail);
      assert.deepEqual(parseReport(Buffer.from(text.value)), {
        ok: true,
        value: { report, notes: [], unforeseen: [] },
      });
    }),
  );
});

test('the parser accepts any octets and JSON, and its report can be parsed again', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseReport(bytes)));
  fc.assert(
    fc.property(fc.jsonValue(), (policies) => {
      const parsed = parseReport(JSON.stringify({ policies }));
      assert.equal(parsed.ok, typeof policies === 'object' && policies !== null);
    }),
  );
});

test('merging gives the same sums in any order and grouping', () => {
  const total = (policies: ReturnType<typeof mergePolicies>): number =>
    policies.reduce(
      (n, p) =>
        n +
        p.totalSuccessfulSessionCount +
        p.failureDetails.reduce((m, d) => m + d.failedSessionCount, 0),
      0,
    );
  fc.assert(
    fc.property(fc.array(somePolicy), fc.array(somePolicy), (a, b) => {
      const merged = mergePolicies([...a, ...b]);
      assert.deepEqual(mergePolicies([...b, ...a]), merged);
      assert.deepEqual(mergePolicies([...mergePolicies(a), ...mergePolicies(b)]), merged);
      assert.equal(total(merged), total([...a, ...b]));
    }),
  );
});

// [8460-4.1-1]
test('the builder refuses members that a strict parser could refuse', () => {
  const policy = {
    ...(sample.policies[0] as (typeof sample.policies)[number]),
    policyType: 'sts',
    failureDetails: [],
    totalFailureSessionCount: 0,
  };
  const wrong: readonly (readonly [string, Partial<TlsReport>])[] = [
    ['organization-name', { organizationName: undefined }],
    ['organization-name', { organizationName: 'a\nb' }],
    ['contact-info', { contactInfo: 'sender.example' }],
    ['report-id', { reportId: '' }],
    [
      'date-range.start-datetime',
      { startDatetime: '2026-05-04T01:00:00Z', endDatetime: '2026-05-04T23:59:59Z' },
    ],
    [
      'date-range.end-datetime',
      { startDatetime: '2026-05-04T00:00:00Z', endDatetime: '2026-05-05T00:00:00Z' },
    ],
    ['policies', { policies: [] }],
    ['policies[0].policy.policy-type', { policies: [{ ...policy, policyType: 'dane' }] }],
    [
      'policies[0].policy.policy-domain',
      { policies: [{ ...policy, policyDomain: 'Bücher.example' }] },
    ],
    [
      'policies[0].policy.mx-host',
      { policies: [{ ...policy, policyType: 'tlsa', mxHost: ['mx.example'] }] },
    ],
    [
      'policies[0].summary.total-successful-session-count',
      { policies: [{ ...policy, totalSuccessfulSessionCount: -1 }] },
    ],
    ['policies[0].failure-details', { policies: [{ ...policy, totalFailureSessionCount: 1 }] }],
  ];
  for (const [detail, change] of wrong) {
    const result = formatReport({ ...sample, ...change });
    assert.deepEqual(result.ok ? 'written' : result.failure.detail, detail);
  }
});

// [8460-5.1-1, 8460-5.1-2, 8460-5.3-6]
test('RFC 8460 §5.1, §5.3: file name and subject', () => {
  const report = {
    ...sample,
    startDatetime: '2026-05-04T00:00:00Z',
    endDatetime: '2026-05-04T23:59:59Z',
    reportId: '2026-05-04_a',
  };
  const names = { submitter: 'sender.example', policyDomain: 'rcpt.example' };
  assert.equal(
    reportFileName(report, names),
    'sender.example!rcpt.example!1777852800!1777939199!20260504a.json.gz',
  );
  assert.equal(
    reportSubject(report, names),
    'Report Domain: rcpt.example Submitter: sender.example Report-ID: <2026-05-04_a@sender.example>',
  );
  assert.equal(reportDay(report), Date.UTC(2026, 4, 4));
});

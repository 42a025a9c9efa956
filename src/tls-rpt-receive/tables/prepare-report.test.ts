import assert from 'node:assert/strict';
import test from 'node:test';
import { parseReport } from '../../tls-rpt/index.js';
import { prepareReport, type PreparedReport } from './prepare-report.js';

function prepared(quotes: readonly (readonly string[])[]): PreparedReport {
  const raw = Buffer.from(
    JSON.stringify({
      policies: quotes.map((lines, n) => ({
        policy: { 'policy-type': 'sts', 'policy-string': lines, 'policy-domain': `d${n}.example` },
        summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 2 },
      })),
    }),
  );
  const parsed = parseReport(raw);
  assert.ok(parsed.ok);
  const reading = {
    name: '',
    via: 'https',
    raw,
    parsed,
    trust: 'posted',
    detail: '',
    reporter: '',
  } as const;
  return prepareReport({ reading, parsed: parsed.value, receivedAt: 0 });
}

const policy = (hosts: number): readonly string[] => [
  'version: STSv1',
  'mode: enforce',
  ...Array.from({ length: hosts }, (_, n) => `mx: mx${n}.d.example`),
  'max_age: 604800',
];

// The main thread of the daemon receives and stores every line of a report.
test('the quoted policies of a report are bounded, and not stored in part', () => {
  for (const [quotes, most] of [
    [[policy(9000)], 0],
    [Array.from({ length: 100 }, () => policy(4000)), 0],
    [Array.from({ length: 400 }, () => policy(900)), 20_000],
    [Array.from({ length: 400 }, () => ['mode: enforce', 'x'.repeat(4000)]), 200],
  ] as const) {
    const { policies } = prepared(quotes);
    const lines = policies.flatMap(({ strings }) => strings).length;
    assert.ok(lines <= most, `${lines} lines`);
    for (const { strings } of policies)
      assert.ok(strings.length === 0 || strings.length === quotes[0].length);
    assert.equal(
      policies.reduce((sum, { failed }) => sum + failed, 0),
      2 * quotes.length,
    );
    assert.ok(policies.slice(0, 200).every(({ mode }) => mode === 'enforce'));
  }
});

test('a policy with many hosts is stored as quoted', () => {
  const [row] = prepared([policy(500)]).policies;
  assert.deepEqual(row?.strings, policy(500));
});

import assert from 'node:assert/strict';
import test from 'node:test';
import type { CheckResult, Verdict } from '../evidence/index.js';
import { exitCodeOf, worstExitCode } from './exit-codes.js';

const result = (verdict: Verdict): CheckResult =>
  ({ verdict, findings: [] }) as unknown as CheckResult;

test('0 for pass, warn and not-applicable, 1 for fail, 3 for inconclusive', () => {
  const codes = (['pass', 'warn', 'not-applicable', 'fail', 'inconclusive'] as const).map((v) =>
    exitCodeOf(result(v)),
  );
  assert.deepEqual(codes, [0, 0, 0, 1, 3]);
});

test('--fail-on warn makes a warning count', () => {
  assert.equal(exitCodeOf(result('warn'), 'warn'), 1);
});

test('a domain that is proved not to exist is bad input', () => {
  assert.equal(
    exitCodeOf({
      verdict: 'not-applicable',
      findings: [{ id: 'domain-nonexistent' }],
      route: { kind: 'none', dnssec: 'insecure' },
    } as unknown as CheckResult),
    2,
  );
});

test('an unproved NXDOMAIN is inconclusive', () => {
  assert.equal(
    exitCodeOf({
      verdict: 'not-applicable',
      findings: [{ id: 'domain-nonexistent' }],
      route: { kind: 'none', dnssec: 'indeterminate' },
    } as unknown as CheckResult),
    3,
  );
});

test('several domains: 2 before 1 before 3 before 0', () => {
  assert.deepEqual(
    [
      worstExitCode([0, 3, 1, 2]),
      worstExitCode([0, 3, 1]),
      worstExitCode([3, 0]),
      worstExitCode([]),
    ],
    [2, 1, 3, 0],
  );
});

import type { CheckResult } from '../src/evidence/index.js';
import { cellsOf, type Expectation } from '../src/lab/index.js';

/** Returns every difference between a result and its expectation; empty if they agree. */
export function differences(result: CheckResult, expected: Expectation): readonly string[] {
  const found: string[] = [];
  const compare = (what: string, actual: string, wanted: string): void => {
    if (actual !== wanted)
      found.push(
        `${result.domain}: ${what} is ${actual || 'nothing'}, expected ${wanted || 'nothing'}`,
      );
  };
  compare('verdict', result.verdict, expected.verdict);
  for (const severity of ['fail', 'warn'] as const) {
    const ids = result.findings.filter((f) => f.severity === severity).map((f) => f.id);
    compare(`what is found at ${severity}`, listed(ids), listed(expected[severity] ?? []));
  }
  for (const [sender, row] of Object.entries(expected.exposure)) {
    for (const [attack, outcome] of Object.entries(cellsOf(row)))
      compare(`${sender} under ${attack}`, cell(result, sender, attack), outcome);
  }
  return found;
}

function listed(ids: readonly string[]): string {
  return [...new Set(ids)].sort().join(' ');
}

function cell(result: CheckResult, sender: string, attack: string): string {
  const exposure: Readonly<Record<string, Readonly<Record<string, string>>>> = result.exposure;
  return exposure[sender]?.[attack] ?? 'missing';
}

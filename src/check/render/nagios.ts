import { neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { whyUnclear } from './why-unclear.js';

const states = {
  pass: ['OK', 0],
  'not-applicable': ['OK', 0],
  warn: ['WARNING', 1],
  fail: ['CRITICAL', 2],
  inconclusive: ['UNKNOWN', 3],
} as const;

/**
 * One line and the exit status that monitoring plugins use: 0 OK, 1 warning, 2 critical,
 * 3 unknown.
 */
export function renderNagios(result: CheckResult): {
  readonly line: string;
  readonly status: 0 | 1 | 2 | 3;
} {
  const nonexistent = result.findings.find((f) => f.id === 'domain-nonexistent');
  const [word, status] = states[nonexistent ? 'inconclusive' : result.verdict];
  const counted = (severity: string): number =>
    result.findings.filter((f) => f.severity === severity).length;
  const unclear = result.verdict === 'inconclusive' ? whyUnclear(result) : undefined;
  const worst =
    nonexistent ??
    unclear ??
    result.findings.find((f) => f.severity === 'fail' || f.severity === 'warn');
  const text = worst ? `${worst.subject}: ${worst.title} (${worst.id})` : result.verdict;
  // A vertical bar separates the text from the performance data.
  const line = `MAILTLS ${word} - ${result.domain}: ${text}`.replaceAll('|', '/');
  return {
    line: `${neutralise(line)} | fail=${counted('fail')} warn=${counted('warn')} connections=${result.connections}`,
    status,
  };
}

import { neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { whyUnclear } from './why-unclear.js';

/**
 * The word and exit status of each verdict, by the guidelines for monitoring plugins. An
 * unknown result is UNKNOWN and not OK: a check that sees nothing must not silence an
 * alarm.
 */
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
  // A monitored domain that does not exist is more likely a typing error than a domain
  // without mail, so it is UNKNOWN.
  const nonexistent = result.findings.find((finding) => finding.id === 'domain-nonexistent');
  const [word, status] = states[nonexistent ? 'inconclusive' : result.verdict];
  const counted = (severity: string): number =>
    result.findings.filter((finding) => finding.severity === severity).length;
  const unclear = result.verdict === 'inconclusive' ? whyUnclear(result) : undefined;
  const worst =
    nonexistent ??
    unclear ??
    result.findings.find((finding) => finding.severity === 'fail' || finding.severity === 'warn');
  const text = worst ? `${worst.subject}: ${worst.title} (${worst.id})` : result.verdict;
  // A vertical bar separates the text from the performance data.
  const line = `MAILTLS ${word} - ${result.domain}: ${text}`.replaceAll('|', '/');
  return {
    line: `${neutralise(line)} | fail=${counted('fail')} warn=${counted('warn')} connections=${result.connections}`,
    status,
  };
}

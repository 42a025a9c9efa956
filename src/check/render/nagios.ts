import { neutralise } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { whyUnclear } from '../findings/views.js';

/**
 * The word and exit status of each verdict, by the guidelines for monitoring plugins. An
 * unknown result is UNKNOWN and not OK: a check without observations must not end an
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
 * Returns one line and the exit status that monitoring plugins use: 0 OK, 1 warning, 2
 * critical, 3 unknown.
 */
export function renderNagios(checkResult: CheckResult): {
  readonly line: string;
  readonly status: 0 | 1 | 2 | 3;
} {
  // A monitored domain that does not exist is more likely a typo than a domain without
  // mail, so the status is UNKNOWN.
  const nonexistent = checkResult.findings.find((finding) => finding.id === 'domain-nonexistent');
  const [word, status] = states[nonexistent ? 'inconclusive' : checkResult.verdict];
  const counted = (severity: string): number =>
    checkResult.findings.filter((finding) => finding.severity === severity).length;
  const unclear = checkResult.verdict === 'inconclusive' ? whyUnclear(checkResult) : undefined;
  const worst =
    nonexistent ??
    unclear ??
    checkResult.findings.find(
      (finding) => finding.severity === 'fail' || finding.severity === 'warn',
    );
  const summary = worst ? `${worst.subject}: ${worst.title} (${worst.id})` : checkResult.verdict;
  // A vertical bar separates the text from the performance data.
  const textLine = `MAILTLS ${word} - ${checkResult.domain}: ${summary}`.replaceAll('|', '/');
  return {
    line: `${neutralise(textLine)} | fail=${counted('fail')} warn=${counted('warn')} connections=${checkResult.connections}`,
    status,
  };
}

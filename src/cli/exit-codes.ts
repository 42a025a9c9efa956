import type { CheckResult } from '../evidence/index.js';

/** The exit statuses of `hermetic`. */
export const exitCodes = {
  good: 0,
  fail: 1,
  usage: 2,
  inconclusive: 3,
  retry: 75,
  interrupted: 130,
} as const;

/** The exit status a result comes to. */
export function exitCodeOf(result: CheckResult, failOn: 'warn' | 'fail' = 'fail'): number {
  if (result.findings.some((f) => f.id === 'domain-nonexistent')) return exitCodes.usage;
  switch (result.verdict) {
    case 'fail':
      return exitCodes.fail;
    case 'warn':
      return failOn === 'warn' ? exitCodes.fail : exitCodes.good;
    case 'inconclusive':
      return exitCodes.inconclusive;
    case 'pass':
    case 'not-applicable':
      return exitCodes.good;
  }
}

/** For several domains: 2 before 1 before 3 before 0. */
export function worstExitCode(codes: readonly number[]): number {
  return (
    [exitCodes.usage, exitCodes.fail, exitCodes.inconclusive].find((code) =>
      codes.includes(code),
    ) ?? exitCodes.good
  );
}

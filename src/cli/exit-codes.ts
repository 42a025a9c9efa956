import type { CheckResult } from '../evidence/index.js';

/**
 * The exit statuses of `hermetic`.
 *
 * The statuses are part of the interface: scripts and monitoring rely on them. 75 is
 * EX_TEMPFAIL of sysexits.h, which mail servers understand; 130 is the status that shells
 * report after ctrl-C.
 */
export const exitCodes = {
  good: 0,
  fail: 1,
  usage: 2,
  inconclusive: 3,
  retry: 75,
  interrupted: 130,
} as const;

/** The exit statuses as `hermetic --help` explains them. */
export const exitStatusTexts: readonly (readonly [status: number, meaning: string])[] = [
  [exitCodes.good, 'success'],
  [exitCodes.fail, 'the result is bad: a check fails, a proof is not valid, mail is rejected'],
  [exitCodes.usage, 'usage error, or unusable input or output; a domain does not exist'],
  [exitCodes.inconclusive, 'the result could not be determined, or mail is deferred'],
  [exitCodes.retry, 'report import from a pipe or mailbox failed temporarily; try again'],
  [exitCodes.interrupted, 'interrupted by ctrl-C'],
];

/**
 * Returns the exit status for a result.
 *
 * `failOn`: the least severe verdict that counts as a failure. An inconclusive check is
 * not a failure: nothing was proved about the domain.
 */
export function exitCodeOf(checkResult: CheckResult, failOn: 'warn' | 'fail' = 'fail'): number {
  switch (checkResult.verdict) {
    case 'fail':
      return exitCodes.fail;
    case 'warn':
      return failOn === 'warn' ? exitCodes.fail : exitCodes.good;
    case 'inconclusive':
      return exitCodes.inconclusive;
    case 'pass':
      return exitCodes.good;
    case 'not-applicable':
      return nonexistentExitCode(checkResult);
  }
}

/**
 * Returns the exit status for a domain that may not exist: a usage error if DNS proves
 * that the domain does not exist, usually because of a typo.
 */
function nonexistentExitCode({ findings, route }: CheckResult): number {
  if (!findings.some(({ id }) => id === 'domain-nonexistent')) return exitCodes.good;
  if (route.dnssec === 'indeterminate') return exitCodes.inconclusive;
  return exitCodes.usage;
}

/**
 * Returns the exit status for several domains: the first of 2, 1, 3, 0 that occurs.
 *
 * A usage error comes first, because it means that a domain was not checked at all.
 */
export function worstExitCode(codes: readonly number[]): number {
  return (
    [exitCodes.usage, exitCodes.fail, exitCodes.inconclusive].find((code) =>
      codes.includes(code),
    ) ?? exitCodes.good
  );
}

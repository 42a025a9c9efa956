/** Failures of this machine: they prove nothing about the address that was tried. */
export const ownFailures: ReadonlySet<string> = new Set([
  'net-no-route',
  'net-guarded',
  'net-budget',
  'net-local',
  // The operator of the server refuses checks.
  'opt-out',
]);

/** Failures of the trust anchor or the clock of this machine: no zone can be validated. */
export const ownValidationFailures: ReadonlySet<string> = new Set([
  'dnssec-anchor-stale',
  'dnssec-clock',
  'dnssec-no-anchor',
]);

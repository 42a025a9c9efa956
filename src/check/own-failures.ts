/** Failures of this machine: they prove nothing about the address that was tried. */
export const ownFailures: ReadonlySet<string> = new Set([
  'net-no-route',
  'net-guarded',
  'net-budget',
  'net-local',
  // The operator of the server refuses checks.
  'opt-out',
]);

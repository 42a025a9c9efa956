/** True in `npm run test:long`, which tries every case of a test. */
export const isLong = process.env['HERMETIC_LONG'] === '1';

/** Returns the number of runs, steps or cases: the short form in `npm test`. */
export function testSize(short: number, long: number): number {
  return isLong ? long : short;
}

/**
 * The first and the last number that policies, and failures, of a report may have; a
 * report has at most a hundred thousand objects.
 */
export function partIds(report: number): readonly [number, number] {
  return [report * 1_000_000, report * 1_000_000 + 999_999];
}

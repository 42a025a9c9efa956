/** The first and the last number that policies, and failures, of a report may have; a report has fewer than half a million members. */
export function partIds(report: number): readonly [number, number] {
  return [report * 1_000_000, report * 1_000_000 + 999_999];
}

/**
 * The word a slip of the pen most likely meant: at most two letters away, or the same but
 * for case and separators.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const bare = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
  return known
    .map((candidate) => ({ candidate, distance: distance(bare(word), bare(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.min(2, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/**
 * Optimal string alignment: insertions, deletions, replacements, and neighbours
 * exchanged.
 */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const choices = [
        at(rows, i - 1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(rows, i - 1, j - 1) + (same ? 0 : 1),
      ];
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) choices.push(at(rows, i - 2, j - 2) + 1);
      row.push(Math.min(...choices));
    }
    rows.push(row);
  }
  return at(rows, a.length, b.length);
}

function at(rows: readonly (readonly number[])[], i: number, j: number): number {
  return rows[i]?.[j] ?? Infinity;
}

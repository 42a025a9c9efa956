/**
 * Returns the known word that most resembles a misspelt word: at most two edits away, or
 * equal apart from case and separators. Returns undefined if no word is that similar.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const bare = (spelling: string): string => spelling.toLowerCase().replace(/[-_]/g, '');
  return known
    .map((candidate) => ({ candidate, distance: distance(bare(word), bare(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.min(2, Math.floor(candidate.length / 3)))
    .sort((left, right) => left.distance - right.distance)[0]?.candidate;
}

/**
 * Returns the optimal string alignment distance: insertions, deletions, substitutions and
 * transpositions of adjacent letters. Stops at 3, because larger distances are not
 * needed.
 */
function distance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > 2) return 3;
  const rows = [Array.from({ length: right.length + 1 }, (_, position) => position)];
  for (let index = 1; index <= left.length; index++) {
    const previousRow = [index];
    for (let position = 1; position <= right.length; position++) {
      const same = left[index - 1] === right[position - 1];
      const choices = [
        at(rows, index - 1, position) + 1,
        (previousRow[position - 1] ?? 0) + 1,
        at(rows, index - 1, position - 1) + (same ? 0 : 1),
      ];
      if (left[index - 1] === right[position - 2] && left[index - 2] === right[position - 1])
        choices.push(at(rows, index - 2, position - 2) + 1);
      previousRow.push(Math.min(...choices));
    }
    rows.push(previousRow);
  }
  return at(rows, left.length, right.length);
}

function at(rows: readonly (readonly number[])[], index: number, position: number): number {
  return rows[index]?.[position] ?? Infinity;
}

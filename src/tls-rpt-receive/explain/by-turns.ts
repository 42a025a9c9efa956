/**
 * A query with at most so many rows. Where there are more, reporters take turns, each with
 * its first rows in the given order: no reporter crowds out another. `rows` is a SELECT
 * with a column `reporter`; `turn` is a column of the result.
 */
export function byTurns(rows: string, order: string, most: number, shownBy = order): string {
  return `SELECT * FROM (
      SELECT numbered.*, row_number() OVER (PARTITION BY reporter ORDER BY ${order}) AS turn
      FROM (${rows}) AS numbered ORDER BY turn, ${order} LIMIT ${most}
    ) AS fair ORDER BY ${shownBy}`;
}

/**
 * The first items in their order, at most so many. Where there are more, reporters take
 * turns, each with its first items: no reporter crowds out another.
 */
export function firstByTurns<Item>(
  items: readonly Item[],
  most: number,
  reportersOf: (item: Item) => readonly string[],
): readonly Item[] {
  if (items.length <= most) return items;
  const turns = new Map<string, number>();
  const ranked = items.map((item, index) => {
    const reporters = reportersOf(item);
    const turn = Math.min(...reporters.map((reporter) => turns.get(reporter) ?? 0));
    for (const reporter of reporters) turns.set(reporter, (turns.get(reporter) ?? 0) + 1);
    return { item, index, turn };
  });
  return ranked
    .sort((left, right) => left.turn - right.turn || left.index - right.index)
    .slice(0, most)
    .sort((left, right) => left.index - right.index)
    .map(({ item }) => item);
}

/**
 * Returns at most `most` items, in their order. If there are more, selects the first item
 * of each reporter, then the second of each, so that one reporter cannot crowd out the
 * others.
 */
export function firstByTurns<Item>(
  items: readonly Item[],
  most: number,
  reportersOf: (item: Item) => readonly string[],
): readonly Item[] {
  if (items.length <= most) return items;
  const taken = new Map<string, number>();
  const inTurn: number[] = [];
  const turns = items.map((item) => {
    const reporters = reportersOf(item);
    let turn = items.length;
    for (const reporter of reporters) turn = Math.min(turn, taken.get(reporter) ?? 0);
    for (const reporter of reporters) taken.set(reporter, (taken.get(reporter) ?? 0) + 1);
    inTurn[turn] = (inTurn[turn] ?? 0) + 1;
    return turn;
  });
  // `last`: the first turn that does not fit completely. `room`: the number of its items
  // that still fit.
  let last = 0;
  let room = most;
  for (; (inTurn[last] ?? 0) <= room; last++) room -= inTurn[last] ?? 0;
  return items.filter((_, index) => {
    const turn = turns[index] ?? 0;
    return turn < last || (turn === last && room-- > 0);
  });
}

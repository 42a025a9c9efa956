/** One page of a list in the API. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** The cursor of the next page; absent on the last page. */
  readonly next?: string | undefined;
}

/** Returns the cursor of a position in a list, which is opaque for clients. */
export function cursorOf(position: string | number): string {
  return Buffer.from(`1 ${position}`).toString('base64url');
}

/** Returns the position of a cursor; undefined for a text that is not a cursor. */
export function positionOf(cursor: string): string | undefined {
  const [, position] = /^1 (.{1,300})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  return position;
}

/**
 * Returns a page of `limit` items. `found`: these items, and one more if there is a next
 * page.
 */
export function pageOf<Found, Item>(
  found: readonly Found[],
  limit: number,
  { position, item }: { position(last: Found): string | number; item(found: Found): Item },
): Page<Item> {
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return { items: shown.map(item), next: hasMore ? cursorOf(position(last)) : undefined };
}

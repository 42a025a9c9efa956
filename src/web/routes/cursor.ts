/** A page of a list of the API. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Cursor of the next page; absent on the last one. */
  readonly next?: string | undefined;
}

/** Returns the opaque form of a position in a list. */
export function cursorOf(position: string | number): string {
  return Buffer.from(`1 ${position}`).toString('base64url');
}

/** Returns the position of a cursor; undefined for a text that is not a cursor. */
export function positionOf(cursor: string): string | undefined {
  const [, position] = /^1 (.{1,300})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  return position;
}

/** Splits `limit + 1` found items into a page and the cursor of the next one. */
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

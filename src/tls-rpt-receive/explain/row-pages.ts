import type { Store } from '../../store/index.js';
import { sortedInSteps, type Steps } from './steps.js';
import { firstByTurns } from './by-turns.js';

/** The tables whose rows are numbered in the order of their arrival. */
type RowTable = 'report_policy' | 'report_failure';

/** The policy domains of the rows, and the first and last day, inclusive. */
export interface RowSpan {
  /** The recipient domain. */
  readonly domain: string;
  /** Mail hosts whose `tlsa` policies belong to the domain. */
  readonly hosts?: Iterable<string>;
  readonly from: number;
  readonly to: number;
}

/** Maximum number of rows that one step reads. */
const PAGE = 1000;

/** The SQL condition for the rows of one page. */
const onPage = 'domain = ? AND day = ? AND id > ? AND id <= ?';

/** Consecutive rows of one policy domain and day. */
export interface RowPage {
  readonly domain: string;
  /**
   * Returns the result of a SELECT over the page. Replaces `$PAGE` by the table and the
   * conditions: only authenticated rows, and for a mail host only `tlsa` policies.
   */
  rows<Row>(sql: string): readonly Row[];
}

/**
 * The rows of one day, in pages. Reporters choose the number of rows of a day, so a step
 * reads only one page to limit its time. A group of rows can extend over several pages.
 */
export interface RowDay {
  readonly day: number;
  pages(): Iterable<RowPage>;
}

/** Returns the days that have rows, the latest first. */
export function rowDays(
  stateStore: Store,
  table: RowTable,
  { domain, hosts = [], from, to }: RowSpan,
): readonly RowDay[] {
  const before = stateStore.prepare<{ day: number | null }>(
    `SELECT max(day) AS day FROM ${table} WHERE domain = ? AND day >= ? AND day < ?`,
  );
  const namesOf = new Map<number, string[]>();
  for (const name of new Set([domain, ...hosts]))
    for (let until = to + 1; ;) {
      const day = before.get(name, from, until)?.day ?? undefined;
      if (day === undefined) break;
      namesOf.set(day, [...(namesOf.get(day) ?? []), name]);
      until = day;
    }
  return [...namesOf]
    .sort(([left], [right]) => right - left)
    .map(([day, names]) => ({
      day,
      *pages() {
        for (const name of names) yield* pagesOf(stateStore, table, { name, day, domain });
      },
    }));
}

function* pagesOf(
  stateStore: Store,
  table: RowTable,
  { name, day, domain }: { name: string; day: number; domain: string },
): Generator<RowPage> {
  // The index on domain and day contains the row numbers, so this query reads no table
  // rows.
  const lastOf = stateStore.prepare<{ last: number | null }>(
    `SELECT max(id) AS last FROM (
       SELECT id FROM ${table} WHERE domain = ? AND day = ? AND id > ? ORDER BY id LIMIT ${PAGE})`,
  );
  const ofHost = name === domain ? '' : "AND type = 'tlsa'";
  const page = `${table} WHERE ${onPage} AND authenticated = 1 ${ofHost}`;
  for (let after = -1; ;) {
    const last = lastOf.get(name, day, after)?.last ?? undefined;
    if (last === undefined) return;
    const values = [name, day, after, last];
    yield {
      domain: name,
      rows: <Row>(sql: string) =>
        stateStore.prepare<Row>(sql.replace('$PAGE', page)).all(...values),
    };
    after = last;
  }
}

/** Compares two texts as SQLite does, for texts without surrogates. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/**
 * Returns a function that compares two rows by the first of these fields that differs.
 */
export function compareBy<Field extends string>(
  fields: readonly Field[],
): (left: Readonly<Record<Field, string>>, right: Readonly<Record<Field, string>>) => number {
  return (left, right) => {
    for (const field of fields) {
      const order = compareTexts(left[field], right[field]);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/**
 * Sorts items, and selects at most `most`: the first of each reporter, then the second of
 * each, and so on. Returns them in the sorted order.
 */
export function* firstOfReporters<Item extends { readonly reporter: string }>(
  items: Iterable<Item>,
  most: number,
  compare: (left: Item, right: Item) => number,
): Steps<readonly Item[]> {
  const sorted = yield* sortedInSteps([...items], compare);
  yield;
  const first = firstByTurns(sorted, most, ({ reporter }) => [reporter]);
  yield;
  return first;
}

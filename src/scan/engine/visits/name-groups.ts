import { groupBy } from '../../../base/index.js';
import type {
  GroupChange,
  GroupCounts,
  KnownGroup,
  NameGroup,
  ScanWork,
} from '../contract/scan-work.js';
import type { Transaction } from '../database/database.js';
import { formatFacts, type Facts } from '../database/store-facts.js';

/** The name of the row that represents the server of an address. */
export const SERVER_ROW = '*';

/** The name of a visit, and the rows that the name belongs to. */
export interface VisitedName {
  readonly address_id: number;
  readonly scan_id: number;
  readonly host: string;
  readonly family: string;
  /** The visit measures the error of inference by this group of names. */
  readonly checks?: NameGroup | undefined;
}

/** A settled visit whose result also applies to other names. */
export interface GroupResult {
  readonly visit: VisitedName;
  readonly facts: Facts;
  readonly factId: number;
}

/**
 * Writes the consequences of visits for other names: names of the families at the visited
 * addresses, and names at the same servers. The caller holds the leases of the addresses,
 * so no other worker changes their rows. The counts of a scan only increase.
 */
export async function storeGroups(
  tx: Transaction,
  results: readonly GroupResult[],
  work: ScanWork,
): Promise<void> {
  if (results.length === 0) return;
  const known = await loadGroups(tx, results);
  const changes = results.flatMap(({ visit, facts, factId }) => {
    const rows = known.get(String(visit.address_id)) ?? [];
    const rowNamed = (name: string): GroupRow | undefined =>
      rows.find((row) => row.name === name && row.scan_id === visit.scan_id);
    const before = { family: rowNamed(visit.family), server: rowNamed(SERVER_ROW) };
    const changed = work.afterVisit(before, { host: visit.host, facts, checks: visit.checks });
    return changed.map((change) => ({
      visit,
      change,
      model: change.isModel ? factId : (before[change.group]?.model_fact_id ?? null),
      added: withoutKnown(change.added, before[change.group], work.probedNames),
    }));
  });
  if (changes.length === 0) return;
  await storeRows(tx, changes);
  await addCounts(tx, changes);
}

interface GroupRow extends KnownGroup {
  readonly address_id: number;
  readonly scan_id: number;
  readonly name: string;
  readonly model_fact_id: number | null;
}

async function loadGroups(
  tx: Transaction,
  results: readonly GroupResult[],
): Promise<ReadonlyMap<string, readonly GroupRow[]>> {
  const rows = await tx.query<GroupRow>(
    `SELECT f.address_id, f.scan_id, f.name, f.state, f.model_fact_id,
        coalesce(t.equal, 0) AS equal, false AS ended
      FROM unnest($1::int[], $2::text[]) AS g (address_id, family)
      JOIN hermetic_scan.family f ON f.address_id = g.address_id AND f.name IN (g.family, $3)
      LEFT JOIN hermetic_scan.family_total t
        ON t.scan_id = f.scan_id AND t.name = f.counted_as AND t.digest = f.digest`,
    [
      results.map(({ visit }) => visit.address_id),
      results.map(({ visit }) => visit.family),
      SERVER_ROW,
    ],
  );
  return groupBy(rows, ({ address_id }) => String(address_id));
}

/**
 * Returns the counts without equal results beyond the required number, because all
 * workers update the same row.
 */
function withoutKnown(
  added: GroupCounts,
  known: KnownGroup | undefined,
  probedNames: number,
): GroupCounts {
  return (known?.equal ?? 0) >= probedNames ? { ...added, equal: 0 } : added;
}

interface ChangedRow {
  readonly visit: VisitedName;
  readonly change: GroupChange;
  readonly model: number | null;
  readonly added: GroupCounts;
}

async function storeRows(tx: Transaction, changes: readonly ChangedRow[]): Promise<void> {
  await tx.query(
    `INSERT INTO hermetic_scan.family (address_id, name, scan_id, state, model_fact_id, ready,
        counted_as, digest, visited)
      SELECT * FROM unnest($1::int[], $2::text[], $3::int[], $4::jsonb[], $5::int[], $6::boolean[],
        $7::text[], $8::text[], $9::int[])
      ON CONFLICT (address_id, name) DO UPDATE SET scan_id = excluded.scan_id,
        state = excluded.state, model_fact_id = excluded.model_fact_id, ready = excluded.ready,
        counted_as = excluded.counted_as, digest = excluded.digest, visited = excluded.visited`,
    [
      changes.map(({ visit }) => visit.address_id),
      changes.map(({ visit, change }) => rowName(visit, change.group)),
      changes.map(({ visit }) => visit.scan_id),
      changes.map(({ change }) => formatFacts(change.state)),
      changes.map(({ model }) => model),
      changes.map(({ change }) => change.isReady),
      changes.map(({ change }) => change.countedAs),
      changes.map(({ change }) => change.digest),
      changes.map(({ change }) => change.visited),
    ],
  );
}

function rowName({ family }: VisitedName, group: NameGroup): string {
  return group === 'server' ? SERVER_ROW : family;
}

/**
 * Adds counts to the totals. Every worker updates rows in the same order, so that two
 * workers do not deadlock.
 */
async function addCounts(tx: Transaction, changes: readonly ChangedRow[]): Promise<void> {
  const sums = new Map<string, GroupSum>();
  for (const { visit, change, added } of changes) {
    const { equal, ...checks } = added;
    const key = { scan: visit.scan_id, name: change.countedAs };
    if (equal > 0) addTo(sums, { ...key, digest: change.digest, ...NOTHING, equal });
    if (checks.checked > 0 || checks.ended)
      addTo(sums, { ...key, digest: '', ...NOTHING, ...checks });
  }
  if (sums.size === 0) return;
  const rows = [...sums].sort(([a], [b]) => Number(a > b) - Number(a < b)).map(([, sum]) => sum);
  await tx.query(
    `INSERT INTO hermetic_scan.family_total AS t
        (scan_id, name, digest, equal, checked, wrong, ended)
      SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[],
        $7::boolean[])
      ON CONFLICT (scan_id, name, digest) DO UPDATE SET equal = t.equal + excluded.equal,
        checked = t.checked + excluded.checked, wrong = t.wrong + excluded.wrong,
        ended = t.ended OR excluded.ended`,
    [
      rows.map(({ scan }) => scan),
      rows.map(({ name }) => name),
      rows.map(({ digest }) => digest),
      rows.map(({ equal }) => equal),
      rows.map(({ checked }) => checked),
      rows.map(({ wrong }) => wrong),
      rows.map(({ ended }) => ended),
    ],
  );
}

const NOTHING: GroupCounts = { equal: 0, checked: 0, wrong: 0, ended: false };

interface GroupSum extends GroupCounts {
  readonly scan: number;
  readonly name: string;
  readonly digest: string;
}

function addTo(sums: Map<string, GroupSum>, added: GroupSum): void {
  const key = `${added.scan}\0${added.name}\0${added.digest}`;
  const sum = sums.get(key) ?? { ...added, ...NOTHING };
  sums.set(key, {
    ...added,
    equal: sum.equal + added.equal,
    checked: sum.checked + added.checked,
    wrong: sum.wrong + added.wrong,
    ended: sum.ended || added.ended,
  });
}

/** A group of a waiting visit, as a query returns it in a column. */
export interface GroupColumn {
  readonly state: Facts;
  readonly model: number | null;
  readonly equal: number;
  readonly ended: boolean;
}

/** Returns the group that a column stores. `modelOf`: returns the facts of a model. */
export function nameGroupOf(
  column: GroupColumn | null,
  modelOf: (factId: number | null) => Facts | undefined,
): KnownGroup | undefined {
  return column ? { ...column, model: modelOf(column.model) } : undefined;
}

import type { Store } from '../src/store/index.js';

/** Tables with rows of each report. */
const tables = ['report', 'report_policy', 'report_failure'] as const;
type Table = (typeof tables)[number];
/** A policy or failure has the number of its report multiplied by a million. */
const ROWS = 1_000_000;
const MAX_SECONDS = 420;

/**
 * Copies the reports of a store until there are `times` as many, and multiplies the daily
 * sums. Copies come from forty reporters in turn and have no raw content. Ten million
 * reports through the intake would take an hour.
 */
export function multiplyReports(store: Store, times: number): void {
  const began = performance.now();
  const { last } = store.prepare<{ last: number }>('SELECT max(id) AS last FROM report').get() ?? {
    last: 0,
  };
  const indexes = store
    .prepare<{ name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
         AND tbl_name IN ('report', 'report_policy', 'report_failure')`,
    )
    .all();
  store.execute('PRAGMA cache_size = -1000000; PRAGMA temp_store = MEMORY;');
  // Builds the indexes at the end, which is faster than an update for each row.
  for (const { name } of indexes) store.execute(`DROP INDEX ${name};`);
  for (let copy = 1; copy < times; copy++) {
    store.transaction(() => {
      for (const table of tables) store.execute(copyOf(store, table, { copy, last }));
    });
    if ((performance.now() - began) / 1000 > MAX_SECONDS) throw new Error(`${copy} copies only`);
  }
  for (const { sql } of indexes) store.execute(`${sql};`);
  store.execute(
    `UPDATE report_day SET ok = ok * ${times}, failed = failed * ${times}, reports = reports * ${times};
     UPDATE report_intake SET reports = reports * ${times}, entries = entries * ${times};
     ANALYZE;`,
  );
}

function copyOf(
  store: Store,
  table: Table,
  { copy, last }: { readonly copy: number; readonly last: number },
): string {
  const shift = copy * last;
  const columns = store
    .prepare<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => name);
  const shifted: Readonly<Record<string, string>> = {
    id: `id + ${table === 'report' ? shift : shift * ROWS}`,
    report: `report + ${shift}`,
    reporter: `'r${copy % 40}.example'`,
    digest: `CAST(printf('%032d', id + ${shift}) AS BLOB)`,
    raw: "x''",
  };
  const values = columns.map((column) => shifted[column] ?? column);
  const end = table === 'report' ? last : last * ROWS + ROWS - 1;
  return `INSERT INTO ${table} (${columns.join(', ')}) SELECT ${values.join(', ')} FROM ${table} WHERE id <= ${end};`;
}

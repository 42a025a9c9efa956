import type { Store, Value } from '../../store/index.js';
import { openReports } from './open-reports.js';

/** Maximum number of rows that are copied together. */
const MAX_ROWS = 10_000;

/**
 * Opens a database in memory, with the digests of reports and the positions in mailboxes
 * of another database. A report that is stored in the other database is therefore
 * `repeated` here too.
 */
export async function openPreview(from: Store): Promise<Store> {
  const preview = await openReports(':memory:');
  preview.transaction(() => {
    copyDigests(from, preview);
    for (const table of ['report_mailbox', 'report_mailbox_pending']) {
      const rows = from.prepare<Record<string, Value>>(`SELECT * FROM ${table}`).all();
      for (const row of rows) {
        const columns = Object.keys(row);
        const places = columns.map(() => '?').join(', ');
        preview
          .prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places})`)
          .run(...Object.values(row));
      }
    }
  });
  return preview;
}

/**
 * Copies the digests of stored reports. In the copy each report appears as one whose rows
 * were pruned.
 */
function copyDigests(from: Store, preview: Store): void {
  const insert = preview.prepare(
    'INSERT INTO report_pruned (digest, day, authenticated) VALUES (?, 0, 1) ON CONFLICT DO NOTHING',
  );
  for (const table of ['report', 'report_pruned']) {
    const read = from.prepare<{ row: number; digest: Uint8Array }>(
      `SELECT rowid AS row, digest FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ${MAX_ROWS}`,
    );
    for (let last = 0; ;) {
      const rows = read.all(last);
      for (const { digest } of rows) insert.run(digest);
      if (rows.length < MAX_ROWS) break;
      last = rows.at(-1)?.row ?? last;
    }
  }
}

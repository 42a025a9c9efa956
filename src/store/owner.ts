import type { Driver } from './driver.js';
import { nameError, storeError } from './failures.js';

/** "HRMT" in ASCII (https://sqlite.org/fileformat2.html, section 1.3.15). */
const APPLICATION_ID = 0x48524d54;

/** Marks a new database as one of this program. */
export const MARK = `PRAGMA application_id = ${APPLICATION_ID};`;

/**
 * A database of this program has the mark, or, from earlier versions, the table that
 * `migrate` creates. A prepared statement would keep the connection open after `close`.
 */
const EXAMINE = `CREATE TEMP TABLE examined (own CHECK (own));
  INSERT INTO temp.examined SELECT CASE application_id
    WHEN ${APPLICATION_ID} THEN 1
    WHEN 0 THEN NOT EXISTS (SELECT 1 FROM main.sqlite_master)
      OR EXISTS (SELECT 1 FROM pragma_table_info('schema_version') WHERE name = 'job')
    ELSE 0 END
    FROM pragma_application_id;
  DROP TABLE temp.examined`;
/** SQLITE_CONSTRAINT_CHECK: the database is not one of this program. */
const CHECK_FAILED = 275;

/** Throws `store-foreign` for the database of another program, and changes nothing in it. */
export function assertOwn(driver: Driver, filePath: string): void {
  try {
    driver.exec(EXAMINE);
  } catch (error) {
    if ((error as { readonly errcode?: number }).errcode === CHECK_FAILED)
      throw storeError('store-foreign', filePath);
    throw nameError(filePath, error);
  }
}

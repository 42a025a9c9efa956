import type { ByteWriter, ColumnSource } from 'hyparquet-writer';
import { loadPackage } from '../engine/database/load-package.js';
import {
  exportColumns,
  type ColumnValue,
  type ExportColumn,
  type ScanResultRow,
} from './columns.js';

/**
 * Number of rows of one row group, which stay in memory until the group is written: about
 * 30 MB.
 */
export const ROW_GROUP = 20_000;

/**
 * Writes rows as Parquet, in pieces of one row group. Text columns are UTF-8 strings,
 * lists are text with spaces. Memory does not grow with the number of rows, apart from a
 * few hundred octets for each row group.
 * @throws HermeticError `scan-package-missing` without the package `hyparquet-writer`.
 */
export async function* parquetChunks(
  rows: AsyncIterable<ScanResultRow> | Iterable<ScanResultRow>,
  groupSize = ROW_GROUP,
): AsyncGenerator<Uint8Array, void> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await loadPackage(
    'hyparquet-writer',
    () => import('hyparquet-writer'),
  );
  const bytes = new ByteWriter();
  const schema = schemaFromColumnData({ columnData: columnsOf([]) });
  const writer = new ParquetWriter({ writer: bytes, schema, createdBy: 'hermetic' });
  let group: ScanResultRow[] = [];
  const write = async (): Promise<Uint8Array> => {
    await writer.write({ columnData: columnsOf(group), rowGroupSize: groupSize });
    group = [];
    return takeFrom(bytes);
  };
  for await (const row of rows) {
    group.push(row);
    if (group.length >= groupSize) yield await write();
  }
  if (group.length > 0) yield await write();
  await writer.finish();
  yield takeFrom(bytes);
}

/** Returns the octets in the buffer, and empties it. The offset in the file continues. */
function takeFrom(bytes: ByteWriter): Uint8Array {
  const taken = bytes.getBytes().slice();
  bytes.index = 0;
  return taken;
}

const types = { text: 'STRING', list: 'STRING', integer: 'INT32', boolean: 'BOOLEAN' } as const;

function columnsOf(rows: readonly ScanResultRow[]): ColumnSource[] {
  return exportColumns.map(({ name, type, value }: ExportColumn) => ({
    name,
    type: types[type],
    nullable: true,
    data: rows.map((row): ColumnValue => value(row)),
  }));
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { systemClock } from '../../base/index.js';
import { importReports, type ReportRecord } from '../index.js';
import { walkSources } from './walk-sources.js';

interface Case {
  readonly file: string;
  readonly says: string;
  readonly successful?: number;
  readonly failed?: number;
  readonly notes?: readonly string[];
  readonly refused?: string;
  /** The number of reports, if the file contains several. */
  readonly reports?: number;
}

const folder = 'test/vectors/tls-rpt';
const corpus = JSON.parse(readFileSync(join(folder, 'corpus.json'), 'utf8')) as readonly Case[];
const schema = JSON.parse(readFileSync('schemas/hermetic.report-1.json', 'utf8')) as object;
const ajv = new Ajv2020();
addFormats.default(ajv);
const valid = ajv.compile(schema);

async function read(file: string): Promise<readonly ReportRecord[]> {
  const records: ReportRecord[] = [];
  for await (const record of importReports(walkSources(join(folder, file)), { clock: systemClock }))
    records.push(record);
  return records;
}

// [8460-5.3-1, 8460-5.3-2, 8460-5.6-1]
for (const { file, says, successful, failed, notes, refused, reports } of corpus) {
  test(`${file}: ${says}`, async () => {
    const records = await read(file);
    for (const record of records) assert.ok(valid(record), JSON.stringify(valid.errors));
    const sum = (of: 'successful' | 'failed'): number =>
      records.reduce((n, r) => n + (r.totals?.[of] ?? 0), 0);
    assert.equal(records.length, reports ?? records.length);
    const found =
      refused === undefined
        ? { ok: sum('successful'), failed: sum('failed') }
        : records.map((r) => r.refusal?.code);
    assert.deepEqual(found, refused === undefined ? { ok: successful, failed } : [refused]);
    if (refused === undefined)
      assert.deepEqual(
        [...new Set(records.flatMap((r) => r.notes ?? []).map((n) => n.code))].sort(),
        notes,
      );
    const mail = /\.(emlx?|mbox)\b/.test(file);
    for (const record of records)
      assert.equal(
        record.trust?.verdict,
        record.status === 'refused' ? undefined : mail ? 'unverifiable' : 'given',
      );
  });
}

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { reportFailures } from '../../tls-rpt/index.js';
import { reportRecord, reportRecordSchema } from './report-record.js';
import { judgeTrust } from '../verify/judge-trust.js';
import { readItem } from './read-item.js';

const folder = 'test/vectors/tls-rpt';
const files = readdirSync(folder).filter((f) => f !== 'corpus.json');

test('a mutated report, mail or archive is read, or refused with a code', async () => {
  const change = fc.record({
    at: fc.nat(),
    octet: fc.nat(255),
    kind: fc.constantFrom('set', 'drop', 'repeat', 'cut'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(change, { maxLength: 6 }),
      async (file, changes) => {
        let bytes = readFileSync(join(folder, file));
        for (const { at, octet, kind } of bytes.length === 0 ? [] : changes) {
          const i = at % Math.max(1, bytes.length);
          if (kind === 'set') bytes[i] = octet;
          else if (kind === 'drop')
            bytes = Buffer.concat([bytes.subarray(0, i), bytes.subarray(i + 1 + (octet % 40))]);
          else if (kind === 'repeat')
            bytes = Buffer.concat([
              bytes.subarray(0, i),
              bytes.subarray(Math.max(0, i - octet)),
              bytes.subarray(i),
            ]);
          else bytes = bytes.subarray(0, i);
        }
        const readings = await readItem(bytes, { name: file, via: 'file' });
        assert.ok(readings.length > 0);
        for (const reading of readings) {
          if (!reading.parsed.ok)
            assert.ok(
              reading.parsed.failure.code in reportFailures.entries,
              reading.parsed.failure.code,
            );
          reportRecordSchema.parse(reportRecord(judgeTrust(reading, { at: Date.UTC(2026, 5, 1) })));
        }
      },
    ),
    { numRuns: 1500 },
  );
});

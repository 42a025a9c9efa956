import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseRpl } from '../tools/replay/parse-rpl.js';
import { runScenario } from '../tools/replay/run-scenario.js';

const here = fileURLToPath(import.meta.url);
/** Vectors are data: they lie beside the sources, also when the compiled test runs. */
const folder = join(here.includes(`${join('dist', 'test')}`) ? join(here, '../../../test') : join(here, '..'), 'vectors/unbound');
const files = readdirSync(folder).filter((f) => f.endsWith('.rpl'));

test('the folder holds every replay file it should', () => assert.equal(files.length, 81));

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  test(`replay ${file}`, async (t) => {
    const outcome = await runScenario(parseRpl(readFileSync(join(folder, file), 'latin1')));
    counts[outcome.kind]++;
    if (outcome.kind === 'skipped') t.diagnostic(`left out: ${outcome.why}`);
    assert.notEqual(outcome.kind, 'failed', outcome.kind === 'failed' ? outcome.why : '');
  });
}

test('no more scenarios are left out than have a reason known beforehand', () =>
  assert.deepEqual(counts, { passed: 66, failed: 0, skipped: 15 }));

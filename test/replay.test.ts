import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseRpl } from '../tools/replay/parse-rpl.js';
import { runScenario } from '../tools/replay/run-scenario.js';

const here = fileURLToPath(import.meta.url);
/** The compiled test reads the vectors from the source tree. */
const folder = join(
  here.includes(`${join('dist', 'test')}`) ? join(here, '../../../test') : join(here, '..'),
  'vectors/unbound',
);
const files = readdirSync(folder).filter((f) => f.endsWith('.rpl'));

test('the folder contains every expected replay file', () => assert.equal(files.length, 81));

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const file of files) {
  test(`replay ${file}`, async (t) => {
    const outcome = await runScenario(parseRpl(readFileSync(join(folder, file), 'latin1')));
    counts[outcome.kind]++;
    if (outcome.kind === 'skipped') t.diagnostic(`left out: ${outcome.why}`);
    assert.notEqual(outcome.kind, 'failed', outcome.kind === 'failed' ? outcome.why : '');
  });
}

test('every omitted scenario has a known reason', () =>
  assert.deepEqual(counts, { passed: 72, failed: 0, skipped: 9 }));

const read = (file: string): string => readFileSync(join(folder, file), 'latin1');
const positive = read('val_cnametocloser_nosig.rpl');

test('the other dialect: seconds, bare anchors, raw octets, unknown words', async () => {
  for (const file of [
    'val_cnametocloser_nosig.rpl',
    'val_nx.rpl',
    'val_nsec3_b1_nameerror.rpl',
    'val_secds_nosig.rpl',
  ]) {
    const other = read(file)
      .replace(/val-override-date: "(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)"/, (_, ...d) => {
        const [y, mo, day, h, mi, s] = d.slice(0, 6).map(Number) as [
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        return `val-override-timestamp: "${Date.UTC(y, mo - 1, day, h, mi, s) / 1000}"\n\tquery-minimization: on\n\tdo-ip6: no`;
      })
      .replace(/trust-anchor: "(.*)"/, "trust-anchor: '$1'")
      .replace(/^MATCH opcode qtype qname$/gm, '')
      .replace(
        /^(RANGE_BEGIN .*)$/m,
        '$1\nENTRY_BEGIN\nADJUST raw_id\nRAW\nb5c9ca3d\nSECTION QUESTION\nraw.example. IN A\nENTRY_END',
      )
      .replace(/^SCENARIO_BEGIN/m, 'SOMETHING new\nSCENARIO_BEGIN');
    assert.notEqual(other, read(file));
    assert.deepEqual(
      await runScenario(parseRpl(other)),
      await runScenario(parseRpl(read(file))),
      file,
    );
  }
});

test('a file without a usable anchor is omitted with its reason', async () => {
  const why = async (text: string): Promise<string> => {
    const outcome = await runScenario(parseRpl(text));
    return outcome.kind === 'skipped' ? outcome.why : outcome.kind;
  };
  assert.match(await why(''), /no trust anchor/);
  assert.match(await why(positive.replace(/.*trust-anchor: .*/g, '')), /no trust anchor/);
  assert.match(
    await why(positive.replace(/trust-anchor: ".*"/, 'trust-anchor: "example. IN DS nonsense"')),
    /cannot be read/,
  );
  assert.match(
    await why(
      positive.replace(
        /^STEP 10 CHECK_ANSWER/m,
        'STEP 5 TIME_PASSES EVAL ${$t + 3}\nSTEP 10 CHECK_ANSWER',
      ),
    ),
    /computes its times/,
  );
  assert.match(
    await why(
      positive.replace(/(STEP 1 QUERY[\s\S]*?SECTION QUESTION\n)\S+/, `$1${'x'.repeat(70)}.`),
    ),
    /not understood/,
  );
});

test('damaged files are judged or omitted and never stop the run', async () => {
  let seed = 7;
  const random = (below: number): number =>
    (seed = (seed * 1103515245 + 12345) % 2147483648) % below;
  for (const file of ['val_cnametocloser_nosig.rpl', 'val_nsec3_b1_nameerror.rpl']) {
    for (let i = 0; i < 60; i++) {
      const lines = read(file).split('\n');
      lines.splice(random(lines.length), 1 + random(4));
      if (i % 3 === 0) lines.splice(random(lines.length), 0, lines[random(lines.length)] ?? '');
      assert.ok((await runScenario(parseRpl(lines.join('\n')))).kind);
    }
  }
});

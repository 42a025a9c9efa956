import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { CheckResult } from '../../evidence/index.js';
import { grade } from '../grade/grade.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHost,
} from '../../../test/support/check/planted-evidence.js';
import { renderNagios } from './nagios.js';
import { renderOverview } from './terminal-overview.js';
import { renderTerminal } from './terminal.js';
import { renderTranscript } from './transcript.js';
import { bestPossible, cellOf, senderNames } from './words.js';

const mangled = plantedEvidence({
  hosts: [
    plantedHost({
      addresses: [plantedAddress({ starttls: 'mangled', mangledAs: 'XXXXXXXA\x1b[31m\u202e' })],
    }),
  ],
});

test('the report begins with domain, verdict and the outcome for its mail', () => {
  const [first, second] = renderTerminal(grade(plantedEvidence())).split('\n');
  assert.equal(first, `planted.example${' '.repeat(80 - 15 - 4)}WARN`);
  assert.match(second ?? '', /^Today mail travels encrypted, but no sender verifies the server/);
});

const unprotected = plantedEvidence();
const codeOf = (result: CheckResult): ReadonlySet<string> =>
  new Set(result.findings.flatMap((f) => f.steps.flatMap(({ code = '' }) => code.split('\n'))));

for (const width of [50, 59, 60, 61, 80, 100, 104, 105, 120])
  test(`at ${width} columns only records, settings and commands exceed the width`, () => {
    for (const evidence of [unprotected, mangled]) {
      const result = grade(evidence);
      const code = codeOf(result);
      for (const line of renderTerminal(result, { width, steps: true }).split('\n'))
        assert.ok(
          line.length <= width || code.has(line) || /^[0-9a-f]{64}\.?$/.test(line),
          `${line.length}: ${line}`,
        );
    }
  });

test('records and commands have one line each, at every width', () => {
  for (const width of [50, 60, 80, 120])
    for (const color of [false, true]) {
      const result = grade(unprotected);
      const lines = renderTerminal(result, { width, color, steps: true }).split('\n');
      const code = [...codeOf(result)].filter((line) => line !== '');
      assert.ok(code.some((line) => line.length > 80 && / IN TXT "/.test(line)));
      for (const line of code) assert.ok(lines.includes(line), `${width}: ${line}`);
    }
});

test('every row of the scorecard ends with its clause, at every width', () => {
  for (const width of [50, 60, 80, 120]) {
    const result = grade(plantedEvidence());
    const [, card = ''] = renderTerminal(result, { width }).split('\n\n');
    const lines = card.split('\n');
    const clauses = lines.filter((line) => / RFC \d+ §[\d.]+$/.test(line));
    assert.equal(clauses.length, 9, card);
    assert.ok(
      lines.every(({ length }) => length <= width),
      card,
    );
    const columns = new Set(clauses.map((line) => line.lastIndexOf('RFC ')));
    if (width >= 80) assert.equal(columns.size, 1, card);
  }
});

test('no clause is broken over two lines', () => {
  for (let width = 50; width <= 120; width += 5)
    for (const evidence of [unprotected, mangled])
      assert.doesNotMatch(
        renderTerminal(grade(evidence), { width, steps: true }),
        /\bRFC\n|\bRFC \d+\n\s*§/,
      );
});

test('the report without all steps fits 80 lines', () => {
  assert.ok(renderTerminal(grade(mangled)).split('\n').length <= 80);
});

test("every sender has a row; rows outside the domain's control are separate", () => {
  for (const width of [60, 120]) {
    const page = renderTerminal(grade(unprotected), { width });
    const table = page.slice(page.indexOf('certificate DNS'));
    const rows = Object.values(senderNames).map((name) => table.indexOf(` ${name}`));
    assert.ok(rows.every((at) => at > 0));
    assert.equal(Math.max(...rows), table.indexOf(` ${senderNames.opportunistic}`));
    assert.ok(table.indexOf("Outside this domain's control") < Math.max(...rows));
  }
});

test('a table without outcomes is omitted', () => {
  const result = grade(unprotected);
  const row = Object.fromEntries(Object.keys(result.exposure.dane).map((key) => [key, 'unknown']));
  const exposure = Object.fromEntries(Object.keys(result.exposure).map((key) => [key, row]));
  const page = renderTerminal({ ...result, exposure: exposure as CheckResult['exposure'] });
  assert.doesNotMatch(page, /under attack\n|TLS stripped|certificate DNS/);
  assert.match(renderTerminal(result), /under attack\n/);
});

test('the legend precedes the table', () => {
  const page = renderTerminal(grade(unprotected));
  assert.ok(page.indexOf('delivered to the attacker') < page.indexOf('certificate DNS'));
});

test('a deferred message is a success under an attack and a failure without one', () => {
  assert.deepEqual(
    [cellOf('dane', 'spoofMx', 'deferred').tone, cellOf('dane', 'none', 'deferred').tone],
    ['good', 'bad'],
  );
});

test("an outcome outside the domain's control equals that of a fully protected domain", () => {
  const sample = JSON.parse(
    readFileSync('test/vectors/contracts/0.1.0/hermetic.check-1.good.json', 'utf8'),
  ) as CheckResult;
  assert.deepEqual(bestPossible, sample.exposure);
});

test('several domains are one table, worst first, at every width', () => {
  const results = [grade(unprotected), grade(mangled)];
  for (const width of [50, 60, 80, 120]) {
    const lines = renderOverview(results, { width }).split('\n');
    for (const line of lines) assert.ok(line.length <= width, line);
    const [fail, warn] = ['FAIL', 'WARN'].map((word) => lines.findIndex((l) => l.includes(word)));
    assert.ok(fail !== undefined && warn !== undefined && fail > 0 && fail < warn);
  }
});

test('escape and bidi characters of a server reach no output', () => {
  for (const text of [
    renderTerminal(grade(mangled)),
    renderNagios(grade(mangled)).line,
    renderTranscript(mangled),
  ]) {
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
});

test('colour is used only on request', () => {
  assert.doesNotMatch(renderTerminal(grade(mangled)), /\x1b/); // eslint-disable-line no-control-regex
  assert.match(renderTerminal(grade(mangled), { color: true }), /\x1b\[31mFAIL/); // eslint-disable-line no-control-regex
});

test('a monitoring plugin gets one line and its own status', () => {
  const { line, status } = renderNagios(grade(mangled));
  assert.equal(status, 2);
  assert.match(line, /^MAILTLS CRITICAL - planted\.example: .* \| fail=1 warn=1 connections=1$/);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { Ajv } from 'ajv';
import type { CheckResult } from '../../evidence/index.js';
import { grade } from '../grade/grade.js';
import { hostileResult } from '../../../test/support/check/hostile-result.js';
import { testSize } from '../../../test/support/test-size.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { renderHtml } from './html/render-html.js';
import { renderJunit } from './junit.js';
import { renderNagios } from './nagios.js';
import { renderSarif } from './sarif.js';
import { renderTerminal } from './terminal.js';

const hosts = [plantedHost({ addresses: [plantedAddress({ starttls: 'absent' })] })];
const failing = grade(plantedEvidence({ hosts }));
const warning = grade(plantedEvidence());
const unclear: CheckResult = {
  ...grade(plantedEvidence({ mtaSts: plantedPolicy('enforce') })),
  verdict: 'inconclusive',
};

/**
 * Parses the subset of well-formed XML that this program writes; throws for other text.
 */
function elements(xml: string): { name: string; attributes: Record<string, string> }[] {
  const open: string[] = [];
  const found: { name: string; attributes: Record<string, string> }[] = [];
  const rest = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  for (const piece of rest.match(/<[^>]*>|[^<]+/g) ?? []) {
    if (!piece.startsWith('<'))
      assert.doesNotMatch(piece.replace(/&(amp|lt|gt|quot|apos);/g, ''), /[&<>]/);
    else if (piece.startsWith('</')) assert.equal(open.pop(), piece.slice(2, -1));
    else {
      const tag =
        /^<([a-z-]+)((?: [a-z]+="[^"<&]*(?:&(?:amp|lt|gt|quot|apos);[^"<&]*)*")*)(\/?)>$/.exec(
          piece,
        );
      assert.ok(tag, piece);
      const attributes: Record<string, string> = {};
      for (const [, key = '', value = ''] of (tag[2] ?? '').matchAll(/ ([a-z]+)="([^"]*)"/g))
        attributes[key] = value;
      found.push({ name: tag[1] as string, attributes });
      if (tag[3] !== '/') open.push(tag[1] as string);
    }
  }
  assert.deepEqual(open, []);
  return found;
}

test('JUnit: every suite counts its own cases, and an inconclusive case is an error', () => {
  const found = elements(renderJunit([failing, warning, unclear, hostileResult()]));
  const suites = found.filter((e) => e.name === 'testsuite').map((e) => e.attributes);
  assert.equal(suites.length, 4);
  const count = (name: string): number => found.filter((e) => e.name === name).length;
  const sum = (key: string): number => suites.reduce((n, s) => n + Number(s[key]), 0);
  assert.deepEqual(
    [sum('tests'), sum('failures'), sum('errors'), sum('skipped')],
    [count('testcase'), count('failure'), count('error'), count('skipped')],
  );
  assert.deepEqual([suites[0]?.['errors'], suites[2]?.['errors']], ['0', '1']);
  assert.ok(Number(suites[0]?.['failures']) > 0);
});

test('JUnit: a warning fails only on request', () => {
  const failures = (options: { failOn?: 'warn' | 'fail' }): number =>
    elements(renderJunit([warning], options)).filter((e) => e.name === 'failure').length;
  assert.equal(failures({}), 0);
  assert.ok(failures({ failOn: 'warn' }) > 0);
});

const sarifSchema = JSON.parse(
  readFileSync('test/vectors/sarif/sarif-2.1.0-rtm.5.json', 'utf8'),
) as Record<string, unknown>;
// The schema is written for draft 4. Without these names it is valid for draft 7.
Reflect.deleteProperty(sarifSchema, '$schema');
Reflect.deleteProperty(sarifSchema, 'id');
const sarif = new Ajv({
  strict: false,
  allErrors: true,
  validateFormats: false,
  unicodeRegExp: false,
}).compile(sarifSchema);

test('SARIF is valid by its schema, and only failures have a level', () => {
  const log = JSON.parse(renderSarif([failing, warning, unclear, hostileResult()])) as {
    runs: {
      results: { ruleId: string; ruleIndex: number; kind: string; level: string }[];
      tool: { driver: { rules: { id: string }[] } };
    }[];
  };
  assert.ok(sarif(log), JSON.stringify(sarif.errors));
  for (const run of log.runs)
    for (const { ruleId, ruleIndex, kind, level } of run.results) {
      assert.equal(run.tool.driver.rules[ruleIndex]?.id, ruleId);
      assert.equal(kind === 'fail', level !== 'none');
    }
  const [run] = log.runs;
  for (const mutated of [
    { ...log, version: '2.0' },
    { ...log, runs: [{ ...run, tool: {} }] },
    { ...log, runs: [{ ...run, more: 1 }] },
  ])
    assert.ok(!sarif(mutated));
});

test('HTML loads nothing: no script, address, handler or outside style', () => {
  const page = renderHtml([failing, warning, hostileResult()]);
  assert.ok(!/<(script|img|link|iframe|object|embed|form|input|button|svg|base)\b/i.test(page));
  const tags = page.replace(/"[^"]*"/g, '""').match(/<[a-z][^>]*>/g) ?? [];
  for (const tag of tags) assert.doesNotMatch(tag, /\s(on[a-z]+|style)=/i);
  assert.ok(!/url\(|@import/i.test(page.slice(0, page.indexOf('</style>'))));
  const targets = [...page.matchAll(/\b(?:src|href|action)="([^"]*)"/g)].map(
    ([, target]) => target ?? '',
  );
  assert.ok(targets.length > 0);
  for (const target of targets) assert.match(target, /^#/);
  assert.match(page, /default-src 'none'/);
});

test('the reports of several domains have the order of the overview', () => {
  const page = renderHtml([warning, unclear, failing]);
  const listed = [...page.matchAll(/href="#(domain-\d)"/g)].map(([, id]) => id);
  const shown = [...page.matchAll(/<article class="domain" id="([^"]*)"/g)].map(([, id]) => id);
  assert.deepEqual(listed, ['domain-3', 'domain-2', 'domain-1']);
  assert.deepEqual(shown, listed);
});

test('the legend explains each outcome once', () => {
  const result = grade(plantedEvidence());
  const [page, text] = [renderHtml([result]), renderTerminal(result)];
  const cells = [...page.matchAll(/class="cell [a-z]+" title="([^"]*)"/g)].map(
    ([, means]) => means,
  );
  assert.ok(new Set(cells).size > 2);
  for (const means of new Set(cells)) {
    assert.equal(page.split(`<dd>${means}</dd>`).length, 2, means);
    assert.equal(text.replace(/\s+/g, ' ').split(`${means} `).length, 2, means);
  }
});

test('a hostile server puts no control, bidi or invisible character into any output', () => {
  const result = hostileResult();
  const outputs = {
    html: renderHtml([result, result]),
    junit: renderJunit([result]),
    sarif: renderSarif([result]),
    nagios: renderNagios(result).line,
    terminal: renderTerminal(result, { width: 120, steps: true }),
  };
  for (const [name, text] of Object.entries(outputs)) {
    assert.doesNotMatch(
      text,
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/,
      name,
    );
    assert.match(text, /\\x1b/, `${name} shows what was there`);
  }
  assert.equal(outputs.nagios.split('\n').length, 1);
});

test('a hostile result adds no element to the page', () => {
  const tags = (result: CheckResult): string[] =>
    [...renderHtml([result]).matchAll(/<[a-z0-9]+/g)].map(([tag]) => tag);
  const tame = hostileResult(() => 'text');
  assert.deepEqual(tags(hostileResult()), tags(tame));
  assert.deepEqual(
    elements(renderJunit([hostileResult()])).map((e) => e.name),
    elements(renderJunit([tame])).map((e) => e.name),
  );
});

test('no text of a peer breaks the XML or the elements of the page', () => {
  const tags = (result: CheckResult): number =>
    [...renderHtml([result]).matchAll(/<[a-z0-9]+/g)].length;
  const expected = tags(hostileResult(() => 'text'));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (text) => {
      const result = hostileResult(() => text);
      assert.equal(tags(result), expected);
      elements(renderJunit([result]));
      // Every code point is one that XML 1.0 allows (§2.2), without lone surrogates.
      assert.ok(
        !/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(
          renderJunit([result]),
        ),
      );
    }),
    { numRuns: testSize(75, 300) },
  );
});

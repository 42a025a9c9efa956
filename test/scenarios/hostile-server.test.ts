import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import {
  compareResults,
  renderChanges,
  renderControl,
  renderHtml,
  renderJunit,
  renderNagios,
  renderSarif,
  renderTerminal,
  renderTranscript,
} from '../../src/check/index.js';
import type { CheckResult, Evidence } from '../../src/evidence/index.js';
import { checkHostile } from './hostile-server.js';

let hostile: { evidence: Evidence; result: CheckResult };
let tame: { evidence: Evidence; result: CheckResult };
before(async () => {
  [hostile, tame] = await Promise.all([checkHostile(), checkHostile('tame text')]);
});

/** Every human-readable output of a check, including output through another program. */
const outputs: Readonly<
  Record<string, (seen: { evidence: Evidence; result: CheckResult }) => string>
> = {
  terminal: ({ result }) => renderTerminal(result, { width: 120, steps: true }),
  transcript: ({ evidence }) => renderTranscript(evidence),
  control: ({ evidence }) => renderControl(evidence),
  nagios: ({ result }) => renderNagios(result).line,
  html: ({ result }) => renderHtml([result]),
  junit: ({ result }) => renderJunit([result]),
  sarif: ({ result }) => renderSarif([result]),
  changes: ({ result }) => renderChanges(compareResults(tame.result, result)),
  json: ({ result }) => JSON.stringify(result),
};

test("a hostile server's greeting, names and policy are in the evidence", () => {
  const [connection] = hostile.evidence.hosts[0]?.addresses[0]?.connections ?? [];
  assert.match(connection?.greeting?.lines[0] ?? '', /<script>/);
  assert.ok(
    hostile.result.hosts[0]?.addresses[0]?.certificates[0]?.names.some((name) =>
      name.includes('<script>'),
    ),
  );
  assert.ok(hostile.result.findings.some((f) => f.id === 'sts-policy-invalid'));
});

for (const [name, render] of Object.entries(outputs)) {
  test(`${name}: no control, bidi or invisible character of a server arrives`, () => {
    const found =
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.exec(
        render(hostile),
      );
    if (name !== 'json') assert.equal(found?.[0], undefined);
    // JSON is for machines and contains the text as received, with control characters as
    // JSON escapes.
    // eslint-disable-next-line no-control-regex
    else assert.doesNotMatch(render(hostile), /[\u0000-\u001f]/);
  });
}

test('hostile text adds no element to the page and the XML', () => {
  for (const render of [renderHtml, renderJunit]) {
    const elements = (result: CheckResult): Record<string, number> => {
      const counts: Record<string, number> = {};
      for (const [, tag = ''] of render([result]).matchAll(/<([a-z0-9-]+)/g))
        counts[tag] = (counts[tag] ?? 0) + 1;
      return counts;
    };
    assert.deepEqual(elements(hostile.result), elements(tame.result));
  }
  assert.ok(renderHtml([hostile.result]).includes('&lt;script&gt;'));
});

test('SARIF stays JSON, and its URIs are URIs', () => {
  const text = renderSarif([hostile.result]);
  const uris = [...text.matchAll(/"uri": "([^"]*)"/g)].map(([, uri]) => uri ?? '');
  assert.ok(uris.length > 0);
  for (const uri of uris) assert.match(uri, /^dns:[A-Za-z0-9%._~!'()*-]+$/);
  assert.doesNotThrow(() => JSON.parse(text) as unknown);
});

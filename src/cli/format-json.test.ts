import assert from 'node:assert/strict';
import test from 'node:test';
import { formatJson } from './format-json.js';

test('a banner with C1 and bidi controls means the same in JSON and steers no terminal', () => {
  const said = { banner: '\x9b2J\x9d0;x\u202e\u{e0041}\u{1bca0} Grüße \x1b[0m' };
  const text = formatJson(said, 2);
  assert.deepEqual(JSON.parse(text), said);
  assert.match(text, /^[\n\x20-\x7eüß]*$/);
});

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { violations, wordRules } from '../tools/words.js';

const judge = (file: string, text: string): readonly string[] =>
  violations(new Map([[file, text]]), wordRules).map(({ line, rule }) => `${line} ${rule}`);

/** One planted violation for each rule, with the line of the violation. */
const planted: Readonly<Record<string, readonly [file: string, text: string, line: number]>> = {
  opening: ['src/a.ts', '/** What a visit came to. */\nexport const a = 1;', 1],
  'docstring-verb': [
    'src/a.ts',
    '/** The rows. */\nconst rows = 1;\n/** The first row. */\nexport function first() {}',
    3,
  ],
  'indefinite-person': ['src/a.ts', "export const a = 1;\nexport const b = 'Nobody answers';", 2],
  'who-clause': ['docs/a.md', '# Title\n\nIt is so. Who breaks off comes again.', 3],
  'is-none': ['src/a.ts', '// first\n// Events that were none.\nexport const a = 1;', 2],
  'is-no': ['src/a.ts', '// A fetch is no session.\nexport const a = 1;', 1],
  mend: ['src/a.ts', 'export const a = (n: number): string => `${n}\nmended lines`;', 2],
  told: ['docs/a.md', 'The sender is told.', 1],
  'be-had': ['src/a.test.ts', "test('a key that is to be had', () => undefined);", 1],
  anew: ['src/a.ts', '/**\n * Reads a file.\n * Asks anew.\n */\nexport const a = 1;', 3],
  'in-clear': ['src/a.ts', "export const a = 'mail travels in clear';", 1],
  'hold-mail': ['docs/a.md', 'A stale record holds mail back.', 1],
  believed: ['src/a.ts', '// The AD bit is believed.\nexport const a = 1;', 1],
  idiom: ['docs/a.md', 'The server is left in peace.', 1],
  beside: ['docs/a.md', 'Publish it beside\nthe old record.', 1],
  'on-the-way': ['docs/a.md', 'A device changes it on the way.', 1],
  'long-sentence': [
    'docs/a.md',
    `# Title\n\nA short one, with a [link](docs/b.md). ${'The server\nsends one word '.repeat(5)}.`,
    3,
  ],
  'long-test-name': ['src/a.test.ts', `\ntest('${'a'.repeat(81)}', () => undefined);`, 2],
  metaphor: ['src/a.ts', 'export interface Hands {}', 1],
};

test('every rule finds its planted violation and the line', () => {
  assert.deepEqual(Object.keys(planted).sort(), [...new Set(wordRules.map((r) => r.name))].sort());
  for (const [rule, [file, text, line]] of Object.entries(planted))
    assert.deepEqual(judge(file, text), [`${line} ${rule}`], rule);
});

test('code, inputs of tests and code blocks are not prose', () => {
  const code = 'export const told = (is: number): number => is; // returns `is`';
  assert.deepEqual(judge('src/a.ts', code), []);
  assert.deepEqual(judge('src/a.test.ts', "const input = 'nobody is told';"), []);
  assert.deepEqual(judge('docs/a.md', '```\nnobody is told\n```\n`anew`'), []);
});

test('a brace inside a template does not hide later comments', () => {
  const text = 'const a = `${{ b: `${1}` }.b} // is told`;\n// Nobody.\n';
  assert.deepEqual([...judge('src/a.ts', text)].sort(), ['1 told', '2 indefinite-person']);
});

test('an exception excuses one rule in one file or folder', () => {
  const files = new Map([['src/a/b.ts', '// Nobody is told.']]);
  const left = (file: string): readonly string[] =>
    violations(files, wordRules, [{ file, rule: 'told', reason: 'a quotation' }]).map(
      ({ rule }) => rule,
    );
  assert.deepEqual(left('src/a/'), ['indefinite-person']);
  assert.deepEqual(left('src/c.ts'), ['indefinite-person', 'told']);
});

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import ts from 'typescript';
import { catalogue } from '../check/index.js';
import { allFailures, failureCodes } from '../catalogue/index.js';
import { runCli } from '../../test/support/run-cli.js';

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing/.test(name))
  .map((name) => {
    const text = readFileSync(join('src', name), 'utf8');
    return ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
  });

/** Returns the error codes that the source contains as literals, each with its file. */
function literalCodes(): ReadonlyMap<string, string> {
  const codes = new Map<string, string>();
  for (const source of sources) {
    const visit = (node: ts.Node): void => {
      for (const code of codesOf(node)) codes.set(code, source.fileName);
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return codes;
}

function codesOf(node: ts.Node): readonly string[] {
  if (ts.isNewExpression(node) && node.expression.getText() === 'HermeticError') {
    const [code] = node.arguments ?? [];
    return code && ts.isStringLiteral(code) ? [code.text] : [];
  }
  // Finds `(some-code)` at the end of a printed line, except a column of an SQL
  // statement.
  if (ts.isStringLiteralLike(node) || ts.isTemplateTail(node) || ts.isTemplateHead(node))
    return [
      ...node.text.matchAll(/(?<!(?:CONFLICT|USING|AS \w+) )\(([a-z]+(?:-[a-z]+)*)\)\n/g),
    ].map(([, code = '']) => code);
  // The code of a JSON file that does not match its schema.
  if (ts.isPropertyAssignment(node) && node.name.getText() === 'code')
    return ts.isStringLiteral(node.initializer) && /-invalid$/.test(node.initializer.text)
      ? [node.initializer.text]
      : [];
  return [];
}

test('every code that the program prints is in a catalogue', () => {
  const known = new Set<string>([...failureCodes, ...Object.keys(catalogue)]);
  const codes = literalCodes();
  for (const expected of ['usage', 'interrupted', 'diff-profiles', 'evidence-invalid'])
    assert.ok(codes.has(expected), expected);
  assert.deepEqual(
    [...codes].filter(([code]) => !known.has(code)),
    [],
  );
});

test('explain knows every failure catalogue', () => {
  const declared = sources.flatMap((source) =>
    [...source.text.matchAll(/^export const (\w+)\b[^;]*?= defineFailures\b/gm)].map(
      ([, name]) => name,
    ),
  );
  assert.equal(allFailures.length, declared.length, declared.join(' '));
});

test('every code has one meaning', () => {
  assert.deepEqual(
    failureCodes.filter((code, i) => failureCodes.indexOf(code) !== i),
    [],
  );
});

test('explain knows the codes of the command line and the daemon', async () => {
  for (const code of ['listen-failed', 'config-invalid', 'file-unwritable', 'usage', 'interrupted'])
    assert.match((await runCli(['explain', code])).out, new RegExp(`\\(${code}\\)[^]*To do: `));
});

test('every explanation fits a narrow terminal', async () => {
  for (const code of [...failureCodes, ...Object.keys(catalogue)]) {
    const { code: status, out } = await runCli(['explain', code], 60);
    assert.equal(status, 0, code);
    for (const line of out.split('\n')) assert.ok(line.length <= 60, `${code}: ${line}`);
  }
});

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/**
 * Measures the structure of the sources (`src` without tests): density, names, comments,
 * sizes and import cycles. Prints each figure with its limit, and fails if a figure
 * exceeds the limit.
 */

const files = new Map<string, string>(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|(^|\/)testing/.test(name))
    .sort()
    .map((name) => [join('src', name), readFileSync(join('src', name), 'utf8')]),
);

let [ternaries, nested, spreads, parameters] = [0, 0, 0, 0];
let [identifiers, identifierLetters, commentLetters, letters] = [0, 0, 0, 0];
const lines: number[] = [];
const exported = new Set<string>();
const imports = new Map<string, Set<string>>();

for (const [file, text] of files) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  letters += text.length;
  lines.push(...text.split('\n').map((line) => line.length));
  const targets = new Set<string>();
  imports.set(file, targets);
  const visit = (node: ts.Node): void => {
    if (ts.isConditionalExpression(node)) {
      ternaries++;
      if (isInsideTernary(node)) nested++;
    }
    if (ts.isSpreadAssignment(node) && isConditional(node.expression)) spreads++;
    if (ts.isFunctionLike(node) && node.parameters.length > 4) parameters++;
    if (ts.isIdentifier(node)) {
      identifiers++;
      identifierLetters += node.text.length;
    }
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier) &&
      node.moduleSpecifier.text.startsWith('.')
    )
      targets.add(join(dirname(file), node.moduleSpecifier.text).replace(/\.js$/, '.ts'));
    if (ts.isExportSpecifier(node) && isPublic(file)) exported.add(`${file} ${node.name.text}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  commentLetters += lettersOfComments(text);
}

function isInsideTernary(node: ts.Node): boolean {
  for (let up = node.parent; !ts.isStatement(up) && !ts.isFunctionLike(up); up = up.parent)
    if (ts.isConditionalExpression(up)) return true;
  return false;
}

function isConditional(node: ts.Expression): boolean {
  let inner = node;
  while (ts.isParenthesizedExpression(inner)) inner = inner.expression;
  return (
    ts.isConditionalExpression(inner) ||
    (ts.isBinaryExpression(inner) &&
      inner.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken)
  );
}

function lettersOfComments(text: string): number {
  const source = ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true);
  const seen = new Map<number, number>();
  const visit = (node: ts.Node): void => {
    for (const range of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [])
      seen.set(range.pos, range.end - range.pos);
    for (const range of ts.getTrailingCommentRanges(text, node.getEnd()) ?? [])
      seen.set(range.pos, range.end - range.pos);
    node.getChildren(source).forEach(visit);
  };
  visit(source);
  return [...seen.values()].reduce((sum, length) => sum + length, 0);
}

/** Files that package.json exports. */
function isPublic(file: string): boolean {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Readonly<Record<string, { readonly types?: string } | string>>;
  };
  return Object.values(exports).some(
    (one) => typeof one !== 'string' && one.types === `./dist/${file.replace(/\.ts$/, '.d.ts')}`,
  );
}

/** Returns the strongly connected components of more than one node (Tarjan). */
function circles(graph: ReadonlyMap<string, ReadonlySet<string>>): number {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  let found = 0;
  const walk = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) ?? 0);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) walk(next);
      if (stack.includes(next))
        low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? Infinity));
    }
    if (low.get(node) !== index.get(node)) return;
    const members = stack.splice(stack.indexOf(node));
    if (members.length > 1) found++;
  };
  for (const node of graph.keys()) if (!index.has(node)) walk(node);
  return found;
}

const folders = new Map<string, Set<string>>();
for (const [file, targets] of imports) {
  const from = dirname(file);
  const set = folders.get(from) ?? new Set<string>();
  folders.set(from, set);
  // A part's index.ts re-exports its folders, which does not count as a dependency.
  if (file.endsWith('/index.ts')) continue;
  for (const to of targets) {
    const folder = dirname(to);
    if (folder !== from && to.split('/')[1] === file.split('/')[1]) set.add(folder);
  }
}

const sizes = [...files].map(([file, text]) => [file, text.split('\n').length] as const);
const [largest = '', most = 0] = [...sizes].sort((a, b) => b[1] - a[1])[0] ?? [];
const sorted = [...lines].sort((a, b) => a - b);
const kilolines = lines.length / 1000;

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly limit: readonly ['<' | '<=' | '>=', number];
  readonly detail?: string;
}

const figures: readonly Figure[] = [
  { name: 'nested ternaries', value: nested, limit: ['<=', 0] },
  { name: 'ternaries per 1,000 lines', value: ternaries / kilolines, limit: ['<', 20] },
  { name: 'conditional spreads', value: spreads, limit: ['<', 20] },
  { name: 'functions of more than four parameters', value: parameters, limit: ['<=', 0] },
  {
    name: 'average identifier length',
    value: identifierLetters / identifiers,
    limit: ['>=', 7],
  },
  {
    name: 'line length, 95th percentile',
    value: sorted[Math.floor(sorted.length * 0.95)] ?? 0,
    limit: ['<=', 100],
  },
  {
    name: 'comments, percent of characters',
    value: (100 * commentLetters) / letters,
    limit: ['>=', 20],
  },
  { name: 'largest file, lines', value: most, limit: ['<=', 450], detail: largest },
  { name: 'file circles', value: circles(imports), limit: ['<=', 0] },
  { name: 'folder circles', value: circles(folders), limit: ['<=', 0] },
  { name: 'exported names', value: exported.size, limit: ['<=', 200] },
];

const holds = ({ value, limit: [sign, limit] }: Figure): boolean => {
  if (sign === '<') return value < limit;
  return sign === '<=' ? value <= limit : value >= limit;
};

console.log(`${files.size} files, ${lines.length} lines`);
for (const figure of figures) {
  const { name, value, limit, detail } = figure;
  const number = Number.isInteger(value) ? String(value) : value.toFixed(1);
  console.log(
    `${holds(figure) ? 'ok    ' : 'NOT OK'} ${name.padEnd(40)} ${number.padStart(7)}` +
      `  ${limit.join(' ')}${detail === undefined ? '' : `  ${detail}`}`,
  );
}
if (!figures.every(holds)) process.exitCode = 1;

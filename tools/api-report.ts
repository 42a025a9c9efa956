/**
 * Prints the public API: every exported name of every subpath with its declaration. The
 * report is a committed file, so a change of the public API shows in the diff.
 */
import { readFileSync } from 'node:fs';
import ts from 'typescript';

type Exports = Readonly<Record<string, string | { readonly types?: string }>>;

/**
 * Returns the API report as Markdown, from the declaration files of the built package.
 */
export function apiReport(): string {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Exports };
  const entries = Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === 'object' && target.types !== undefined
      ? [{ name: subpath.replace('.', 'hermetic'), file: target.types }]
      : [],
  );
  const program = ts.createProgram(
    entries.map(({ file }) => file),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, types: ['node'] },
  );
  const sections = entries.map(({ name, file }) => section(program, name, file));
  const total = sections.reduce((sum, { count }) => sum + count, 0);
  return [
    '# Public API report',
    '',
    'Generated from the declarations by `node dist/tools/generated.js`. A change of this file is a',
    `change of the public API: ${total} exported names in ${sections.length} entry points.`,
    '',
    ...sections.flatMap(({ lines }) => lines),
  ].join('\n');
}

interface Section {
  readonly count: number;
  readonly lines: readonly string[];
}

function section(program: ts.Program, name: string, file: string): Section {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${file} has no exports: build the project first`);
  const symbols = checker
    .getExportsOfModule(module)
    .sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const declarations = symbols.map((symbol) => {
    const target =
      (symbol.flags & ts.SymbolFlags.Alias) === 0 ? symbol : checker.getAliasedSymbol(symbol);
    return (target.declarations ?? []).map(declarationText).join('\n');
  });
  return {
    count: symbols.length,
    lines: [`## ${name}`, '', '```ts', ...declarations, '```', ''],
  };
}

const printer = ts.createPrinter({ removeComments: true });

function declarationText(declaration: ts.Declaration): string {
  const source = declaration.getSourceFile();
  if (ts.isVariableDeclaration(declaration)) return constantText(declaration, source);
  return printer
    .printNode(ts.EmitHint.Unspecified, declaration, source)
    .replace(/^export (declare )?/, '');
}

/**
 * Returns a constant with its type, without type arguments: the compiler infers them, and
 * prints their members in an order that differs between a clean and an incremental build.
 * Compilers also write different quotes around literals.
 */
function constantText({ name, type }: ts.VariableDeclaration, source: ts.SourceFile): string {
  const generic = type && ts.isTypeReferenceNode(type) && type.typeArguments !== undefined;
  const typeText = generic ? `${type.typeName.getText(source)}<…>` : (type?.getText(source) ?? '');
  return `const ${name.getText(source)}: ${typeText.replaceAll("'", '"')};`;
}

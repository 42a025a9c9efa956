import { existsSync, readFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

/**
 * Returns every file that a program can load, from its entry files: static and dynamic
 * imports, `require`, and files that `new URL(…, import.meta.url)` names. Paths are
 * absolute. Needs `node --experimental-import-meta-resolve`.
 */
export function reachableFiles(entries: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const open = entries.map((path) => resolve(path));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    for (const manifest of manifestsOf(file)) found.add(manifest);
    if (/\.[cm]?js$/.test(file)) open.push(...referencesOf(file));
  }
  return found;
}

function referencesOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const beside = [...text.matchAll(/new URL\(\s*'(\.[^']+)',\s*import\.meta\.url/g)]
    .map(([, path = '']) => join(dirname(file), path))
    .filter((path) => extname(path) !== '' && existsSync(path));
  return [
    ...beside,
    ...specifiersOf(text, file).flatMap((name) => resolveReference(name, file) ?? []),
  ];
}

/** Returns the literal module names in imports, exports, `import()` and `require()`. */
function specifiersOf(text: string, file: string): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const named =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : loadedBy(node);
    if (named && ts.isStringLiteralLike(named)) found.push(named.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

function loadedBy(node: ts.Node): ts.Expression | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  const { expression } = node;
  const isLoad =
    expression.kind === ts.SyntaxKind.ImportKeyword ||
    (ts.isIdentifier(expression) && expression.text === 'require');
  return isLoad ? node.arguments[0] : undefined;
}

/**
 * Returns the file of a module; undefined for a module of Node, and for an optional
 * package that is not installed or that only a dependency would use, such as TypeScript,
 * with which cosmiconfig reads configuration.
 */
function resolveReference(name: string, from: string): string | undefined {
  if (isBuiltin(name) || isOptionalOfDependency(name, from)) return undefined;
  try {
    if (!isModule(from)) return createRequire(from).resolve(name);
    const path = fileURLToPath(import.meta.resolve(name, pathToFileURL(from)));
    if (existsSync(path)) return path;
  } catch {
    // Reported below.
  }
  if (name.startsWith('.')) throw new Error(`${from}: ${name} does not exist`);
  return undefined;
}

function isOptionalOfDependency(name: string, from: string): boolean {
  if (!from.includes('/node_modules/')) return false;
  return manifestsOf(from).some((manifest) => {
    const { peerDependenciesMeta = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
    };
    return peerDependenciesMeta[name]?.optional === true;
  });
}

function isModule(file: string): boolean {
  if (extname(file) !== '.js') return extname(file) === '.mjs';
  const [manifest] = manifestsOf(file);
  if (manifest === undefined) return false;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module';
}

/**
 * Returns the package.json files above a file: the nearest decides how Node reads the
 * file, and the package.json of the package decides how Node resolves its name.
 */
function manifestsOf(file: string): readonly string[] {
  const found: string[] = [];
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (basename(folder) === 'node_modules') break;
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) found.push(manifest);
  }
  return found;
}

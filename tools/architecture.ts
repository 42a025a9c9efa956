import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** The rules of the architecture as data: `architecture.json`. */
export interface Rules {
  readonly layers: Readonly<Record<string, number>>;
  /** Permitted imports inside one layer, as `from -> to`. */
  readonly sideways: readonly string[];
  readonly side: {
    readonly part: string;
    readonly sees: number;
    readonly seenBy: readonly string[];
  };
  /**
   * Files that other parts import in addition to an `index.ts`: schemas of configuration
   * sections. The daemon reads a configuration without loading the code of a job it does
   * not run.
   */
  readonly sections: readonly string[];
  /** Parts that import only Node's modules. */
  readonly core: readonly string[];
  /** Files and folders that use no I/O, clock or randomness. */
  readonly pure: readonly string[];
  readonly pureModules: readonly string[];
  readonly rooms: Readonly<Record<'sockets' | 'listeners' | 'privateKeys', readonly string[]>>;
  readonly leastFiles: number;
}

export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule:
    | 'upward'
    | 'sibling'
    | 'deep'
    | 'own-index'
    | 'circle'
    | 'folder-circle'
    | 'side'
    | 'package'
    | 'pure'
    | 'socket'
    | 'listener'
    | 'private-key'
    | 'unit-test'
    | 'too-few';
  readonly says: string;
}

interface Import {
  readonly specifier: string;
  readonly line: number;
  /** The imported names; empty for an import of the whole module. */
  readonly names: readonly string[];
  readonly typeOnly: boolean;
  /** True for `import()`, which loads on demand. */
  readonly lazy: boolean;
}

/**
 * Returns every violation of the rules in a tree of sources, as a map of path (`src/...`)
 * to text. Pure.
 */
export function violations(files: ReadonlyMap<string, string>, rules: Rules): readonly Violation[] {
  const found: Violation[] = [];
  const graph = new Map<string, Edge[]>();
  for (const [file, text] of files) {
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const imports = importsOf(source);
    const add = (rule: Violation['rule'], line: number, says: string): void =>
      void found.push({ file, line, rule, says });
    const edges: Edge[] = [];
    for (const one of imports) {
      if (one.specifier.startsWith('.')) {
        const to = join(dirname(file), one.specifier).replace(/\.js$/, '.ts');
        edges.push({ to, line: one.line, lazy: one.lazy });
        judgeInner(file, to, one, rules, add);
      } else judgeOuter(file, one, rules, add);
    }
    if (!isTest(file)) graph.set(file, edges);
    judgeCode(file, source, imports, rules, add);
  }
  for (const { file, line, path } of circles(graph))
    found.push({ file, line, rule: 'circle', says: path.join(' -> ') });
  for (const { file, line, path } of circles(folderGraph(graph)))
    found.push({ file, line, rule: 'folder-circle', says: path.join(' -> ') });
  if (files.size < rules.leastFiles)
    found.push({
      file: 'src',
      line: 0,
      rule: 'too-few',
      says: `${files.size} files read, at least ${rules.leastFiles} expected`,
    });
  return found;
}

/** An import from one file of the tree to another. */
interface Edge {
  readonly to: string;
  readonly line: number;
  readonly lazy: boolean;
}
type Graph = ReadonlyMap<string, readonly Edge[]>;

type Add = (rule: Violation['rule'], line: number, says: string) => void;

function judgeInner(file: string, to: string, { line }: Import, rules: Rules, add: Add): void {
  const [from, target] = [partOf(file), partOf(to)];
  if (from === undefined || target === undefined) return;
  if (from === target) {
    if (to === `src/${from}/index.ts` && !isTest(file))
      add('own-index', line, `${from} imports its own index.ts`);
    return;
  }
  if (to !== `src/${target}/index.ts` && !rules.sections.includes(to))
    add('deep', line, `${to} is inside ${target}: import its index.ts`);
  if (isTest(file)) return;
  const { part: side, sees, seenBy } = rules.side;
  if (target === side) {
    if (!seenBy.includes(from)) add('side', line, `${from} imports ${side}`);
    return;
  }
  const below = rules.layers[target];
  const own = from === side ? sees : rules.layers[from];
  if (below === undefined || own === undefined)
    return add('upward', line, `${from} -> ${target}: no layer is given for one of them`);
  if (below > own) add('upward', line, `${from} (L${own}) imports ${target} (L${below})`);
  else if (below === own && from !== side && !rules.sideways.includes(`${from} -> ${target}`))
    add('sibling', line, `${from} and ${target} are both L${own}`);
}

const pureNames: Readonly<Record<string, readonly string[]>> = {
  'node:net': ['isIP', 'isIPv4', 'isIPv6'],
};
const harmless: Readonly<Record<string, readonly string[]>> = {
  ...pureNames,
  'node:http': ['request'],
};
const listening: Readonly<Record<string, readonly string[]>> = {
  'node:net': ['createServer'],
  'node:dgram': ['createSocket'],
  'node:http': ['createServer'],
  'node:https': ['createServer'],
  'node:tls': ['createServer'],
};
const socketModules = [
  'node:net',
  'node:dgram',
  'node:dns',
  'node:dns/promises',
  'node:http',
  'node:https',
  'node:http2',
];
const keyMakers = [
  'generateKeyPair',
  'generateKeyPairSync',
  'createPrivateKey',
  'generateKey',
  'generateKeySync',
];
const chance = [
  'randomBytes',
  'randomInt',
  'randomUUID',
  'randomFill',
  'randomFillSync',
  'getRandomValues',
  'webcrypto',
];

function judgeOuter(
  file: string,
  { specifier, names, line, typeOnly }: Import,
  rules: Rules,
  add: Add,
): void {
  if (file.endsWith('.test.ts') && specifier === 'node:child_process')
    add('unit-test', line, 'a test that starts processes belongs into test/scenarios');
  if (isTest(file)) return;
  const part = partOf(file) ?? '';
  if (!specifier.startsWith('node:')) {
    if (rules.core.includes(part))
      add('package', line, `${part} imports ${specifier}; the protocol core uses Node alone`);
    if (isPure(file, rules) && !rules.pureModules.includes(specifier))
      add('pure', line, `imports ${specifier}`);
    return;
  }
  if (typeOnly) return;
  const makers = listening[specifier] ?? [];
  const opens = names.length === 0 ? [specifier] : names.filter((n) => makers.includes(n));
  if (
    makers.length > 0 &&
    names.some((n) => makers.includes(n)) &&
    !inRoom(file, rules.rooms.listeners) &&
    !inRoom(file, rules.rooms.sockets)
  )
    add('listener', line, `${opens.join(', ')} of ${specifier}`);
  if (socketModules.includes(specifier) && !inRoom(file, rules.rooms.sockets)) {
    const allowed = [...(harmless[specifier] ?? []), ...makers];
    const other = names.length === 0 ? ['everything'] : names.filter((n) => !allowed.includes(n));
    if (other.length > 0) add('socket', line, `${other.join(', ')} of ${specifier}`);
  }
  if (specifier === 'node:crypto' && !inRoom(file, rules.rooms.privateKeys)) {
    const made = names.length === 0 ? ['everything'] : names.filter((n) => keyMakers.includes(n));
    if (made.length > 0) add('private-key', line, `${made.join(', ')} of node:crypto`);
  }
  if (isPure(file, rules)) {
    const tame = names.length > 0 && names.every((n) => pureNames[specifier]?.includes(n));
    if (!tame && !rules.pureModules.includes(specifier)) add('pure', line, `imports ${specifier}`);
    const random = names.filter((n) => chance.includes(n));
    if (random.length > 0) add('pure', line, `${random.join(', ')} of ${specifier}`);
  }
}

const impureCalls = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
const impureObjects = ['process', 'performance'];

function judgeCode(
  file: string,
  source: ts.SourceFile,
  imports: readonly Import[],
  rules: Rules,
  add: Add,
): void {
  if (isTest(file)) return;
  const pure = isPure(file, rules);
  const declared = declarationsOf(source);
  const from = (module: string, name: string): boolean =>
    imports.some((i) => i.specifier === module && i.names.includes(name));
  const visit = (node: ts.Node): void => {
    const line = lineOf(source, node);
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      const callee = node.expression.getText(source);
      const [first] = node.arguments ?? [];
      if ((callee === 'fetch' || callee === 'WebSocket') && !declared.has(callee))
        add('socket', line, `global ${callee}`);
      if (/^(globalThis|window|global)\.(fetch|WebSocket)$/.test(callee))
        add('socket', line, callee);
      if (callee === 'tls.connect' || (callee === 'connect' && from('node:tls', 'connect')))
        if (!hasProperty(first, 'socket'))
          add('socket', line, 'tls.connect without a given socket');
      if (
        (callee === 'request' || callee === 'httpRequest') &&
        imports.some((i) => i.specifier === 'node:http' && i.names.includes('request'))
      )
        if (!hasProperty(first, 'createConnection'))
          add('socket', line, 'http request without createConnection');
      if (/\.listen$/.test(callee) && !inRoom(file, rules.rooms.listeners))
        add('listener', line, callee);
      if (pure && impureCalls.includes(callee)) add('pure', line, callee);
      if (pure && callee === 'Date' && ts.isNewExpression(node) && !first)
        add('pure', line, 'new Date()');
    }
    if (ts.isPropertyAccessExpression(node) && pure) {
      const text = node.getText(source);
      if (text === 'Date.now' || text === 'Math.random') add('pure', line, text);
    }
    if (
      ts.isIdentifier(node) &&
      pure &&
      impureObjects.includes(node.text) &&
      isUse(node) &&
      !declared.has(node.text)
    )
      add('pure', line, node.text);
    if (
      ts.isPropertyAssignment(node) &&
      node.name.getText(source) === 'agent' &&
      node.initializer.kind === ts.SyntaxKind.FalseKeyword
    )
      add('socket', line, 'agent: false opens a socket of its own');
    if (
      ts.isStringLiteralLike(node) &&
      node.text.includes('PRIVATE KEY') &&
      !inRoom(file, rules.rooms.privateKeys)
    )
      add('private-key', line, 'a private key in the text');
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function importsOf(source: ts.SourceFile): readonly Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const add = (
      specifier: ts.Node | undefined,
      names: readonly string[],
      typeOnly: boolean,
      lazy = false,
    ): void => {
      if (specifier && ts.isStringLiteralLike(specifier))
        found.push({
          specifier: specifier.text,
          line: lineOf(source, node),
          names,
          typeOnly,
          lazy,
        });
    };
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const named =
        clause?.namedBindings && ts.isNamedImports(clause.namedBindings)
          ? clause.namedBindings.elements
          : undefined;
      const values = named?.filter((e) => !e.isTypeOnly) ?? [];
      const typeOnly =
        clause?.isTypeOnly === true ||
        (named !== undefined && named.length > 0 && values.length === 0 && !clause?.name);
      add(
        node.moduleSpecifier,
        clause?.name ? [] : values.map((e) => (e.propertyName ?? e.name).text),
        typeOnly,
      );
    } else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, [], node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], [], false, true);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, [], true);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** Names that a file declares or imports, and which therefore are not globals. */
function declarationsOf(source: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (
      (ts.isParameter(node) ||
        ts.isVariableDeclaration(node) ||
        ts.isBindingElement(node) ||
        ts.isFunctionDeclaration(node) ||
        ts.isImportSpecifier(node)) &&
      node.name &&
      ts.isIdentifier(node.name)
    )
      names.add(node.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

/** Returns whether an identifier refers to a value, not to a property or a key. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return (
    !ts.isPropertyAssignment(parent) &&
    !ts.isPropertySignature(parent) &&
    !ts.isMethodDeclaration(parent) &&
    !ts.isMethodSignature(parent)
  );
}

function hasProperty(node: ts.Node | undefined, name: string): boolean {
  return (
    node !== undefined &&
    ts.isObjectLiteralExpression(node) &&
    node.properties.some((p) => p.name?.getText() === name)
  );
}

/** Returns one path for every import cycle, type imports included. */
function circles(graph: Graph): { file: string; line: number; path: string[] }[] {
  const found: { file: string; line: number; path: string[] }[] = [];
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): void => {
    for (const { to, line } of graph.get(file) ?? []) {
      const at = trail.indexOf(to);
      if (at >= 0) found.push({ file, line, path: [...trail.slice(at), to] });
      else if (!done.has(to) && graph.has(to)) walk(to, [...trail, to]);
    }
    done.add(file);
  };
  for (const file of graph.keys()) if (!done.has(file)) walk(file, [file]);
  return found;
}

/**
 * Returns the imports between the folders of a part. An `index.ts` re-exports its folders
 * and a command table loads its commands on demand: neither depends on them.
 */
function folderGraph(graph: Graph): Graph {
  const folders = new Map<string, Edge[]>();
  for (const [file, imports] of graph) {
    if (file.endsWith('/index.ts') || isTest(file)) continue;
    const from = dirname(file);
    const known = folders.get(from) ?? [];
    folders.set(from, known);
    for (const edge of imports) {
      const to = dirname(edge.to);
      const counts = to !== from && !edge.lazy && partOf(edge.to) === partOf(file);
      if (counts && !known.some((one) => one.to === to)) known.push({ ...edge, to });
    }
  }
  return folders;
}

function partOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}

function isTest(file: string): boolean {
  return /\.test\.ts$|\/testing[/-]/.test(file);
}

function isPure(file: string, { pure }: Rules): boolean {
  return pure.some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place));
}

function inRoom(file: string, rooms: readonly string[]): boolean {
  return rooms.some((room) => file.startsWith(room));
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

/** Returns the sources below `src`, and the rules that apply to them. */
export function readTree(root = '.'): {
  readonly files: ReadonlyMap<string, string>;
  readonly rules: Rules;
} {
  const rules = JSON.parse(readFileSync(join(root, 'architecture.json'), 'utf8')) as Rules;
  const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((f) =>
    f.endsWith('.ts'),
  );
  return {
    files: new Map(paths.map((f) => [`src/${f}`, readFileSync(join(root, 'src', f), 'utf8')])),
    rules,
  };
}

if (process.argv[1] === import.meta.filename) {
  const { files, rules } = readTree();
  const found = violations(files, rules);
  for (const { file, line, rule, says } of found) console.error(`${file}:${line} ${rule}: ${says}`);
  console.log(`${files.size} files, ${found.length} breaches of the architecture`);
  if (found.length > 0) process.exitCode = 1;
}

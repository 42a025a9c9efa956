import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/**
 * Keeps comments, documentation, identifiers and messages in the field's language
 * (CONTRIBUTING.md, "Language"). `violations` is pure. The command reads the tree and
 * prints file, line, the words found and the suggestion.
 */

/**
 * The part of a text that a rule applies to. `opening`: the first words of a comment;
 * `docstring`: the comment of a function or method in `src`; `prose`: one line of a page;
 * `sentence`: one whole sentence of a page, with each piece of code as one word.
 */
export type Place =
  | 'opening'
  | 'docstring'
  | 'comment'
  | 'message'
  | 'prose'
  | 'sentence'
  | 'identifier'
  | 'test-name';

export interface WordRule {
  readonly name: string;
  readonly places: readonly Place[];
  readonly pattern: RegExp;
  readonly suggest: string;
}

export interface WordViolation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly words: string;
  readonly suggest: string;
}

/**
 * One place where a rule does not apply. `file` is a path or a folder that ends in `/`.
 */
export interface WordException {
  readonly file: string;
  readonly rule: string;
  readonly reason: string;
}

const text: readonly Place[] = ['comment', 'message', 'prose', 'test-name'];

/** First words of docstrings that end like a verb in the third person. */
const plurals =
  'Milliseconds Microseconds Seconds Days Octets Bits Facts Findings Keys Sessions Suites ' +
  'Faults Lines Reporters Rules Addresses Policies Files Alarms Rows Certificates Cases ' +
  'Options Results Numbers Hosts Parameters Servers Entries Domains Verdicts ' +
  'Comments Arguments Bundles Signatures Connections Times Versions Dates Upstreams Labels ' +
  'Signers Terms Classes Time-outs Abilities Networks Lookups Directives Conditions ' +
  'Handshakes Descriptors Inodes Transactions Senders Departures Deliveries Schemes ' +
  'Warnings Protections Events Paths Pages Resellers Observations Commands Sentences ' +
  'Address This Does Less Yes Anonymous';

/** A docstring whose first word is not a verb in the third person. */
const docstring = new RegExp(`^(?![A-Z][a-z-]+s\\b|@)\\S+|^(${plurals.replaceAll(' ', '|')})\\b`);

/** The words and openings that are not used, with their replacements. */
export const wordRules: readonly WordRule[] = [
  {
    name: 'opening',
    places: ['opening'],
    pattern: /^(What|Who|Whoever|Whatever|Whose|Which|How|That|Everything)\b/,
    suggest: 'start with a verb in the third person, or with the noun that is defined',
  },
  {
    name: 'docstring-verb',
    places: ['docstring'],
    pattern: docstring,
    suggest: 'start the comment of a function with a verb in the third person: "Returns ..."',
  },
  {
    name: 'indefinite-person',
    places: text,
    pattern: /\b(whoever|whatever|whose ?ever|somebody|nobody|anybody|everybody)\b/i,
    suggest: 'name the agent: the sender, the on-path attacker, the operator, no client',
  },
  {
    name: 'who-clause',
    places: text,
    pattern: /(^|[.;:] +)Who [a-z]+s\b(?![^.]*\?)/,
    suggest: 'name the agent: a client that ..., the operator ...',
  },
  {
    name: 'is-none',
    places: text,
    pattern: /\b(is|are|was|were) none\b|\bnone is\b/i,
    suggest: '"is not a ...", "is invalid", "there is no ..."',
  },
  {
    name: 'is-no',
    places: text,
    pattern:
      /(?<!\bthere\s)(?<=\S\s)(is|are|was|were) no (?!(longer|more|less|greater|later|earlier|better|worse|other|newer|older|one)\b)[a-z]/i,
    suggest: '"is not a ...", "is invalid"',
  },
  {
    name: 'mend',
    places: text,
    pattern: /\bmend(s|ed|ing)?\b/i,
    suggest: 'fix; fault, problem',
  },
  {
    name: 'told',
    places: text,
    pattern: /\b(is|are|was|were|be|been|being|gets?) told\b|\btells? of\b/i,
    suggest: 'reported, logged, shown',
  },
  {
    name: 'be-had',
    places: text,
    pattern: /\b(be|is|are|was|were) had\b|\bto be had\b/i,
    suggest: 'obtained, available',
  },
  {
    name: 'anew',
    places: text,
    pattern:
      /\banew\b|\bonce more\b|\bonce and for all\b|\bin the place of\b|\bwithout the network\b/i,
    suggest: 'again; instead of; offline',
  },
  {
    name: 'in-clear',
    places: text,
    pattern: /\bin (the )?clear\b|\bclear text\b/i,
    suggest: 'in plaintext',
  },
  {
    name: 'hold-mail',
    places: text,
    pattern: /\b(holds?|held|hold) (the )?mail (back|up)\b|\bheld back\b/i,
    suggest: 'defers mail, is deferred',
  },
  {
    name: 'believed',
    places: text,
    pattern: /\bwhose word\b|\bbelieved\b/i,
    suggest: 'trusted',
  },
  {
    name: 'idiom',
    places: text,
    pattern:
      /\b(quiet machine|of the house|doorkeeper|the one door|by hand and|left in peace|in peace|lets? go of|on the way there|shall not|takes? up again|as the standard demands|the other way round|counted and dropped)\b/i,
    suggest: 'use the plain term',
  },
  {
    name: 'beside',
    places: ['prose'],
    pattern: /\bbeside\b|\bin place of\b|\bprocessor time\b|\bfrom start to end\b/i,
    suggest: 'in addition to, next to; instead of; CPU time; wall-clock time',
  },
  {
    name: 'on-the-way',
    places: ['prose'],
    pattern: /\bon the way\b|\b(somebody|someone|anyone) on the path\b|\bfalse cert\b/i,
    suggest: 'on-path attacker; between sender and receiver; fake certificate',
  },
  {
    name: 'long-sentence',
    places: ['sentence'],
    pattern: /^(?:\S+\s+){20}\S+/,
    suggest: 'one idea in a sentence, in at most 20 words',
  },
  {
    name: 'long-test-name',
    places: ['test-name'],
    pattern: /^.{81,}/s,
    suggest: 'a short fact, in at most 80 characters',
  },
  {
    name: 'metaphor',
    places: ['identifier'],
    pattern:
      /^(Hands|Eyes|House|OpenHouse|Manners|Purse|Errand|Raised|Raising|Scene|Battlefield|Habit|Life|Mortal|Heard|heard|Proven|Certifier|AcmeBook|ChallengeAnswers|SharedWork|Tried|Trouble|Whose|Fate|Wish|[A-Z][A-Za-z]*Wish|carryOut|untilDeath|dieEverywhere|onThePath|doorkeeper|PEACE|askEveryone|shownTexts|shownAlias|bearsOn)$/,
    suggest: 'use the role name of the trade: Executor, Observer, JobContext, ConnectionLimiter',
  },
];

/** Returns every use of a banned word in a tree, which maps paths to texts. Pure. */
export function violations(
  files: ReadonlyMap<string, string>,
  rules: readonly WordRule[],
  exceptions: readonly WordException[] = [],
): readonly WordViolation[] {
  const found: WordViolation[] = [];
  for (const [file, content] of files) {
    const applies = rules.filter(
      ({ name }) => !exceptions.some((e) => e.rule === name && covers(e.file, file)),
    );
    const pieces = file.endsWith('.ts') ? piecesOfCode(file, content) : piecesOfPage(content);
    for (const { place, line, text: words } of pieces)
      for (const rule of applies) {
        if (!rule.places.includes(place)) continue;
        const match = rule.pattern.exec(words);
        if (match)
          found.push({
            file,
            line: line + linesBefore(words, match.index),
            rule: rule.name,
            words: match[0].trim().replace(/\s+/g, ' '),
            suggest: rule.suggest,
          });
      }
  }
  return found;
}

interface Piece {
  readonly place: Place;
  /** 1-based line of the first character. */
  readonly line: number;
  readonly text: string;
}

const covers = (path: string, file: string): boolean =>
  path.endsWith('/') ? file.startsWith(path) : file === path;

const linesBefore = (words: string, index: number): number =>
  words.slice(0, index).split('\n').length - 1;

function piecesOfCode(file: string, content: string): readonly Piece[] {
  const source = ts.createSourceFile(file, content, ts.ScriptTarget.Latest, true);
  const lineAt = (position: number): number =>
    source.getLineAndCharacterOfPosition(position).line + 1;
  const pieces: Piece[] = [...commentsOf(content, lineAt)];
  const isTest = /\.test\.ts$|^test\//.test(file);
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && isDeclaration(node))
      pieces.push({ place: 'identifier', line: lineAt(node.getStart()), text: node.text });
    if (isText(node)) {
      const place = isTest ? placeInTest(node) : 'message';
      if (place !== undefined)
        pieces.push({ place, line: lineAt(node.getStart()), text: node.text });
    }
    if (isFunction(node) && !isTest && file.startsWith('src/'))
      for (const comment of ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)) {
        const words = ts.getTextOfJSDocComment(comment.comment) ?? '';
        pieces.push({ place: 'docstring', line: lineAt(comment.getStart()), text: words });
      }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return pieces;
}

const isFunction = (node: ts.Node): boolean =>
  ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isMethodSignature(node);

type TextNode = ts.StringLiteralLike | ts.TemplateHead | ts.TemplateMiddle | ts.TemplateTail;
const isText = (node: ts.Node): node is TextNode =>
  ts.isStringLiteralLike(node) ||
  ts.isTemplateHead(node) ||
  ts.isTemplateMiddleOrTemplateTail(node);

/**
 * Returns the place of a string in a test file: the rules apply only to the names of
 * tests, because the other strings are inputs.
 */
function placeInTest(node: TextNode): Place | undefined {
  const call = node.parent;
  const named = ts.isCallExpression(call) && call.arguments[0] === node;
  return named && /^(test|describe|it|suite)$/.test(call.expression.getText())
    ? 'test-name'
    : undefined;
}

const isDeclaration = ({ parent }: ts.Identifier): boolean =>
  ts.isFunctionDeclaration(parent) ||
  ts.isClassDeclaration(parent) ||
  ts.isInterfaceDeclaration(parent) ||
  ts.isTypeAliasDeclaration(parent) ||
  ts.isVariableDeclaration(parent) ||
  ts.isMethodDeclaration(parent);

/**
 * Returns the comments with their markers removed; adjacent line comments are one piece.
 */
function* commentsOf(content: string, lineAt: (position: number) => number): Iterable<Piece> {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, undefined, content);
  let run: { end: number; line: number; text: string } | undefined;
  const braces: number[] = [];
  for (let token = scanner.scan(); token !== ts.SyntaxKind.EndOfFileToken; token = scanner.scan()) {
    // A template continues at its closing brace, which the scanner cannot detect by
    // itself.
    if (token === ts.SyntaxKind.TemplateHead) braces.push(0);
    else if (token === ts.SyntaxKind.OpenBraceToken && braces.length > 0)
      braces.push((braces.pop() ?? 0) + 1);
    else if (token === ts.SyntaxKind.CloseBraceToken && braces.length > 0) {
      const depth = braces.pop() ?? 0;
      if (depth > 0) braces.push(depth - 1);
      else if (scanner.reScanTemplateToken(false) === ts.SyntaxKind.TemplateMiddle) braces.push(0);
    }
    const at = scanner.getTokenStart();
    if (token === ts.SyntaxKind.SingleLineCommentTrivia) {
      const words = scanner.getTokenText().replace(/^\/\/+ ?/, '');
      if (run && content.slice(run.end, at).trim() === '')
        run = { ...run, end: scanner.getTokenEnd(), text: `${run.text}\n${words}` };
      else {
        if (run) yield* pieceOf(run);
        run = { end: scanner.getTokenEnd(), line: lineAt(at), text: words };
      }
    } else if (token === ts.SyntaxKind.MultiLineCommentTrivia)
      yield* pieceOf({
        line: lineAt(at),
        text: scanner
          .getTokenText()
          .replace(/^\/\*+ ?|\*\/$/g, '')
          .replace(/^[ \t]*\* ?/gm, ''),
      });
  }
  if (run) yield* pieceOf(run);
}

function* pieceOf({ line, text: words }: { line: number; text: string }): Iterable<Piece> {
  yield { place: 'comment', line, text: words };
  yield { place: 'opening', line, text: words.trimStart() };
}

/** Returns the lines and the sentences of Markdown, without its code. */
function piecesOfPage(content: string): readonly Piece[] {
  const fill = (letter: string) => (code: string) => code.replace(/[^\n]/g, letter);
  const text = content.replace(/^```[^]*?^```|<!--[^]*?-->/gm, fill(' '));
  const lines = text.replace(/`[^`\n]*`/g, fill(' ')).split('\n');
  return [
    ...lines.map((line, index) => ({ place: 'prose' as const, line: index + 1, text: line })),
    ...sentencesOf(text.replace(/`[^`\n]*`/g, fill('X')).replace(/\]\([^)\s]*\)/g, ']')),
  ];
}

const endOfSentence = /(?<=[.!?][)"*_\]]*)\s+(?=["*_([]*[A-Z0-9])/;

/**
 * Returns the sentences of paragraphs, list items and table cells. Headings are not
 * included.
 */
function* sentencesOf(text: string): Iterable<Piece> {
  let block: { line: number; text: string } | undefined;
  const sentences = function* (at: { line: number; text: string } | undefined): Iterable<Piece> {
    let line = at?.line ?? 0;
    for (const part of at?.text.split(new RegExp(`(${endOfSentence.source})`)) ?? []) {
      if (part.trim() !== '') yield { place: 'sentence', line, text: part };
      line += part.split('\n').length - 1;
    }
  };
  for (const [index, row] of text.split('\n').entries()) {
    const line = index + 1;
    const item = /^\s*(?:[-*+]|\d+\.)\s+/.exec(row)?.[0];
    const apart = row.trim() === '' || /^(#|\|)/.test(row);
    if (apart || item !== undefined) {
      yield* sentences(block);
      block = undefined;
    }
    if (row.startsWith('|'))
      for (const cell of row.split(/(?<!\\)\|/)) yield* sentences({ line, text: cell.trim() });
    else if (!apart)
      block = {
        line: block?.line ?? line,
        text: `${block ? `${block.text}\n` : ''}${row.slice(item?.length ?? 0).trim()}`,
      };
  }
  yield* sentences(block);
}

/** Reads the files that the rules cover: sources, tests, tools and the documentation. */
function read(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const folder of ['src', 'test', 'tools', 'docs', 'examples', 'bench', 'fuzz'])
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      if (/\.(ts|md)$/.test(name) && !/(^|\/)vectors\//.test(name)) {
        const file = join(folder, name);
        files.set(file, readFileSync(file, 'utf8'));
      }
  for (const file of readdirSync('.').filter((name) => name.endsWith('.md')))
    files.set(file, readFileSync(file, 'utf8'));
  return files;
}

if (process.argv[1] === import.meta.filename) {
  const files = read();
  const exceptions = JSON.parse(readFileSync('words.json', 'utf8')) as readonly WordException[];
  const found = violations(files, wordRules, exceptions);
  for (const { file, line, rule, words, suggest } of found)
    console.log(`${file}:${line}: "${words}" (${rule}): ${suggest}`);
  console.log(`${files.size} files, ${found.length} violations of the language rules`);
  if (found.length > 0 || files.size < 500) process.exitCode = 1;
}

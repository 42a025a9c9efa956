import { enclosed, splitOutsideBraces } from './braces.js';
import { logicalLines } from './parse-parameters.js';

/** A `type:name` of a Postfix table list. */
export interface TableName {
  /** Lower-case type without `proxy:`. */
  readonly type: string;
  readonly name: string;
  /** The text in the configuration. */
  readonly written: string;
}

/** The text of a table, or the reason why it cannot be read. */
export type TableText =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Returns the text of a table that is a file; called for the types of {@link fileTypes}. */
export type ReadTable = (table: TableName) => TableText;

/**
 * The answer to one key. `unknown`: the table cannot be read here. `error`: the lookup
 * fails.
 */
export type Lookup =
  | { readonly kind: 'found'; readonly key: string; readonly value: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'error'; readonly reason: string };

/** A table that answers lookups. */
export interface LookupTable {
  readonly table: TableName;
  lookup(key: string): Lookup;
  /** The keys that the table lists, if it lists them. */
  readonly keys: readonly string[];
  /**
   * The keys of the table are patterns: Postfix matches whole addresses and not their
   * parts.
   */
  readonly isPattern?: true;
}

/** Indexed tables: their source is a text file of the same name (postmap(1)). */
const indexedTypes = ['hash', 'btree', 'lmdb', 'cdb', 'dbm', 'sdbm'];
/** Types whose text is a file of `key value` lines, or of patterns. */
export const fileTypes: readonly string[] = [...indexedTypes, 'texthash', 'regexp', 'pcre'];

/** Maximum number of tables in one list; Postfix itself has no limit. */
const MAX_TABLES = 50;

/** Parses a list of tables, separated by commas or white space outside braces. */
export function parseTableList(value: string): readonly TableName[] {
  return splitOutsideBraces(value).slice(0, MAX_TABLES).map(parseTableName);
}

function parseTableName(written: string): TableName {
  const plain = written.replace(/^proxy:/i, '');
  const colon = plain.indexOf(':');
  if (colon < 0) return { type: '', name: plain, written };
  return { type: plain.slice(0, colon).toLowerCase(), name: plain.slice(colon + 1), written };
}

/** Opens a table of which the text is known, or a table that only its server can answer. */
export function openTable(table: TableName, readTable: ReadTable): LookupTable {
  const { type, name, written } = table;
  switch (type) {
    case 'static':
      return { table, keys: [], lookup: (key) => ({ kind: 'found', key, value: unbrace(name) }) };
    case 'inline':
      return inlineTable(table);
    case 'fail':
      return { table, keys: [], lookup: () => ({ kind: 'error', reason: `${written} fails` }) };
  }
  if (!fileTypes.includes(type))
    return closedTable(table, `only a running Postfix can read ${written}`);
  const content = readTable(table);
  if (!content.ok) return closedTable(table, `${written}: ${content.reason}`);
  if (type === 'regexp' || type === 'pcre') return patternTable(table, content.text);
  const { entries, repeated } = parseEntries(content.text);
  // postmap(1) warns of a repeated key; a daemon that reads the text refuses the table.
  if (type === 'texthash' && repeated !== undefined)
    return closedTable(table, `${written} lists ${repeated} twice`);
  return listTable(table, entries);
}

function closedTable(table: TableName, reason: string): LookupTable {
  return { table, keys: [], lookup: () => ({ kind: 'unknown', reason }) };
}

/**
 * Returns a table whose keys match without regard to letter case (`DICT_FLAG_FOLD_FIX`).
 */
function listTable(table: TableName, entries: ReadonlyMap<string, string>): LookupTable {
  return {
    table,
    keys: [...entries.keys()],
    lookup: (key) => {
      const value = entries.get(key.toLowerCase());
      return value === undefined ? { kind: 'missing' } : { kind: 'found', key, value };
    },
  };
}

/** Parses the source of an indexed table: the first entry of a key applies. */
function parseEntries(text: string): {
  readonly entries: ReadonlyMap<string, string>;
  readonly repeated: string | undefined;
} {
  const entries = new Map<string, string>();
  let repeated: string | undefined;
  for (const line of logicalLines(text)) {
    const [, key = '', value = ''] = /^(\S+)\s+(.*)$/s.exec(line) ?? [];
    const lower = key.toLowerCase();
    if (value === '') continue;
    if (entries.has(lower)) repeated ??= lower;
    else entries.set(lower, value.trim());
  }
  return { entries, repeated };
}

/** Opens a table `inline:{key=value, {key = value with spaces}}` (DATABASE_README). */
function inlineTable(table: TableName): LookupTable {
  const body = enclosed(table.name.trim());
  if (body === undefined) return closedTable(table, `${table.written} has no closing brace`);
  const entries = new Map<string, string>();
  for (const word of splitOutsideBraces(body)) {
    const pair = unbrace(word);
    const equals = pair.indexOf('=');
    if (equals < 1) return closedTable(table, `${table.written}: ${pair} is not key=value`);
    const key = pair.slice(0, equals).trim().toLowerCase();
    if (entries.has(key)) return closedTable(table, `${table.written} lists ${key} twice`);
    entries.set(key, pair.slice(equals + 1).trim());
  }
  return listTable(table, entries);
}

function unbrace(text: string): string {
  const trimmed = text.trim();
  return (trimmed.startsWith('{') ? enclosed(trimmed) : undefined)?.trim() ?? trimmed;
}

/**
 * Maximum patterns of a table that are evaluated; further patterns leave the answer
 * unknown.
 */
const MAX_PATTERNS = 2000;

/**
 * Returns a table of patterns. Only patterns of literal text, `.`, `.*` and anchors are
 * evaluated: the library of Postfix may interpret other patterns differently, and a match
 * could take exponential time here. After such a line the answer is unknown.
 */
function patternTable(table: TableName, text: string): LookupTable {
  const patterns: Pattern[] = [];
  let end: Lookup = { kind: 'missing' };
  for (const line of logicalLines(text)) {
    const pattern = patterns.length < MAX_PATTERNS ? parsePattern(line) : undefined;
    if (pattern === undefined) {
      const reason = `the prediction does not evaluate the pattern ${line.slice(0, 60)} of ${table.written}`;
      end = { kind: 'unknown', reason };
      break;
    }
    patterns.push(pattern);
  }
  return {
    table,
    keys: [],
    isPattern: true,
    lookup: (key) => {
      const first = patterns.find(({ matches, negated }) => matches.test(key) !== negated);
      return first === undefined ? end : { kind: 'found', key, value: first.value };
    },
  };
}

interface Pattern {
  readonly matches: RegExp;
  readonly negated: boolean;
  readonly value: string;
}

/**
 * Maximum number of `.*` and `.+` in one pattern: each multiplies the time of a match.
 */
const MAX_REPEATS = 3;

function parsePattern(line: string): Pattern | undefined {
  const [, not, body = '', flags = '', value = ''] =
    /^(!?)\/((?:[^/\\]|\\.)*)\/([a-z]*)\s+(.*)$/s.exec(line) ?? [];
  if (not === undefined || value.includes('$')) return undefined;
  if (!/^\^?(?:[A-Za-z0-9_@=-]|\\[.@/-]|\.[*+]?)*\$?$/.test(body)) return undefined;
  if ((body.match(/[*+]/g) ?? []).length > MAX_REPEATS) return undefined;
  // Without flags Postfix ignores letter case; the flag i makes it significant.
  if (flags !== '' && flags !== 'i') return undefined;
  return {
    matches: new RegExp(body.replaceAll('\\@', '@'), flags === 'i' ? '' : 'i'),
    negated: not === '!',
    value: value.trim(),
  };
}

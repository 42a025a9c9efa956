import { concat, fail, fromHex, Name, ok, toHex, type Result } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { wireFailures } from './failures.js';
import { dotted, fieldFormats, parseName, type Token, type Tokens } from './field-formats.js';
import { RRClass, typeName, typeNumber } from './types-registry.js';
import { MalformedDns, WireReader } from './wire-reader.js';

/** The context in which the text of a record is read. */
export interface TextOptions {
  /** The origin of relative names. Default: the root. */
  readonly origin?: Name;
  /** The TTL of records without a TTL field. Default 3600. */
  readonly defaultTtl?: number;
}

/**
 * Reads one record in presentation form: `name [ttl] [class] type data` (RFC 1035 §5.1,
 * RFC 3597 §5).
 */
export function parseRecord(sourceText: string, options: TextOptions = {}): Result<ResourceRecord> {
  const records = parseZone(sourceText, options);
  if (!records.ok) return records;
  const [resourceRecord, ...more] = records.value;
  if (resourceRecord && more.length === 0) return ok(resourceRecord);
  return fail(
    wireFailures.make(
      'dns-text-malformed',
      `${records.value.length} records where one was expected`,
    ),
  );
}

/**
 * Reads a zone file: comments, parentheses, `$ORIGIN`, `$TTL` and empty owners included;
 * `$INCLUDE` is refused.
 *
 * A record whose line starts with white space has the owner of the record before it.
 * Fails with `dns-text-malformed` and the number of the line.
 */
export function parseZone(sourceText: string, options: TextOptions = {}): Result<ResourceRecord[]> {
  const records: ResourceRecord[] = [];
  let origin = options.origin ?? Name.root;
  let ttlSeconds = options.defaultTtl ?? 3600;
  let ownerName = origin;
  let line = 0;
  try {
    for (const entry of entries(sourceText)) {
      line = entry.line;
      const [first, second] = entry.tokens;
      if (!first) continue;
      if (first.text === '$ORIGIN') origin = parseName(second?.text ?? '', origin);
      else if (first.text === '$TTL') ttlSeconds = ttlOf(second?.text ?? '') ?? ttlSeconds;
      else if (first.text.startsWith('$')) throw new MalformedDns(`${first.text} is not supported`);
      else {
        if (!entry.indented) ownerName = parseName(first.text, origin);
        records.push(
          recordOf(
            ownerName,
            entry.indented ? entry.tokens : entry.tokens.slice(1),
            origin,
            ttlSeconds,
          ),
        );
      }
    }
    return ok(records);
  } catch (error) {
    if (error instanceof MalformedDns)
      return fail(wireFailures.make('dns-text-malformed', `line ${line}: ${error.message}`));
    throw error;
  }
}

/**
 * Formats a record in presentation format on one line.
 *
 * Name, TTL, class, type and data are separated by single spaces. The name is absolute.
 */
export function formatRecord(resourceRecord: ResourceRecord): string {
  return `${dotted(resourceRecord.name)} ${resourceRecord.ttl} ${resourceRecord.class === RRClass.IN ? 'IN' : `CLASS${resourceRecord.class}`} ${typeName(resourceRecord.type)} ${formatRdata(resourceRecord)}`;
}

/**
 * Formats the data part of a record.
 *
 * RDATA that does not fit its type, and unknown types, are written as `\# length hex`.
 */
export function formatRdata(record: Pick<ResourceRecord, 'type' | 'rdata'>): string {
  const fields = fieldFormats.get(record.type);
  try {
    if (fields) {
      const wireReader = new WireReader(record.rdata);
      const sourceText = fields.map((field) => field.format(wireReader)).join(' ');
      if (wireReader.left === 0) return sourceText;
    }
  } catch (error) {
    if (!(error instanceof MalformedDns)) throw error;
  }
  return `\\# ${record.rdata.length}${record.rdata.length > 0 ? ` ${toHex(record.rdata)}` : ''}`;
}

/**
 * Reads the fields of a record after its owner. TTL and class may come in either order
 * and may both be absent (RFC 1035 §5.1). The class is IN by default.
 */
function recordOf(
  name: Name,
  given: readonly Token[],
  origin: Name,
  defaultTtl: number,
): ResourceRecord {
  const tokens = [...given];
  let ttlSeconds = defaultTtl;
  let rrClass: number = RRClass.IN;
  for (let index = 0; index < 2; index++) {
    const word = tokens[0]?.text ?? '';
    const seconds = ttlOf(word);
    const generic = /^CLASS(\d{1,5})$/i.exec(word);
    if (seconds !== undefined) ttlSeconds = seconds;
    else if (/^(IN|CH|ANY|NONE)$/i.test(word)) rrClass = RRClass[word.toUpperCase() as 'IN'];
    else if (generic) rrClass = Number(generic[1]);
    else break;
    tokens.shift();
  }
  const recordType = typeNumber(tokens.shift()?.text ?? '');
  if (recordType === undefined) throw new MalformedDns('no record type');
  return {
    name,
    type: recordType,
    class: rrClass,
    ttl: ttlSeconds,
    rdata: rdataOf(recordType, tokens, origin),
  };
}

/**
 * Reads RDATA from tokens: `\# length hex` for any type (RFC 3597 §5), else the fields of
 * the type. Throws {@link MalformedDns} for missing and for unexpected tokens.
 */
function rdataOf(recordType: number, given: readonly Token[], origin: Name): Uint8Array {
  if (given[0]?.text === '\\#') {
    const wireBytes = fromHex(
      given
        .slice(2)
        .map((token) => token.text)
        .join(''),
    );
    if (!wireBytes || wireBytes.length !== Number(given[1]?.text))
      throw new MalformedDns('bad \\# data');
    return wireBytes;
  }
  const fields = fieldFormats.get(recordType);
  if (!fields)
    throw new MalformedDns(`data of ${typeName(recordType)} must be written as \\# length hex`);
  let position = 0;
  const tokens: Tokens = {
    next(what) {
      const token = given[position++];
      if (!token) throw new MalformedDns(`${what} is missing`);
      return token;
    },
    get left() {
      return given.length - position;
    },
  };
  const recordData = concat(...fields.map((field) => field.parse(tokens, origin)));
  if (tokens.left > 0) throw new MalformedDns(`unexpected ${given[position]?.text}`);
  return recordData;
}

/** Parses a TTL in seconds, or with units as in 1h30m. */
function ttlOf(word: string): number | undefined {
  if (!/^(\d+[smhdw]?)+$/i.test(word)) return undefined;
  const unit = { s: 1, m: 60, h: 3600, d: 86400, w: 604800, '': 1 } as Record<string, number>;
  return [...word.matchAll(/(\d+)([smhdw]?)/gi)].reduce(
    (sum, [, digits, letter]) => sum + Number(digits) * (unit[(letter ?? '').toLowerCase()] ?? 1),
    0,
  );
}

/** One logical line: parentheses join lines (RFC 1035 §5.1). */
interface Entry {
  /** Number of its first line, from 1. */
  readonly line: number;
  /**
   * Whether the line began with white space: the owner is then that of the previous
   * record.
   */
  readonly indented: boolean;
  readonly tokens: Token[];
}

/**
 * Splits a zone file into logical lines of tokens. Comments start at `;` outside quotes.
 * Throws {@link MalformedDns} for an open quote and for parentheses that do not match.
 */
function* entries(sourceText: string): Generator<Entry> {
  let tokens: Token[] = [];
  let depth = 0;
  let startOffset = 1;
  let indented = false;
  const lines = sourceText.split(/\r?\n/);
  for (const [index, content] of lines.entries()) {
    if (depth === 0) {
      startOffset = index + 1;
      indented = /^\s/.test(content);
      tokens = [];
    }
    for (const [token] of content.matchAll(
      /"(?:\\.|[^"\\])*"|;.*|[()]|(?:\\.|[^\s"();\\])+|["\\]/g,
    )) {
      if (token.startsWith(';')) break;
      if (token === '(') depth++;
      else if (token === ')') depth--;
      else if (token === '"') throw new MalformedDns('quote without end');
      else
        tokens.push(
          token.startsWith('"')
            ? { text: token.slice(1, -1), quoted: true }
            : { text: token, quoted: false },
        );
      if (depth < 0) throw new MalformedDns('unexpected )');
    }
    if (depth === 0) yield { line: startOffset, indented, tokens };
  }
  if (depth > 0) throw new MalformedDns('( without )');
}

/** One mail or body out of a stream. */
export interface Item {
  readonly bytes: Uint8Array;
  /** Number in its stream, from 1. */
  readonly number: number;
}

/** Octets of one mail or body; what is larger is cut there, and then refused by its reader. */
const MAX_ITEM = 32 * 1024 * 1024;
const newline = 0x0a;

/**
 * Takes a stream apart, keeping no more than one item in memory: an mbox by its `From ` lines, JSON lines by line; anything else is one item. Which it is,
 * the first octets say.
 */
export async function* splitItems(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Item> {
  let kind: 'mbox' | 'lines' | 'one' | undefined;
  let held: Buffer[] = [];
  let size = 0;
  let number = 0;
  /** Whether the envelope lines of this mbox have a time, as mails' own lines that begin with From have not. */
  let timed: boolean | undefined;
  const take = (): Item => {
    const bytes = Buffer.concat(held);
    [held, size] = [[], 0];
    return { bytes: kind === 'mbox' ? withoutEnvelope(bytes) : bytes, number: ++number };
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([rest, chunk]);
    if (kind === undefined) {
      kind = kindOf(rest);
      if (kind === undefined) continue;
      if (kind === 'mbox') rest = rest.subarray(blankStart(rest));
    }
    if (kind === 'one') {
      if (size < MAX_ITEM) held.push(rest);
      size += rest.length;
      rest = Buffer.alloc(0);
      continue;
    }
    let at = 0;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline, at)) {
      const line = rest.subarray(at, end + 1);
      const envelope = kind === 'mbox' && line.toString('latin1', 0, 5) === 'From ';
      const time = envelope && /\d\d:\d\d/.test(line.toString('latin1', 5, 200));
      timed ??= envelope ? time : undefined;
      const begins = kind === 'lines' || (envelope && (time || timed !== true));
      if (begins && size > 0) yield take();
      if (size + line.length <= MAX_ITEM) held.push(line);
      size += line.length;
      at = end + 1;
    }
    rest = rest.subarray(at);
  }
  kind ??= 'one';
  if (kind === 'lines' && size > 0 && rest.length > 0) yield take();
  if (rest.length > 0) held.push(rest);
  if (held.length > 0 || number === 0) yield take();
}

/** The same of octets that are all there. */
export function itemsIn(bytes: Uint8Array): AsyncIterable<Item> | readonly Item[] {
  const kind = kindOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  return kind === undefined || kind === 'one' ? [{ bytes, number: 1 }] : splitItems(once(bytes));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** JSON lines: a line that ends an object, then one that begins an object. Undefined: not enough to tell. */
function kindOf(start: Buffer): 'mbox' | 'lines' | 'one' | undefined {
  if (start.length < 5) return undefined;
  const blank = blankStart(start);
  if (blank > 0 && start.length < blank + 5) return start.length < 1000 ? undefined : 'one';
  if (start.toString('latin1', blank, blank + 5) === 'From ') return 'mbox';
  if (start[0] !== 0x7b) return 'one';
  const end = start.indexOf(newline);
  if (end < 0 || end + 1 === start.length) return start.length < MAX_ITEM ? undefined : 'one';
  const ends = start
    .toString('latin1', Math.max(0, end - 20), end)
    .trimEnd()
    .endsWith('}');
  return ends && start[end + 1] === 0x7b ? 'lines' : 'one';
}

/** A byte order mark, and blank lines. */
function blankStart(start: Buffer): number {
  return /^(?:\xef\xbb\xbf)?\s*/.exec(start.toString('latin1', 0, 1000))?.[0].length ?? 0;
}

/** Drops the `From ` line, and the `>` that mbox puts before lines that begin so. */
function withoutEnvelope(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  return Buffer.from(text.slice(text.indexOf('\n') + 1).replace(/^>(>*From )/gm, '$1'), 'latin1');
}

/** One message or body in a stream. */
export interface Item {
  readonly bytes: Uint8Array;
  /** The number of the item in its stream, from 1. */
  readonly number: number;
  /**
   * Whether the stream is an mbox: any sender can write its entries, even those that are
   * not messages.
   */
  readonly inMailbox: boolean;
}

/**
 * Maximum octets of one message or body. A larger one is truncated here and later
 * refused.
 */
const MAX_ITEM = 32 * 1024 * 1024;
/** Maximum octets of an mbox envelope line that are examined. */
const MAX_ENVELOPE = 200;
/** The octet LF, which also ends a line with CRLF. */
const newline = 0x0a;

/**
 * Splits a stream into items, with at most one item in memory. An mbox is split at its
 * `From ` lines, and JSON lines at each line; any other stream is one item. The first
 * octets determine the kind of the stream.
 */
export async function* splitItems(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Item> {
  let streamKind: StreamKind | undefined;
  let held: Buffer[] = [];
  let byteCount = 0;
  let number = 0;
  /**
   * Whether the envelope lines of this mbox contain a time. A text line that begins with
   * From then differs from an envelope line.
   */
  let timed = false;
  const hold = (piece: Buffer): void => {
    if (byteCount < MAX_ITEM && piece.length > 0)
      held.push(piece.subarray(0, MAX_ITEM - byteCount));
    byteCount += piece.length;
  };
  const take = (): Item => {
    const messageBytes = Buffer.concat(held);
    [held, byteCount] = [[], 0];
    const inMailbox = streamKind === 'mbox';
    return {
      bytes: inMailbox ? withoutEnvelope(messageBytes) : messageBytes,
      number: ++number,
      inMailbox,
    };
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest =
      rest.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        : Buffer.concat([rest, chunk]);
    if (streamKind === undefined) {
      streamKind = kindOf(rest);
      if (streamKind === undefined) continue;
      if (streamKind === 'mbox') rest = rest.subarray(blankStart(rest));
      timed = streamKind === 'mbox' && hasTime(rest);
    }
    // The loop searches for separators, not for lines, since a message may consist of
    // line ends only.
    const between = separatorOf(streamKind);
    let open = false;
    for (let from = 0, end; between !== undefined && (end = rest.indexOf(between, from)) >= 0;) {
      const next = rest.subarray(end + 1);
      open = streamKind === 'mbox' && timed && !hasWholeLine(next);
      if (open) {
        hold(rest.subarray(0, end));
        rest = rest.subarray(end);
        break;
      }
      from = end + 1;
      if (timed && !hasTime(next)) continue;
      hold(rest.subarray(0, from));
      yield take();
      [rest, from] = [next, 0];
    }
    if (open) continue;
    // The last octets may be the beginning of the next separator.
    const sure = Math.max(0, rest.length - (between ?? ' ').length + 1);
    hold(rest.subarray(0, sure));
    rest = rest.subarray(sure);
  }
  streamKind ??= 'one';
  hold(rest);
  if (held.length > 0 || number === 0) yield take();
}

/** Returns the items in octets that are completely in memory. */
export function itemsIn(messageBytes: Uint8Array): AsyncIterable<Item> | readonly Item[] {
  const streamKind = kindOf(
    Buffer.from(messageBytes.buffer, messageBytes.byteOffset, messageBytes.length),
  );
  return streamKind === undefined || streamKind === 'one'
    ? [{ bytes: messageBytes, number: 1, inMailbox: false }]
    : splitItems(once(messageBytes));
}

async function* once(messageBytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(messageBytes);
}

/** The kind of a stream of octets: an mbox, JSON lines, or one item. */
type StreamKind = 'mbox' | 'lines' | 'one';

/** Returns the octets between two items. */
function separatorOf(streamKind: StreamKind): string | undefined {
  if (streamKind === 'mbox') return '\nFrom ';
  return streamKind === 'lines' ? '\n' : undefined;
}

/**
 * Returns the kind of a stream according to its first octets; undefined if more octets
 * are needed. In JSON lines the first line ends an object and the second line begins one.
 */
function kindOf(start: Buffer): StreamKind | undefined {
  if (start.length < 5) return undefined;
  const blank = start[0] === 0x7b ? 0 : blankStart(start);
  if (blank > 0 && start.length < blank + 5) return start.length < 1000 ? undefined : 'one';
  if (start.toString('latin1', blank, blank + 5) === 'From ')
    return hasWholeLine(start.subarray(blank)) ? 'mbox' : undefined;
  if (start[0] !== 0x7b) return 'one';
  const endOffset = start.indexOf(newline);
  if (endOffset < 0 || endOffset + 1 === start.length)
    return start.length < MAX_ITEM ? undefined : 'one';
  const ends = start
    .toString('latin1', Math.max(0, endOffset - 20), endOffset)
    .trimEnd()
    .endsWith('}');
  return ends && start[endOffset + 1] === 0x7b ? 'lines' : 'one';
}

/**
 * Returns whether the octets contain the whole first line, or as much of it as is
 * examined.
 */
function hasWholeLine(start: Buffer): boolean {
  return start.length >= MAX_ENVELOPE || start.includes(newline);
}

/**
 * Returns whether the first line contains a time of day, as an mbox envelope line does.
 */
function hasTime(start: Buffer): boolean {
  return /^[^\n]*\d\d:\d\d/.test(start.toString('latin1', 0, MAX_ENVELOPE));
}

/** Returns the number of octets of a byte order mark and blank lines at the start. */
function blankStart(start: Buffer): number {
  return /^(?:\xef\xbb\xbf)?\s*/.exec(start.toString('latin1', 0, 1000))?.[0].length ?? 0;
}

/**
 * Returns a message of an mbox without its `From ` line, and without the `>` that mbox
 * adds to text lines that begin with `From `.
 */
function withoutEnvelope(messageBytes: Buffer): Buffer {
  const messageText = messageBytes.toString('latin1');
  return Buffer.from(
    messageText.slice(messageText.indexOf('\n') + 1).replace(/^>(>*From )/gm, '$1'),
    'latin1',
  );
}

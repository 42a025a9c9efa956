import { parseRecord, type ResourceRecord } from '../../src/dns/index.js';

/** One ENTRY_BEGIN .. ENTRY_END block. */
export interface Entry {
  readonly match: readonly string[];
  readonly adjust: readonly string[];
  /** Flags and rcode words of REPLY. */
  readonly reply: readonly string[];
  readonly question: ResourceQuestion | undefined;
  readonly answer: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  readonly additional: readonly ResourceRecord[];
  /**
   * Whether the entry contains octets that are not a message: `RAW` or
   * `HEX_ANSWER_BEGIN`.
   */
  readonly raw: boolean;
}

export interface ResourceQuestion {
  readonly name: string;
  readonly type: string;
  readonly class: string;
}

export interface Range {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly Entry[];
}

export interface Step {
  readonly number: number;
  readonly kind: string;
  /** Words after the kind, as in `TIME_PASSES ELAPSE 10`. */
  readonly words: readonly string[];
  readonly entry: Entry | undefined;
}

/**
 * A replay file in the format of Unbound's testbound or of Deckard: its configuration
 * lines, virtual servers and steps.
 */
export interface Scenario {
  readonly title: string;
  readonly config: readonly string[];
  readonly ranges: readonly Range[];
  readonly steps: readonly Step[];
  /**
   * Unreadable lines. The output lists these lines, because their records are missing.
   */
  readonly unread: readonly string[];
}

/**
 * Reads a .rpl file, or a file with only entries (the signature vectors), which become
 * one range.
 */
export function parseRpl(text: string): Scenario {
  const lines = text.split(/\r?\n/);
  const configEnd = lines.findIndex((l) => l.trim() === 'CONFIG_END');
  const config = lines
    .slice(0, Math.max(0, configEnd))
    .map((l) => l.replace(/^([^"]*?)(^|\s)[#;].*$/, '$1').trim())
    .filter((l) => l !== '');
  const reader = new Lines(lines.slice(configEnd + 1));
  const ranges: { from: number; to: number; entries: Entry[] }[] = [];
  const loose: Entry[] = [];
  const steps: { number: number; kind: string; words: string[]; entry: Entry | undefined }[] = [];
  const unread: string[] = [];
  let title = '';
  let open: (typeof ranges)[number] | undefined;
  for (let words = reader.next(); words; words = reader.next()) {
    const [first = '', ...rest] = words;
    if (first === 'SCENARIO_BEGIN') title = rest.join(' ');
    else if (first === 'RANGE_BEGIN')
      ranges.push((open = { from: Number(rest[0]), to: Number(rest[1]), entries: [] }));
    else if (first === 'RANGE_END') open = undefined;
    else if (first === 'STEP')
      steps.push({
        number: Number(rest[0]),
        kind: rest[1] ?? '',
        words: rest.slice(2),
        entry: undefined,
      });
    else if (first === 'ENTRY_BEGIN') {
      const entry = readEntry(reader, unread);
      const step = steps.at(-1);
      if (open) open.entries.push(entry);
      else if (step && !step.entry) step.entry = entry;
      else loose.push(entry);
    }
  }
  if (loose.length > 0) ranges.push({ from: 0, to: Infinity, entries: loose });
  return { title, config, ranges, steps, unread };
}

function readEntry(lines: Lines, unread: string[]): Entry {
  const match: string[] = [];
  const adjust: string[] = [];
  const reply: string[] = [];
  const sections: Record<string, ResourceRecord[]> = { ANSWER: [], AUTHORITY: [], ADDITIONAL: [] };
  let question: ResourceQuestion | undefined;
  let raw = false;
  let section = '';
  for (let words = lines.next(); words && words[0] !== 'ENTRY_END'; words = lines.next()) {
    const [first = '', ...rest] = words;
    if (first === 'MATCH') match.push(...rest);
    else if (first === 'ADJUST') adjust.push(...rest);
    else if (first === 'REPLY') reply.push(...rest);
    else if (first === 'SECTION') section = rest[0] ?? '';
    else if (/^(RAW|HEX_ANSWER_BEGIN|HEX_EDNSDATA_BEGIN)$/.test(first)) {
      raw ||= first !== 'HEX_EDNSDATA_BEGIN';
      while (first !== 'RAW' && lines.next()?.[0] !== first.replace('BEGIN', 'END') && !lines.ended)
        continue;
      if (first === 'RAW') lines.next();
    } else if (section === 'QUESTION')
      question ??= {
        name: first,
        type: rest.find((w) => !/^(IN|CH|HS|CLASS\d+|\d+)$/i.test(w)) ?? '',
        class: rest.find((w) => /^(CH|HS)$/i.test(w)) ?? 'IN',
      };
    else {
      // A record may span lines by parentheses; its class and TTL may be omitted.
      let text = lines.raw;
      while ((text.match(/\(/g)?.length ?? 0) > (text.match(/\)/g)?.length ?? 0)) {
        if (!lines.next()) break;
        text += ` ${lines.raw.trim()}`;
      }
      const record = parseRecord(text.replace(/\s;.*$/, '').trim());
      if (record.ok) sections[section]?.push(record.value);
      else unread.push(`${text.trim().slice(0, 60)}: ${record.failure.detail}`);
    }
  }
  return {
    // The default of both formats, applied to the given question.
    match: match.length > 0 || !question ? match : ['opcode', 'qtype', 'qname'],
    adjust,
    reply,
    question,
    answer: sections['ANSWER'] ?? [],
    authority: sections['AUTHORITY'] ?? [],
    additional: sections['ADDITIONAL'] ?? [],
    raw,
  };
}

class Lines {
  raw = '';
  #at = 0;
  constructor(private readonly lines: readonly string[]) {}

  get ended(): boolean {
    return this.#at >= this.lines.length;
  }

  /** Returns the words of the next line that is not empty. */
  next(): string[] | undefined {
    while (this.#at < this.lines.length) {
      this.raw = this.lines[this.#at++] as string;
      const text = this.raw
        .replace(/^\s*[;#].*$/, '')
        .replace(/\s[;#].*$/, '')
        .trim();
      if (text !== '') return text.split(/\s+/);
    }
    return undefined;
  }
}

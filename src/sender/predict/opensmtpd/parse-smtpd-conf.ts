/** A line of smtpd.conf as its words. */
export interface SmtpdLine {
  readonly words: readonly SmtpdWord[];
  /** The line as one text, for messages. */
  readonly text: string;
}

/** One word; a quoted word is never a keyword. */
export interface SmtpdWord {
  readonly text: string;
  readonly quoted: boolean;
}

/** The directives of a configuration, and the references without a definition. */
export interface ParsedSmtpdConf {
  readonly lines: readonly SmtpdLine[];
  /** Included files and macros that the input lacks. */
  readonly missing: readonly string[];
}

const MAX_MACROS = 1000;

/**
 * Parses smtpd.conf (smtpd.conf(5)): a backslash continues a line, a hash mark begins a
 * comment outside quotes, and `$name` is replaced outside quotes by its macro. Pure; CRLF
 * and LF give the same result.
 */
export function parseSmtpdConf(text: string): ParsedSmtpdConf {
  const macros = new Map<string, readonly SmtpdWord[]>();
  const missing = new Set<string>();
  const lines: SmtpdLine[] = [];
  for (const joined of joinLines(text)) {
    const words = splitWords(joined);
    const [first, second, ...rest] = words;
    if (first === undefined) continue;
    if (second?.text === '=' && !second.quoted) {
      if (macros.size < MAX_MACROS) macros.set(first.text, rest);
      continue;
    }
    if (first.text === 'include' && !first.quoted) {
      missing.add(`include ${second?.text ?? ''}`);
      continue;
    }
    const expanded = words.flatMap((word) => {
      if (word.quoted || !word.text.startsWith('$')) return [word];
      const macro = macros.get(word.text.slice(1));
      if (macro === undefined) missing.add(`macro ${word.text}`);
      return macro ?? [word];
    });
    lines.push({ words: expanded, text: words.map(({ text: word }) => word).join(' ') });
  }
  return { lines, missing: [...missing] };
}

/** Joins continued lines; a comment runs to the end of the joined line (smtpd.conf(5)). */
function joinLines(text: string): readonly string[] {
  const joined: string[] = [];
  let parts: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r$/, '');
    const isContinued = line.endsWith('\\');
    parts.push(isContinued ? line.slice(0, -1) : line);
    if (isContinued) continue;
    joined.push(parts.join(' '));
    parts = [];
  }
  if (parts.length > 0) joined.push(parts.join(' '));
  return joined;
}

/** Splits a line at white space; `=` and `!` are words of their own outside quotes. */
function splitWords(line: string): readonly SmtpdWord[] {
  const words: SmtpdWord[] = [];
  const token = /\s+|#.*$|"((?:[^"\\]|\\.)*)"|[=!{},]|[^\s"#=!{},]+/gsy;
  for (let match = token.exec(line); match !== null; match = token.exec(line)) {
    const [whole, quoted] = match;
    if (quoted !== undefined) words.push({ text: quoted.replace(/\\(.)/gs, '$1'), quoted: true });
    else if (!/^\s/.test(whole) && !whole.startsWith('#'))
      words.push({ text: whole, quoted: false });
  }
  return words;
}

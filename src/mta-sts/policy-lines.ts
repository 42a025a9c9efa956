import { trimBlanks } from '../base/index.js';

/** A line of a policy file: `value` without surrounding spaces. */
export interface PolicyLine {
  /** Number of the line, counted from 1. */
  readonly number: number;
  readonly text: string;
  readonly key: string;
  readonly value: string;
}

/**
 * Splits a policy body into its fields. Returns an explanation of the first line that is
 * not a field.
 */
export function readLines(body: Uint8Array | string): readonly PolicyLine[] | string {
  const bodyText =
    typeof body === 'string'
      ? body
      : Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8');
  const policyLines: PolicyLine[] = [];
  for (const [index, line] of bodyText.split(/\r?\n/).entries()) {
    if (trimBlanks(line) === '') continue;
    const parts = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})[ \t]*:(.*)$/.exec(line);
    if (!parts) return explainLine({ number: index + 1, text: line });
    const [key, value] = [parts[1] as string, trimBlanks(parts[2] as string)];
    policyLines.push({ number: index + 1, text: line, key, value });
  }
  return policyLines;
}

/** Returns true for another spelling of a field name: `Max-Age` for `max_age`. */
export function isNear(written: string, fieldName: string): boolean {
  return (
    written !== fieldName &&
    written.toLowerCase().replace(/[-_.]/g, '') === fieldName.replace('_', '')
  );
}

/** Returns a line as messages show it: `line 3 "mx: a b"`. */
export function quote({ number, text }: Pick<PolicyLine, 'number' | 'text'>): string {
  return `line ${number} "${text.slice(0, 80)}"`;
}

/** Explains a line that is not `field: value`. */
export function explainLine(line: Pick<PolicyLine, 'number' | 'text'>): string {
  const reason = lineFaults.find(([pattern]) => pattern.test(line.text))?.[1];
  return `${quote(line)}: ${reason ?? 'a line is a field name, a colon and a value'}`;
}

const lineFaults: readonly (readonly [RegExp, string])[] = [
  [/\r/, 'lines end in LF or CRLF, not in CR alone'],
  [/^\ufeff/, 'the file begins with a byte order mark: save it without one'],
  [/^\s*<|^\s*\{/, 'this is another kind of document, not a policy file'],
  [/^\s*["']?v\s*=/i, 'this is the TXT record, the file has lines as "version: STSv1"'],
  [/[^\x20-\x7e\t]/, 'it holds a character outside US-ASCII'],
  [/^\s*(#|\/\/|;)/, 'a policy file has no comments'],
  [/^\s+\S/, 'a field name begins at the start of the line'],
  [/^["']/, 'a policy file has no quotation marks'],
  [/^[\w.-]+\s*=/, 'a colon separates name and value, not an equals sign'],
];

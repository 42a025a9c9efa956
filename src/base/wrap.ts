import { neutralise } from './neutralise.js';

/**
 * A clause such as `RFC 7672 §2.2`, which stays on one line. The spaces of a clause
 * become characters that no text contains, because `neutralise` escapes these characters.
 */
const clause = /\bRFC (\d+)(?: (§))?/g;
const GLUE = '\u0001';

/** A SHA-256 digest in hexadecimal, which a reader copies as a whole. */
const digest = /\b[0-9a-f]{64}\b/;

/**
 * Wraps text to lines of at most `width` columns. A longer word is cut, except a digest,
 * which gets its own line from the first column on. A clause stays on one line. Control
 * characters of foreign text become visible escapes.
 */
export function wrap(
  sourceText: string,
  lineWidth: number,
  indent = '',
  hanging = indent,
): readonly string[] {
  return sourceText
    .split('\n')
    .flatMap((paragraph, index) =>
      wrapLine(
        neutralise(paragraph, 2000).replace(clause, (text) => text.replaceAll(' ', GLUE)),
        lineWidth,
        index === 0 ? indent : hanging,
        hanging,
      ),
    )
    .map((textLine) => textLine.replaceAll(GLUE, ' '));
}

function wrapLine(sourceText: string, lineWidth: number, first: string, hanging: string): string[] {
  const outputLines: string[] = [];
  let textLine = first;
  let empty = true;
  for (let word of sourceText.split(' ')) {
    while (true) {
      const joined = empty ? textLine + word : `${textLine} ${word}`;
      if (joined.length <= lineWidth) {
        textLine = joined;
        empty = false;
        break;
      }
      if (!empty) {
        outputLines.push(textLine.trimEnd());
        textLine = hanging;
        empty = true;
        continue;
      }
      if (digest.test(word)) {
        outputLines.push(word);
        break;
      }
      const room = Math.max(1, lineWidth - textLine.length);
      outputLines.push(textLine + word.slice(0, room));
      word = word.slice(room);
      textLine = hanging;
    }
  }
  return empty ? outputLines : [...outputLines, textLine.trimEnd()];
}

/**
 * Cuts text to `width` columns and marks the cut with `...`. The text is neutralised
 * first.
 */
export function clip(sourceText: string, lineWidth: number): string {
  const safe = neutralise(sourceText, 500);
  if (safe.length <= lineWidth) return safe;
  return `${safe.slice(0, Math.max(0, lineWidth - 3))}...`;
}

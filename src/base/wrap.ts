import { neutralise } from './neutralise.js';

/**
 * Wraps text to lines of at most `width` columns; a longer word is cut. Control
 * characters of foreign text become visible escapes.
 */
export function wrap(
  text: string,
  width: number,
  indent = '',
  hanging = indent,
): readonly string[] {
  return text
    .split('\n')
    .flatMap((paragraph, index) =>
      wrapLine(neutralise(paragraph, 2000), width, index === 0 ? indent : hanging, hanging),
    );
}

function wrapLine(text: string, width: number, first: string, hanging: string): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (let word of text.split(' ')) {
    while (true) {
      const joined = empty ? line + word : `${line} ${word}`;
      if (joined.length <= width) {
        line = joined;
        empty = false;
        break;
      }
      if (!empty) {
        lines.push(line.trimEnd());
        line = hanging;
        empty = true;
        continue;
      }
      const room = Math.max(1, width - line.length);
      lines.push(line + word.slice(0, room));
      word = word.slice(room);
      line = hanging;
    }
  }
  return [...lines, line.trimEnd()];
}

/**
 * Cuts text to `width` columns and marks the cut with `...`. The text is neutralised
 * first.
 */
export function clip(text: string, width: number): string {
  const safe = neutralise(text, 500);
  if (safe.length <= width) return safe;
  return `${safe.slice(0, Math.max(0, width - 3))}...`;
}

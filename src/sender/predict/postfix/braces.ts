/**
 * Returns the text inside the brackets at the start, including nested brackets; undefined
 * if they are not closed.
 */
export function enclosed(text: string): string | undefined {
  const open = text[0];
  if (open !== '{' && open !== '(') return undefined;
  const close = open === '{' ? '}' : ')';
  let level = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === open) level += 1;
    else if (text[index] === close) level -= 1;
    if (level === 0) return text.slice(1, index);
  }
  return undefined;
}

/** Splits at white space and commas, or other separators, outside braces. */
export function splitOutsideBraces(value: string, separators = /[\s,]/): readonly string[] {
  const words: string[] = [];
  let level = 0;
  let start = -1;
  for (let index = 0; index <= value.length; index += 1) {
    const character = value[index] ?? ' ';
    if (character === '{') level += 1;
    else if (character === '}') level = Math.max(0, level - 1);
    const separates = index === value.length || (level === 0 && separators.test(character));
    if (!separates && start < 0) start = index;
    if (separates && start >= 0) {
      words.push(value.slice(start, index));
      start = -1;
    }
  }
  return words;
}

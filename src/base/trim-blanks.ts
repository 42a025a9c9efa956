/**
 * Removes spaces and tabs at both ends in linear time. The expression `/[ \t]+$/` needs
 * quadratic time on a long run of blanks, which a peer could send.
 */
export function trimBlanks(text: string): string {
  let [start, end] = [0, text.length];
  while (isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/**
 * Removes spaces and tabs at both ends in linear time. The expression `/[ \t]+$/` needs
 * quadratic time on a long run of spaces, which a peer could send.
 */
export function trimBlanks(sourceText: string): string {
  let [start, end] = [0, sourceText.length];
  while (isBlank(sourceText[start])) start++;
  while (end > start && isBlank(sourceText[end - 1])) end--;
  return sourceText.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/**
 * Characters that can hide or reorder text on a terminal or page: controls,
 * default-ignorable code points, bidi controls, line and paragraph separators,
 * annotations, noncharacters and lone surrogates.
 */
export const hidden =
  /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u2028\u2029\ufff9-\ufffb\ufffe\uffff]/gu;

/**
 * Makes foreign text safe to display: control, bidi and invisible characters become
 * `\xNN` or `\u{N}`, and the text is cut to `limit` characters. Every renderer and the
 * logger pass foreign text through this function.
 */
export function neutralise(sourceText: string, limit = 1000): string {
  const zoneCut = sourceText.length > limit ? `${sourceText.slice(0, limit)}[...]` : sourceText;
  return zoneCut.replace(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    return `\\u{${code.toString(16)}}`;
  });
}

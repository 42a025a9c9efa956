/**
 * Control characters, what Unicode says may be invisible, bidi controls, line and
 * paragraph separators, annotations, no characters, lone surrogates.
 */
export const hidden =
  /[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u2028\u2029\ufff9-\ufffb\ufffe\uffff]/gu;

/**
 * Makes foreign text safe to show: control, bidi and invisible characters become `\xNN`
 * or `\u{N}`, and the whole is cut to `limit` characters. Every renderer and every log
 * passes foreign text through this.
 */
export function neutralise(text: string, limit = 1000): string {
  const zoneCut = text.length > limit ? `${text.slice(0, limit)}[...]` : text;
  return zoneCut.replace(hidden, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
    return `\\u{${code.toString(16)}}`;
  });
}

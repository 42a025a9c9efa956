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
  const cut = text.length > limit ? `${text.slice(0, limit)}[...]` : text;
  return cut.replace(hidden, (c) => {
    const code = c.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

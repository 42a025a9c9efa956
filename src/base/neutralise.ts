// C0, DEL, C1, soft hyphen, zero-width, bidi marks, embeddings, overrides, isolates, line and paragraph separators, BOM, tags.
const hidden =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\u{e0000}-\u{e007f}]/gu;

/**
 * Makes foreign text safe to show: control, bidi and invisible characters become `\xNN` or `\u{N}`, and the whole is cut to `limit` characters.
 * Every renderer and every log passes foreign text through this.
 */
export function neutralise(text: string, limit = 1000): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}[...]` : text;
  return cut.replace(hidden, (c) => {
    const code = c.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

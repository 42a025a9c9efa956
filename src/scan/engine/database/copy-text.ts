const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Returns one line for COPY in its text format. Null becomes NULL. */
export function copyLine(values: readonly (string | number | null)[]): string {
  return values
    .map((value) =>
      value === null
        ? '\\N'
        : String(value).replace(/[\\\n\r\t]/g, (sign) => escapes[sign] ?? sign),
    )
    .join('\t');
}

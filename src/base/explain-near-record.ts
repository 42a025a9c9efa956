/**
 * The version and a distinctive field of one record type, such as `v=STSv1` at
 * `_mta-sts`.
 */
export interface RecordKind {
  /** The version with its number, such as `STSv1`. */
  readonly version: string;
  /** A field that only this record type has. */
  readonly field: string;
}

/**
 * Explains why senders discard a TXT record whose publisher meant it as this type.
 * Returns undefined for a valid record, and for a record of another type, such as SPF.
 */
export function explainNearRecord(
  recordText: string,
  { version, field }: RecordKind,
): string | undefined {
  if (new RegExp(`^v=${version}[ \\t]*(;|$)`).test(recordText)) return undefined;
  const plain = recordText
    .normalize('NFKC')
    .replace(/[^\x21-\x7e]|["'\\]/g, '')
    .toLowerCase();
  // TLSRPT is also written TLS-RPT.
  const kind = version.toLowerCase().replace(/v\d+$/, '').replace(/^tls/, 'tls-?');
  if (!new RegExp(`^(v(ersion)?[=:]?${kind}|${kind}v?\\d|${field}=)|[;,]v=${kind}`).test(plain))
    return undefined;
  const wanted = `v=${version}`;
  if (/[^\x20-\x7e\t]/.test(recordText))
    return 'it contains characters outside US-ASCII, some of them invisible';
  if (/["']/.test(recordText)) return 'its value contains quotation marks: remove them';
  if (recordText.includes('\\')) return 'its value contains a backslash: remove it';
  if (/^\s/.test(recordText)) return 'it begins with a space';
  if (/^version\s*:/i.test(recordText)) return 'this is a line of the policy file, not the record';
  if (/^v\s+=|^v=\s/i.test(recordText))
    return 'there must be no space around the first equals sign';
  if (/^v=/i.test(recordText) && !plain.startsWith(wanted.toLowerCase()))
    return `the only valid version is ${version}`;
  if (recordText.toLowerCase().startsWith(wanted.toLowerCase()) && !recordText.startsWith(wanted))
    return `it is case-sensitive and must begin with ${wanted}`;
  if (recordText.startsWith(wanted)) return `a semicolon must follow ${wanted}`;
  return `it must begin with ${wanted};`;
}

/**
 * Explains the fault of one `name=value` field. Spaces around the equals sign are a fault
 * unless `blanks` is true.
 */
export function explainField(fieldText: string, blanks = false): string {
  if (fieldText === '') return 'an empty field, from two semicolons in a row';
  const equals = fieldText.indexOf('=');
  if (equals < 0) return `"${fieldText}" has no equals sign`;
  if (equals === 0) return `"${fieldText}" has no field name`;
  if (fieldText.slice(equals + 1).trim() === '') return `"${fieldText}" has no value`;
  if (!blanks && /\s=|=\s/.test(fieldText))
    return `"${fieldText}" has a space next to the equals sign`;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\s*=/.test(fieldText))
    return `"${fieldText.slice(0, equals)}" is not a field name`;
  return `"${fieldText}" contains a character that is not allowed in its value`;
}

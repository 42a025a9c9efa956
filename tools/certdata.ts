/**
 * Reads Mozilla's `certdata.txt` (NSS, `lib/ckfw/builtins`): the certificates and their
 * trust settings. Pure.
 */

/** A root that Mozilla trusts for TLS servers. */
export interface CertdataRoot {
  readonly label: string;
  readonly der: Buffer;
  /**
   * Leaves issued after this time are not trusted (CKA_NSS_SERVER_DISTRUST_AFTER), in
   * milliseconds since 1970.
   */
  readonly distrustAfter?: number;
}

type PkcsObject = ReadonlyMap<string, string | Buffer>;

/**
 * Returns the roots trusted for TLS servers, in the order of the file. Throws for a file
 * without roots, or for a certificate without a trust object: an incomplete root store is
 * worse than an old one.
 */
export function parseCertdata(text: string): readonly CertdataRoot[] {
  const objects = objectsOf(text);
  const trusted = new Set(
    objects
      .filter((object) => /^CKO_(NSS_)?TRUST$/.test(word(object, 'CKA_CLASS')))
      .filter((object) =>
        /^CKT_(NSS_TRUSTED_DELEGATOR|TRUST_ANCHOR)$/.test(word(object, 'CKA_TRUST_SERVER_AUTH')),
      )
      .map(identity),
  );
  const roots = objects
    .filter((object) => word(object, 'CKA_CLASS') === 'CKO_CERTIFICATE')
    .filter((object) => trusted.delete(identity(object)))
    .map(rootOf);
  if (roots.length === 0) throw new Error('no root is trusted for TLS servers');
  if (trusted.size > 0) throw new Error(`${trusted.size} trusted roots have no certificate`);
  return roots;
}

function rootOf(object: PkcsObject): CertdataRoot {
  const distrust = object.get('CKA_NSS_SERVER_DISTRUST_AFTER');
  const root = { label: word(object, 'CKA_LABEL'), der: octets(object, 'CKA_VALUE') };
  if (!Buffer.isBuffer(distrust)) return root;
  return { ...root, distrustAfter: utcTime(distrust.toString('latin1')) };
}

/** Returns issuer and serial number, which a certificate and its trust object share. */
function identity(object: PkcsObject): string {
  const parts = ['CKA_ISSUER', 'CKA_SERIAL_NUMBER'].map((name) => octets(object, name));
  return parts.map((part) => part.toString('hex')).join(' ');
}

/** Parses `YYMMDDHHMMSSZ`; years below 50 are in this century (RFC 5280 §4.1.2.5.1). */
function utcTime(text: string): number {
  const fields = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1).map(Number);
  if (!fields) throw new Error(`not a UTCTime: ${text}`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  return Date.UTC((year < 50 ? 2000 : 1900) + year, month - 1, day, hour, minute, second);
}

function word(object: PkcsObject, name: string): string {
  const value = object.get(name);
  return typeof value === 'string' ? value : '';
}

function octets(object: PkcsObject, name: string): Buffer {
  const value = object.get(name);
  if (!Buffer.isBuffer(value)) throw new Error(`an object has no ${name}`);
  return value;
}

/** Returns the objects of the file: each begins with CKA_CLASS. */
function objectsOf(text: string): readonly PkcsObject[] {
  const objects: Map<string, string | Buffer>[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const attribute = /^(CKA_\S+)\s+(\S+)\s*(.*)$/.exec(lines[index] ?? '');
    if (!attribute) continue;
    const [, name = '', type = '', value = ''] = attribute;
    if (name === 'CKA_CLASS') objects.push(new Map());
    const end = lines.indexOf('END', index);
    const octal = type === 'MULTILINE_OCTAL';
    const body = octal ? lines.slice(index + 1, end).join('') : '';
    if (octal) index = end;
    const content = octal ? Buffer.from(octalValues(body)) : value.replace(/^"(.*)"$/, '$1');
    objects.at(-1)?.set(name, content);
  }
  return objects;
}

function octalValues(text: string): readonly number[] {
  return [...text.matchAll(/\\([0-7]{3})/g)].map(([, digits = '']) => Number.parseInt(digits, 8));
}

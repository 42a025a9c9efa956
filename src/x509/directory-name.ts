import { neutralise, toHex } from '../base/index.js';
import { attributes } from './algorithms-registry.js';
import { DerReader, readOid, Tag } from './der-reader.js';

/** Maximum attributes of one name. */
const MAX_ATTRIBUTES = 64;
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';

/** A Name of RFC 5280 §4.1.2.4, in one form for comparison and one for display. */
export interface DirectoryName {
  /**
   * The whole name as one key: two names are equal when their keys are equal. The key of
   * an empty name is ''.
   */
  readonly key: string;
  /** One key for each RDN, most general first. */
  readonly rdns: readonly string[];
  /**
   * False if a value cannot be compared as text (invalid encoding, prohibited
   * characters).
   */
  readonly comparable: boolean;
  /** The name as RFC 4514 writes it, most specific first, neutralised. */
  readonly text: string;
  readonly commonName?: string;
  /** The last organizationName, neutralised. */
  readonly organization?: string;
  /**
   * Values of emailAddress, to which constraints on rfc822Name apply (RFC 5280
   * §4.2.1.10).
   */
  readonly emails: readonly string[];
}

/** The facts that are collected while a name is read. */
interface Draft {
  comparable: boolean;
  commonName?: string;
  organization?: string;
  readonly emails: string[];
}

/**
 * Reads a Name from DER. Values of any string type are compared by caseIgnoreMatch: case
 * and insignificant spaces are ignored (RFC 5280 §7.1 [5280-7.1-1], RFC 4518 §2).
 */
export function readDirectoryName(derBytes: Uint8Array): DirectoryName {
  const draft: Draft = { comparable: true, emails: [] };
  const rdns: string[] = [];
  const shown: string[] = [];
  const names = DerReader.sequence(derBytes);
  while (!names.done) {
    const set = names.enter(Tag.set);
    const keys: string[] = [];
    const values: string[] = [];
    while (!set.done) {
      const [key, text] = readAttribute(set.enter(), draft);
      keys.push(key);
      values.push(text);
      // Attributes beyond the limit are neither compared nor shown.
      if (rdns.length + keys.length > MAX_ATTRIBUTES) return tooLong(derBytes, shown);
    }
    rdns.push(keys.toSorted().join('\u0001'));
    shown.unshift(values.join('+'));
  }
  const text = neutralise(shown.join(','));
  return { key: joinRdns(rdns), rdns, text, ...draft };
}

/** Returns the key of the name that these RDNs make. */
export function joinRdns(rdns: readonly string[]): string {
  return rdns.join('\u0002');
}

/** Returns a name that equals only itself and satisfies no constraint. */
function tooLong(derBytes: Uint8Array, shown: readonly string[]): DirectoryName {
  const key = `#${toHex(derBytes)}`;
  return { key, rdns: [key], comparable: false, text: neutralise(shown.join(',')), emails: [] };
}

/** Returns the key and text of one AttributeTypeAndValue. */
function readAttribute(pair: DerReader, draft: Draft): readonly [key: string, text: string] {
  const objectId = readOid(pair.take(Tag.objectId).body);
  const { tag, body, whole } = pair.any();
  pair.end();
  const value = decodeText(tag, body);
  const shown = value ?? Buffer.from(body).toString('latin1');
  if (objectId === COMMON_NAME) draft.commonName = neutralise(shown, 256);
  if (objectId === ORGANIZATION) draft.organization = neutralise(shown, 256);
  if (objectId === EMAIL_ADDRESS) draft.emails.push(shown);
  const prepared = value === undefined ? undefined : prepare(value);
  if (prepared === undefined && stringTags.has(tag)) draft.comparable = false;
  return [
    `${objectId}=${prepared ?? `#${toHex(whole)}`}`,
    `${attributes[objectId] ?? objectId}=${shown.replace(/[,+"\\<>;]/g, '\\$&')}`,
  ];
}

const UTF8 = 0x0c;
const UNIVERSAL = 0x1c;
const BMP = 0x1e;
/**
 * UTF8String, NumericString, PrintableString, TeletexString, IA5String, VisibleString,
 * UniversalString and BMPString.
 */
const stringTags: ReadonlySet<number> = new Set([
  UTF8,
  0x12,
  0x13,
  0x14,
  0x16,
  0x1a,
  UNIVERSAL,
  BMP,
]);

/**
 * Returns the text of a value; undefined for a type that is not text, and for octets that
 * are invalid in that type.
 */
function decodeText(tag: number, bodyBytes: Uint8Array): string | undefined {
  if (!stringTags.has(tag)) return undefined;
  const bytes = Buffer.from(bodyBytes);
  if (tag === UTF8) return decodeUtf8(bytes);
  if (tag === BMP) {
    if (bytes.length % 2 === 0) return bytes.swap16().toString('utf16le');
    return undefined;
  }
  if (tag === UNIVERSAL) return decodeUtf32(bytes);
  return bytes.toString('latin1');
}

/** Decodes UTF8String; undefined for invalid octets. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Decodes UniversalString, four octets per character. */
function decodeUtf32(bytes: Buffer): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const points = Array.from({ length: bytes.length / 4 }, (_, index) =>
    bytes.readUInt32BE(4 * index),
  );
  if (points.every((point) => point <= 0x10ffff))
    return points.map((point) => String.fromCodePoint(point)).join('');
  return undefined;
}

/** Characters that RFC 4518 §2.2 maps to a space, and characters that it removes. */
const spaces = /[\t\n\v\f\r\x85\p{Z}]+/gu;
const ignored = /[\p{Cc}\p{Cf}\u034f\u1806\u180b-\u180d\ufe00-\ufe0f\ufffc]/gu;

/**
 * Prepares a value for caseIgnoreMatch (RFC 4518 §2.2 to §2.6). Undefined if the value
 * has a prohibited character.
 */
function prepare(value: string): string | undefined {
  const spaced = value.replace(spaces, ' ').replace(ignored, '');
  const folded = spaced.normalize('NFKC').toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ');
  if (/[\p{Co}\p{Cs}\p{Cn}\ufffd]/u.test(folded)) return undefined;
  return folded.normalize('NFKC').replace(/ +/g, ' ').replace(/^ | $/g, '');
}

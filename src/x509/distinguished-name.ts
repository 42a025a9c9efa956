import { neutralise } from '../base/index.js';
import { attributes } from './algorithms-registry.js';
import { DerReader, readOid, Tag } from './der-reader.js';

const MAX_ATTRIBUTES = 64;

export interface NameText {
  /** As RFC 4514 writes it, most specific first, neutralised. */
  readonly text: string;
  readonly commonName?: string;
}

/** Reads a Name for showing. Comparisons use its DER. */
export function readDistinguishedName(der: Uint8Array): NameText {
  const parts: string[] = [];
  let commonName: string | undefined;
  const names = new DerReader(der).enter();
  while (!names.done && parts.length < MAX_ATTRIBUTES) {
    const set = names.enter(Tag.set);
    const values: string[] = [];
    while (!set.done && values.length < MAX_ATTRIBUTES) {
      const pair = set.enter();
      const oid = readOid(pair.take(Tag.objectId).body);
      const { tag, body } = pair.any();
      const value = readText(tag, body);
      if (oid === '2.5.4.3') commonName = neutralise(value, 256);
      values.push(`${attributes[oid] ?? oid}=${value.replace(/[,+"\\<>;]/g, '\\$&')}`);
    }
    parts.unshift(values.join('+'));
  }
  return { text: neutralise(parts.join(',')), ...(commonName === undefined ? {} : { commonName }) };
}

/** UTF8String, BMPString, and everything else byte by byte. */
function readText(tag: number, body: Uint8Array): string {
  const bytes = Buffer.from(body);
  if (tag === 0x0c) return bytes.toString('utf8');
  if (tag === 0x1e && bytes.length % 2 === 0) return bytes.swap16().toString('utf16le');
  return bytes.toString('latin1');
}

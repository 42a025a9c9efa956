import type { TrustReason } from '../types.js';

/** The reason why a signature or its key does not count, with a text for the operator. */
export type DkimRefusal = readonly [TrustReason, string];

/** The tags of a signature by name. */
export type SignatureTags = ReadonlyMap<string, string>;

/** The tags of a signature that are required (RFC 6376 §3.5). */
const REQUIRED = ['v', 'a', 'b', 'bh', 'd', 'h', 's'];

/**
 * Parses a tag list (RFC 6376 §3.2). Returns undefined if a tag occurs twice or has no
 * `=`, which makes the whole list invalid [6376-3.2-1].
 */
export function parseTags(tagList: string): ReadonlyMap<string, string> | undefined {
  const tags = new Map<string, string>();
  for (const part of tagList.split(';')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const tagName = part.slice(0, equals).trim();
    if (equals < 0 || tags.has(tagName)) return undefined;
    tags.set(tagName, part.slice(equals + 1).trim());
  }
  return tags;
}

/**
 * Returns the fault in the form of a signature, before its key is looked up (RFC 6376
 * §3.5, §6.1.1) [6376-3.5-1, 6376-6.1.1-1].
 */
export function refuseSignature(
  tags: ReadonlyMap<string, string> | undefined,
): DkimRefusal | undefined {
  if (!tags) return ['signature-malformed', 'the signature is not a list of distinct tags'];
  const missing = REQUIRED.filter((tag) => !tags.has(tag));
  if (missing.length > 0)
    return ['signature-malformed', `the signature has no ${missing.join('=, ')}=`];
  if (tags.get('v') !== '1')
    return ['signature-malformed', 'the signature has a version other than 1'];
  // A signature of a partial body allows text after the signed part (RFC 8460 §3)
  // [8460-3-17].
  if (tags.has('l'))
    return ['signature-partial', 'the signature covers only a part of the body (l=)'];
  if (/-sha1$/i.test(tags.get('a') ?? ''))
    return ['signature-weak', 'a SHA-1 signature is invalid (RFC 8301)'];
  return isWithin(identityOf(tags), tags.get('d') ?? '')
    ? undefined
    : ['signature-malformed', 'the identity (i=) is outside the signing domain (d=)'];
}

/**
 * Returns the fault in the key record of a signature that verifies (RFC 6376 §3.6.1)
 * [6376-3.6.1-1, 6376-3.6.1-2]. A key may be reserved for TLS reports by `s=tlsrpt`
 * (RFC 8460 §3). No large reporter does so, and keys for all services or for mail are
 * accepted too [8460-3-18].
 */
export function refuseKey(
  keyRecord: string,
  signature: ReadonlyMap<string, string>,
): DkimRefusal | undefined {
  const tags = parseTags(keyRecord);
  if (!tags) return ['key-unusable', 'the key record is not a list of distinct tags'];
  if (!listed(tags, 'h', ['sha256'])) return ['key-unusable', 'the key is not for SHA-256 (h=)'];
  if (!listed(tags, 's', ['*', 'tlsrpt', 'email']))
    return ['key-for-other-service', 'the key is for another service (s=)'];
  const flags = valuesOf(tags, 't') ?? [];
  if (flags.includes('y')) return ['key-testing', 'the domain tests DKIM with this key (t=y)'];
  return flags.includes('s') && identityOf(signature) !== domainOf(signature)
    ? ['key-unusable', 'the key is not for subdomains (t=s)']
    : undefined;
}

/** Returns the domain of `i=`, or without `i=` the domain of `d=`. */
function identityOf(tags: ReadonlyMap<string, string>): string {
  const identity = tags.get('i');
  if (identity === undefined) return domainOf(tags);
  return identity.slice(identity.lastIndexOf('@') + 1).toLowerCase();
}

function domainOf(tags: ReadonlyMap<string, string>): string {
  return (tags.get('d') ?? '').toLowerCase();
}

function isWithin(domainName: string, parent: string): boolean {
  const above = parent.toLowerCase();
  return domainName === above || domainName.endsWith(`.${above}`);
}

/**
 * Returns whether the list in a tag contains an accepted value. A missing tag permits all
 * values.
 */
function listed(
  tags: ReadonlyMap<string, string>,
  tagName: string,
  accepted: readonly string[],
): boolean {
  return valuesOf(tags, tagName)?.some((value) => accepted.includes(value)) ?? true;
}

function valuesOf(
  tags: ReadonlyMap<string, string>,
  tagName: string,
): readonly string[] | undefined {
  return tags
    .get(tagName)
    ?.split(':')
    .map((value) => value.trim().toLowerCase());
}

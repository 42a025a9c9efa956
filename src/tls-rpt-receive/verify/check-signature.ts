import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { DkimVerifier, SignatureHeader } from 'mailauth/lib/dkim/dkim-verifier.js';
import type { generateCanonicalizedHeader } from 'mailauth/lib/dkim/header/index.js';
import type { getPublicKey, getSigningHeaderLines } from 'mailauth/lib/tools.js';
import { BoundedMap, neutralise } from '../../base/index.js';
import type { DkimSignature, TrustReason } from '../types.js';
import { parseTags, refuseKey, type SignatureTags } from './dkim-tags.js';

/** The functions of mailauth that parse the signed header fields and a key. */
export interface SignatureTools {
  readonly getPublicKey: typeof getPublicKey;
  readonly getSigningHeaderLines: typeof getSigningHeaderLines;
  readonly generateCanonicalizedHeader: typeof generateCanonicalizedHeader;
}

/** The key records at a name, as plain data. */
export type KeyAnswer =
  | { readonly lookup: 'found'; readonly texts: readonly string[] }
  | { readonly lookup: 'absent' | 'failed'; readonly code?: string };

/** The signatures of a message, and the functions and the time for their verification. */
export interface SignatureCheck {
  readonly verifier: DkimVerifier;
  /** The signatures to check, with their tags. */
  readonly verified: ReadonlyMap<SignatureHeader, SignatureTags>;
  readonly tools: SignatureTools;
  readonly keys: (domainName: string) => Promise<KeyAnswer>;
  /** The time by which expiry is judged, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * Verifies the signatures of a message whose body was hashed (RFC 6376 §6.1). Unlike
 * `finalChunk` of mailauth, this function parses each key only once: a sender signs all
 * its reports with one key, and parsing a key takes longer than verifying a signature.
 */
export async function checkSignatures(check: SignatureCheck): Promise<readonly DkimSignature[]> {
  const { verified, verifier } = check;
  const digests = new Map(
    [...verifier.bodyHashes].map(([key, bodyHash]) => [key, bodyHash.digest('base64')]),
  );
  const signatures: DkimSignature[] = [];
  for (const signature of verified.keys()) {
    const bodyHash = digests.get(signature.bodyHashKey ?? '');
    signatures.push(
      signature.parsed.bh?.value === bodyHash
        ? await checkHeader(signature, check)
        : fails(signature.signingDomain, 'body-changed', 'body hash did not verify'),
    );
  }
  return signatures;
}

/** Verifies a signature whose body hash is correct. */
async function checkHeader(
  signature: SignatureHeader,
  { verifier, verified, tools, keys, at }: SignatureCheck,
): Promise<DkimSignature> {
  const { signingDomain, selector, parsed, original, canonicalization } = signature;
  const key = await keyAt(`${selector}._domainkey.${signingDomain}`, { tools, keys });
  if ('result' in key) return { ...key, signer: signerOf(signingDomain) };
  const lines = tools.getSigningHeaderLines(verifier.headers.parsed, parsed.h?.value, true);
  const { canonicalizedHeader } = tools.generateCanonicalizedHeader('DKIM', lines, {
    signatureHeaderLine: original,
    canonicalization,
  });
  const octets = Buffer.from(parsed.b?.value ?? '', 'base64');
  if (!isGenuine(signature, { header: canonicalizedHeader, key: key.publicKey, octets }))
    return fails(signingDomain, 'header-changed', 'bad signature');
  const { expiration, timestamp } = signature;
  if (expiration && timestamp && expiration < timestamp)
    return fails(signingDomain, 'signature-expired', 'invalid expiration');
  if (expiration && expiration.getTime() < at)
    return fails(signingDomain, 'signature-expired', 'expired');
  if (!names(lines.keys, 'from'))
    return fails(signingDomain, 'signature-partial', 'the signature does not cover From');
  const unfit = refuseKey(key.record, verified.get(signature) ?? new Map<string, string>());
  // Mail of a domain in test mode is treated as unsigned (RFC 6376 §3.6.1).
  if (unfit?.[0] === 'key-testing')
    return { result: 'none', signer: signerOf(signingDomain), detail: unfit[1], reason: unfit[0] };
  if (unfit) return fails(signingDomain, ...unfit);
  const coversStructure = names(lines.keys, 'content-type');
  return { result: 'pass', signer: signerOf(signingDomain), detail: '', coversStructure };
}

/**
 * Returns whether a signature matches the header and the key. Ed25519 signs the SHA-256
 * hash of the header (RFC 8463 §3).
 */
function isGenuine(
  { signAlgo, algorithm }: SignatureHeader,
  { header, key, octets }: { readonly header: Buffer; readonly key: KeyObject; octets: Buffer },
): boolean {
  try {
    if (signAlgo === 'rsa') return verify(algorithm, header, key, octets);
    return verify(null, createHash('sha256').update(header).digest(), key, octets);
  } catch {
    // The key and the signature have different types.
    return false;
  }
}

/** A key, and the text of its record without blanks. */
interface DkimKey {
  readonly publicKey: KeyObject;
  readonly record: string;
}

/** A cache of keys by the text of their TXT records. */
const knownKeys = new BoundedMap<DkimKey>(1000);
/** Maximum characters of a cached record: records of 4096-bit RSA keys have 800. */
const MAX_RECORD = 4096;

/** The result for a key that is missing or unusable, without the signer. */
type NoKey = Omit<DkimSignature, 'signer'>;

async function keyAt(
  domainName: string,
  { tools, keys }: Pick<SignatureCheck, 'tools' | 'keys'>,
): Promise<DkimKey | NoKey> {
  const answer = await keys(domainName);
  if (answer.lookup !== 'found') {
    if (answer.lookup === 'absent')
      return { result: 'fail', detail: 'no key', reason: 'key-absent' };
    const detail = neutralise(`DNS failure: ${answer.code ?? 'no key'}`, 200);
    return { result: 'temperror', detail, reason: 'key-unavailable' };
  }
  const [text = ''] = answer.texts;
  const known = knownKeys.get(text);
  if (known) return known;
  try {
    const found = await tools.getPublicKey('DKIM', domainName, undefined, () =>
      Promise.resolve([[text]]),
    );
    const key = { publicKey: createPublicKey(found.publicKey), record: found.rr };
    if (text.length <= MAX_RECORD) knownKeys.set(text, key);
    return key;
  } catch (error) {
    // A domain that revokes a key may publish its record with an empty p= (RFC 6376
    // §3.6.1).
    if (parseTags(text)?.get('p') === '')
      return { result: 'fail', detail: 'the key is revoked', reason: 'key-absent' };
    const detail = unusable[(error as { code?: string }).code ?? ''] ?? 'the key cannot be read';
    return { result: 'fail', detail, reason: 'key-unusable' };
  }
}

/** The texts for the error codes of `getPublicKey`. */
const unusable: Readonly<Record<string, string>> = {
  EINVALIDVER: 'unknown key version',
  EINVALIDTYPE: 'unknown key type',
  EINVALIDVAL: 'invalid public key',
  ESHORTKEY: 'the key is too short',
};

/** Returns whether a list of header fields, in the form of `h=`, names a field. */
function names(list: string, field: string): boolean {
  return new RegExp(`(^|[:\\s])${field}([:\\s]|$)`, 'i').test(list);
}

/** Returns the result for an invalid signature. */
export function fails(signingDomain: string, reason: TrustReason, detail: string): DkimSignature {
  return { result: 'fail', signer: signerOf(signingDomain), detail, reason };
}

/** Returns the signing domain in lower case. */
export function signerOf(signingDomain: string): string {
  return signingDomain.toLowerCase().replace(/\.$/, '');
}

import {
  hashes,
  signatureSchemes,
  strongHashes,
  type SignatureScheme,
} from './algorithms-registry.js';
import { DerError, DerReader, readOid, readSmall, takeNull, Tag } from './der-reader.js';
import type { Certificate } from './types.js';

/** The only mask generation function in use (RFC 8017 §B.2.1). */
const MGF1 = '1.2.840.113549.1.1.8';

/** An AlgorithmIdentifier of a signature. */
export interface SignatureAlgorithm {
  /**
   * Name such as 'sha256WithRSAEncryption' or 'rsassaPss-sha256'; the dotted OID when
   * unknown.
   */
  readonly name: string;
  readonly scheme?: SignatureScheme;
  /** Every hash that the signature depends on; the dotted OID when unknown. */
  readonly hashes: readonly string[];
  /** Parameters of RSASSA-PSS. */
  readonly pss?: PssParameters;
}

/** Hash, hash of the mask generation, and salt length in octets. */
interface PssParameters {
  readonly hash: string;
  readonly maskHash: string;
  readonly saltLength: number;
}

/**
 * Reads an AlgorithmIdentifier. The result depends on the parameters too, since the
 * parameters of RSASSA-PSS name the hashes.
 */
export function readSignatureAlgorithm(identifier: Uint8Array): SignatureAlgorithm {
  const derReader = DerReader.sequence(identifier);
  const objectId = readOid(derReader.take(Tag.objectId).body);
  const signatureScheme = signatureSchemes[objectId];
  if (!signatureScheme) return { name: objectId, hashes: [] };
  if (signatureScheme.key === 'rsa-pss') {
    const pss = readPss(derReader);
    const { hash, maskHash } = pss;
    const mask = hash === maskHash ? '' : `-mgf1-${maskHash}`;
    const name = `${signatureScheme.name}-${hash}${mask}`;
    return { name, scheme: signatureScheme, hashes: [...new Set([hash, maskHash])], pss };
  }
  // RFC 4055 §5: NULL or absent for RSA. RFC 5758 §3.2 and RFC 8410 §3: absent.
  if (signatureScheme.key === 'rsa') takeNull(derReader);
  derReader.end();
  return {
    name: signatureScheme.name,
    scheme: signatureScheme,
    hashes: signatureScheme.hash ? [signatureScheme.hash] : [],
  };
}

/**
 * Returns true for a signature that depends on a hash with known collisions (RFC 9155 §1,
 * RFC 6151 [9155-1-1]).
 */
export function weaklySigned({ signatureHashes }: Certificate): boolean {
  return signatureHashes.some((hash) => !strongHashes.has(hash));
}

/** Returns true if SHA-1 is the weakest hash; MD2 and MD5 are weaker. */
export function restsOnSha1({ signatureHashes }: Certificate): boolean {
  return signatureHashes.every((hash) => hash === 'sha1' || strongHashes.has(hash));
}

/**
 * Returns true for a signature that this part can verify. node:crypto verifies RSASSA-PSS
 * with one hash for message and mask; RFC 4055 permits two, but CAs do not use them.
 */
export function isVerifiable({ signatureIdentifier }: Certificate): boolean {
  try {
    const { scheme, pss } = readSignatureAlgorithm(signatureIdentifier);
    return scheme !== undefined && pss?.hash === pss?.maskHash;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

/**
 * Reads the parameters of RSASSA-PSS (RFC 4055 §3.1). SHA-1 is the default for the
 * message and for MGF1.
 */
function readPss(algorithm: DerReader): PssParameters {
  const parameters = algorithm.enter();
  algorithm.end();
  const outer = parameters.optional(0xa0);
  const generator = parameters.optional(0xa1);
  const salt = parameters.optional(0xa2);
  const trailer = parameters.optional(0xa3);
  parameters.end();
  if (trailer && readSmall(DerReader.single(trailer.body, Tag.integer).body) !== 1)
    throw new DerError('trailer field is not 1');
  return {
    hash: outer ? readHash(outer.body) : 'sha1',
    maskHash: generator ? readMaskHash(generator.body) : 'sha1',
    saltLength: salt ? readSmall(DerReader.single(salt.body, Tag.integer).body) : 20,
  };
}

/** Reads the hash of MGF1. */
function readMaskHash(bodyBytes: Uint8Array): string {
  const generator = DerReader.sequence(bodyBytes);
  if (readOid(generator.take(Tag.objectId).body) !== MGF1)
    throw new DerError('mask generation is not MGF1');
  return readHash(generator.rest);
}

/** Reads the AlgorithmIdentifier of a hash. */
function readHash(bodyBytes: Uint8Array): string {
  const identifier = DerReader.sequence(bodyBytes);
  const objectId = readOid(identifier.take(Tag.objectId).body);
  takeNull(identifier);
  identifier.end();
  return hashes[objectId] ?? objectId;
}

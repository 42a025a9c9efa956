import { equalBytes, fail, ok, toHex, type Result } from '../base/index.js';
import { readExtensions } from './certificate-extensions.js';
import {
  DerError,
  DerReader,
  readInteger,
  readOctetBits,
  readSmall,
  readTime,
  Tag,
} from './der-reader.js';
import { readDirectoryName } from './directory-name.js';
import { x509Failures } from './failures.js';
import { readPublicKey } from './public-key.js';
import { readSignatureAlgorithm, type SignatureAlgorithm } from './signature-algorithm.js';
import type { Certificate } from './types.js';

/** Maximum octets of one certificate. */
const MAX_OCTETS = 100_000;

/**
 * Reads one DER certificate (RFC 5280 §4.1), strictly. Signatures are not checked here.
 * Fails with `x509-malformed`.
 */
export function parseCertificate(derBytes: Uint8Array): Result<Certificate> {
  if (derBytes.length > MAX_OCTETS)
    return fail(x509Failures.make('x509-malformed', `${derBytes.length} octets`));
  try {
    return ok(read(derBytes));
  } catch (error) {
    if (error instanceof DerError) return fail(x509Failures.make('x509-malformed', error.message));
    throw error;
  }
}

/**
 * Parses a chain as sent (DER). Unreadable certificates are omitted. If the server's own
 * certificate is unreadable, the result is empty, so that no other certificate is judged
 * instead.
 */
export function parseChain(certificateChain: readonly Uint8Array[]): readonly Certificate[] {
  const [first, ...rest] = certificateChain.map(parseCertificate);
  if (first?.ok)
    return [first.value, ...rest.flatMap((parsed) => (parsed.ok ? [parsed.value] : []))];
  return [];
}

/**
 * Reads the certificate (RFC 5280 §4.1):
 *
 *   Certificate      tbsCertificate, signatureAlgorithm, signatureValue
 *   TBSCertificate   [0] version, default v1
 *                    serialNumber
 *                    signature, equal to signatureAlgorithm
 *                    issuer, validity (notBefore, notAfter), subject
 *                    subjectPublicKeyInfo
 *                    [1] issuerUniqueID, [2] subjectUniqueID, not used
 *                    [3] extensions, in version 3 only
 */
function read(derBytes: Uint8Array): Certificate {
  const certificate = DerReader.sequence(derBytes);
  const tbs = certificate.take(Tag.sequence);
  const signatureIdentifier = certificate.take(Tag.sequence).whole;
  const signature = readOctetBits(certificate.take(Tag.bitString).body);
  certificate.end();

  const fields = new DerReader(tbs.body);
  const versionField = fields.optional(0xa0);
  const version = versionField ? readVersion(versionField.body) : 1;
  const serial = readInteger(fields.take(Tag.integer).body);
  // Zero and negative numbers are accepted [5280-4.1.2.2-1].
  if (serial.length > 64) throw new DerError('serial number of a wrong size');
  const defects: string[] = [];
  if (!equalBytes(fields.take(Tag.sequence).whole, signatureIdentifier))
    defects.push('two different signature algorithms');
  const issuer = fields.take(Tag.sequence).whole;
  const dates = fields.enter();
  const notBefore = readTime(dates.any());
  const notAfter = readTime(dates.any());
  dates.end();
  const subject = fields.take(Tag.sequence).whole;
  const spki = fields.take(Tag.sequence).whole;
  const issuerUnique = fields.optional(0x81);
  const subjectUnique = fields.optional(0x82);
  const extensionField = fields.optional(0xa3);
  fields.end();
  if (extensionField && version !== 3) defects.push('extensions before version 3');
  // [5280-4.1-1]
  if ((issuerUnique || subjectUnique) && version === 1) defects.push('unique ID in version 1');

  const subjectName = readDirectoryName(subject);
  const issuerName = readDirectoryName(issuer);
  const extensions = readExtensions(
    extensionField && DerReader.sequence(extensionField.body),
    subjectName.rdns.length > 0,
  );
  const algorithm = readAlgorithm(signatureIdentifier);
  return {
    der: derBytes,
    tbs: tbs.whole,
    spki,
    serial: toHex(serial),
    subject,
    issuer,
    subjectName,
    issuerName,
    subjectText: subjectName.text,
    issuerText: issuerName.text,
    notBefore,
    notAfter,
    ...readPublicKey(spki),
    signatureAlgorithm: algorithm.name,
    signatureHashes: algorithm.hashes,
    signatureIdentifier,
    signature,
    commonName: subjectName.commonName,
    selfIssued: subjectName.key === issuerName.key,
    version,
    ...extensions,
    defects: [...defects, ...algorithm.defects, ...extensions.defects],
  };
}

/** Reads an explicit version: DER omits the default, so only 2 and 3 can occur. */
function readVersion(bodyBytes: Uint8Array): 1 | 2 | 3 {
  const version = readSmall(DerReader.single(bodyBytes, Tag.integer).body) + 1;
  if (version !== 2 && version !== 3) throw new DerError(`version ${version}`);
  return version;
}

/**
 * Reads an algorithm. Parameters that cannot be read are a defect: the certificate still
 * has a name and a key.
 */
function readAlgorithm(
  identifier: Uint8Array,
): Pick<SignatureAlgorithm, 'name' | 'hashes'> & { readonly defects: readonly string[] } {
  try {
    return { ...readSignatureAlgorithm(identifier), defects: [] };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    const defects = [`signature algorithm: ${error.message}`];
    return { name: 'unreadable', hashes: [], defects };
  }
}

import { equalBytes, fail, ok, toHex, type Result } from '../base/index.js';
import { signatureSchemes } from './algorithms-registry.js';
import { readExtensions } from './certificate-extensions.js';
import { DerError, DerReader, readBits, readOid, readSmall, readTime, Tag } from './der-reader.js';
import { readDistinguishedName } from './distinguished-name.js';
import { x509Failures } from './failures.js';
import { readPublicKey } from './public-key.js';
import type { Certificate } from './types.js';

/** Certificates beyond this are not looked at. */
const MAX_OCTETS = 100_000;

/** Reads one DER certificate (RFC 5280 §4.1), strictly. Signatures are not checked here. Fails with `x509-malformed`. */
export function parseCertificate(der: Uint8Array): Result<Certificate> {
  if (der.length > MAX_OCTETS)
    return fail(x509Failures.make('x509-malformed', `${der.length} octets`));
  try {
    return ok(read(der));
  } catch (error) {
    if (error instanceof DerError) return fail(x509Failures.make('x509-malformed', error.message));
    throw error;
  }
}

function read(der: Uint8Array): Certificate {
  const outer = new DerReader(der);
  const certificate = outer.enter();
  outer.end();
  const tbs = certificate.take(Tag.sequence);
  const signatureIdentifier = certificate.take(Tag.sequence).whole;
  const signature = readBits(certificate.take(Tag.bitString).body).bytes;
  certificate.end();

  const fields = new DerReader(tbs.body);
  const versionField = fields.optional(0xa0);
  const version = versionField ? readVersion(versionField.body) : 1;
  const serial = fields.take(Tag.integer).body;
  if (serial.length === 0 || serial.length > 64)
    throw new DerError('serial number of a wrong size');
  if (!equalBytes(fields.take(Tag.sequence).whole, signatureIdentifier))
    throw new DerError('two different signature algorithms');
  const issuer = fields.take(Tag.sequence).whole;
  const dates = fields.enter();
  const notBefore = readTime(dates.any());
  const notAfter = readTime(dates.any());
  dates.end();
  const subject = fields.take(Tag.sequence).whole;
  const spki = fields.take(Tag.sequence).whole;
  fields.optional(0x81); // issuerUniqueID
  fields.optional(0x82); // subjectUniqueID
  const extensionField = fields.optional(0xa3);
  fields.end();
  if (extensionField && version !== 3) throw new DerError('extensions before version 3');

  const subjectName = readDistinguishedName(subject);
  return {
    der,
    tbs: tbs.whole,
    spki,
    serial: toHex(serial),
    subject,
    issuer,
    subjectText: subjectName.text,
    issuerText: readDistinguishedName(issuer).text,
    notBefore,
    notAfter,
    ...readPublicKey(spki),
    signatureAlgorithm: nameOfSignature(signatureIdentifier),
    signatureIdentifier,
    signature,
    ...(subjectName.commonName === undefined ? {} : { commonName: subjectName.commonName }),
    selfIssued: equalBytes(subject, issuer),
    version,
    ...readExtensions(extensionField && new DerReader(extensionField.body).enter()),
  };
}

function readVersion(body: Uint8Array): 1 | 2 | 3 {
  const version = readSmall(new DerReader(body).take(Tag.integer).body) + 1;
  if (version !== 2 && version !== 3) throw new DerError(`version ${version}`);
  return version;
}

function nameOfSignature(identifier: Uint8Array): string {
  const oid = readOid(new DerReader(identifier).enter().take(Tag.objectId).body);
  return signatureSchemes[oid]?.name ?? oid;
}

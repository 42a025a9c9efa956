import { bitString, explicit, integer, objectId, sequence, setOf } from './der-writer.js';
import { subjectAltName } from './extensions.js';
import type { KeyPair } from './key-pair.js';
import { signerFor } from './signature-algorithm.js';

/**
 * Returns a certificate request for these names and this key: PKCS #10 in DER (RFC 2986).
 * The names are in extensionRequest only (RFC 8555 §7.4). The request does not ask for
 * must-staple [9325-7.5-1].
 */
export function certificateRequest({
  names,
  key,
}: {
  readonly names: readonly string[];
  readonly key: KeyPair;
}): Uint8Array {
  const certificateSigner = signerFor(key.privateKey);
  const extensionRequest = sequence(
    objectId('1.2.840.113549.1.9.14'),
    setOf(sequence(subjectAltName(names))),
  );
  const info = sequence(
    integer(0),
    sequence(),
    key.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(0, extensionRequest),
  );
  return sequence(info, certificateSigner.identifier, bitString(certificateSigner.sign(info)));
}

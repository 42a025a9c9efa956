import { createPublicKey, verify, type KeyObject } from 'node:crypto';

/**
 * Parses a certificate request (RFC 2986); undefined when its signature does not verify
 * with its own key. Supports only the form that clients of the lab write, not PKCS #10 as
 * a whole.
 */
export function readCertificateRequest(
  derBytes: Buffer,
): { readonly publicKey: KeyObject; readonly names: readonly string[] } | undefined {
  const [info, , signature] = children(children(derBytes)[0]?.body ?? derBytes);
  if (!info || !signature) return undefined;
  const [, , spki, attributes] = children(info.body);
  if (!spki || !attributes) return undefined;
  const publicKey = createPublicKey({ key: spki.whole, format: 'der', type: 'spki' });
  if (!verify('sha256', info.whole, publicKey, signature.body.subarray(1))) return undefined;
  return { publicKey, names: dnsNames(attributes.body) };
}

interface Element {
  readonly tag: number;
  readonly body: Buffer;
  readonly whole: Buffer;
}

function children(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let position = 0; position + 2 <= bytes.length;) {
    // X.690 §8.1.3: an octet below 0x80 is the length; otherwise its low bits count the
    // length octets.
    const first = bytes.readUInt8(position + 1);
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const length = octets === 0 ? first : bytes.readUIntBE(position + 2, octets);
    const startOffset = position + 2 + octets;
    found.push({
      tag: bytes.readUInt8(position),
      body: bytes.subarray(startOffset, startOffset + length),
      whole: bytes.subarray(position, startOffset + length),
    });
    position = startOffset + length;
  }
  return found;
}

const CONTEXT_2 = 0x82; // dNSName in a GeneralName
const CONSTRUCTED = 0x20;
const OCTET_STRING = 0x04; // OCTET STRING around the value of an extension

/** Returns all dNSNames in an element, regardless of the position of the extension. */
function dnsNames(bytes: Buffer): string[] {
  return children(bytes).flatMap(({ tag, body }) => {
    if (tag === CONTEXT_2) return [body.toString('latin1')];
    return tag & CONSTRUCTED || tag === OCTET_STRING ? dnsNames(body) : [];
  });
}

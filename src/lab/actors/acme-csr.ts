import { createPublicKey, verify, type KeyObject } from 'node:crypto';

/**
 * What a certificate request asks for (RFC 2986); undefined when it is not signed by its
 * own key. Reads what clients of the lab write, no more.
 */
export function readCertificateRequest(
  der: Buffer,
): { readonly publicKey: KeyObject; readonly names: readonly string[] } | undefined {
  const [info, , signature] = children(children(der)[0]?.body ?? der);
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
  for (let at = 0; at + 2 <= bytes.length;) {
    const first = bytes.readUInt8(at + 1);
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const length = octets === 0 ? first : bytes.readUIntBE(at + 2, octets);
    const start = at + 2 + octets;
    found.push({
      tag: bytes.readUInt8(at),
      body: bytes.subarray(start, start + length),
      whole: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return found;
}

/** Every dNSName below, wherever the extension stands. */
function dnsNames(bytes: Buffer): string[] {
  return children(bytes).flatMap(({ tag, body }) =>
    tag === 0x82 ? [body.toString('latin1')] : tag & 0x20 || tag === 0x04 ? dnsNames(body) : [],
  );
}

import { fromBase64 } from '../../base/index.js';
import type { AddressEvidence } from '../../evidence/index.js';
import { parseCertificate, type Certificate } from '../../x509/index.js';

/**
 * A chain in the order of the server; undefined for a certificate that cannot be parsed.
 */
type ReadChain = readonly (Certificate | undefined)[];

/**
 * The chains of visits, parsed once because many names and domains share the connections
 * of a visit.
 */
const parsed = new WeakMap<AddressEvidence['connections'], readonly ReadChain[]>();

/** Returns every chain that the connections of a visit showed. */
export function visitCertificates({ connections }: AddressEvidence): readonly ReadChain[] {
  const known = parsed.get(connections);
  if (known) return known;
  const chains = connections
    .flatMap(({ handshake, withoutSni, presented }) => [handshake, withoutSni, presented])
    .flatMap((presentedChain) =>
      presentedChain ? [presentedChain.chain.map(readCertificate)] : [],
    );
  parsed.set(connections, chains);
  return chains;
}

function readCertificate(text: string): Certificate | undefined {
  const read = parseCertificate(fromBase64(text) ?? new Uint8Array());
  return read.ok ? read.value : undefined;
}

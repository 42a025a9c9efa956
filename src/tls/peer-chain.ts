import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** Certificates of a chain that are read. */
const MAX_CERTIFICATES = 100;

/**
 * The certificates as the server sent them, in their order on the wire, junk included:
 * `getPeerCertificate(true)` would follow issuers and hide junk. Where nothing more was
 * sent, some versions of Node let a certificate be its own issuer, so the same object
 * ends the walk.
 */
export function peerChain(socket: TLSSocket): Uint8Array[] {
  const certificateChain: Uint8Array[] = [];
  const seen = new Set<X509Certificate>();
  let certificate = socket.getPeerX509Certificate();
  while (certificate && !seen.has(certificate) && certificateChain.length < MAX_CERTIFICATES) {
    seen.add(certificate);
    certificateChain.push(new Uint8Array(certificate.raw));
    certificate = certificate.issuerCertificate;
  }
  return certificateChain;
}

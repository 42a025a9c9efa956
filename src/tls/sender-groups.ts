import { createSecureContext } from 'node:tls';

/** Groups that every OpenSSL since 1.1.1 has, the most common first. */
export const classicalGroups = 'X25519:P-256:P-384:P-521';

/** IANA name of the only group in the offers of this project that is not classical. */
const hybrid = 'X25519MLKEM768';

/**
 * X25519MLKEM768 first (RFC 10024), and a key share for X25519 only: the asterisk of
 * OpenSSL 3.5 names the groups with a share. The hello keeps the small size that every
 * server and middlebox accepts. A server that supports the hybrid requests its share by
 * HelloRetryRequest (RFC 9846 §4.2.4).
 */
const hybridGroups = `${hybrid}:*${classicalGroups}`;

let chosen: string | undefined;

/**
 * Returns the groups that a client of this project offers, with post-quantum key exchange
 * if the OpenSSL of this Node supports it. The function tries the group list, since a
 * version number proves nothing about a Node that was built with another library.
 */
export function senderGroups(): string {
  chosen ??= accepts(hybridGroups) ? hybridGroups : classicalGroups;
  return chosen;
}

function accepts(ecdhCurve: string): boolean {
  try {
    createSecureContext({ ecdhCurve });
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns the group of a TLS 1.3 session that Node does not name. Node 22 has OpenSSL 3.5
 * and names classical groups only, so the group is the hybrid of the offer: a handshake
 * without a pre-shared key always agrees on an offered group (RFC 9846 §4.2.8).
 *
 * @param offered the list of groups that the client offered, in the notation of OpenSSL
 */
export function unnamedGroup(offered: string): string | undefined {
  return offered === hybridGroups ? hybrid : undefined;
}

import { formatIp, networkOf, parseIp } from '../../base/index.js';

/** Maximum number of entries of `X-Forwarded-For` that are read, from the right. */
const MAX_HOPS = 10;

/**
 * Returns the address of the client. Behind reverse proxies this is the right-most entry
 * of `X-Forwarded-For` that is not a trusted proxy: the client may have written the
 * entries to the left of it. If the peer is not a trusted proxy, the field is ignored.
 */
export function clientAddress(
  peerAddress: string,
  forwardedFor: string | undefined,
  proxies: readonly string[],
): string {
  const trusted = new Set(proxies.map(canonicalAddress));
  let client = canonicalAddress(peerAddress);
  const hops = (forwardedFor ?? '').split(',').reverse().slice(0, MAX_HOPS);
  for (const hop of hops) {
    if (!trusted.has(client)) return client;
    const ipAddress = parseIp(hop.trim());
    if (!ipAddress) return client;
    client = canonicalAddress(hop.trim());
  }
  return client;
}

/**
 * Returns the canonical form of an address. An IPv4-mapped IPv6 address, which dual-stack
 * sockets report, becomes an IPv4 address.
 */
export function canonicalAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  const ipAddress = parseIp(mapped);
  return ipAddress ? formatIp(ipAddress) : mapped;
}

/**
 * Returns the key by which clients are limited: an IPv4 address, or the /56 network of an
 * IPv6 address, which providers usually assign to one customer.
 */
export function limitKey(address: string): string {
  const ipAddress = parseIp(address);
  if (ipAddress?.family !== 6) return address;
  return formatIp({
    family: 6,
    bytes: ipAddress.bytes.map((octet, index) => (index < 7 ? octet : 0)),
  });
}

/** Returns the part of a client's address that is saved: IPv4 /24 or IPv6 /48. */
export function savedAddress(address: string): string {
  return networkOf(address);
}

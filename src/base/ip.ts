import { isIPv4, isIPv6 } from 'node:net';

/** An IP address: 4 or 16 octets. */
export interface Ip {
  readonly family: 4 | 6;
  readonly bytes: Uint8Array;
}

/**
 * Parses a literal IP address without zone id, brackets or prefix length. Returns
 * undefined for any other text.
 */
export function parseIp(addressText: string): Ip | undefined {
  if (isIPv4(addressText))
    return { family: 4, bytes: Uint8Array.from(addressText.split('.'), Number) };
  if (!isIPv6(addressText) || addressText.includes('%')) return undefined;
  let rest = addressText;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(addressText);
  if (dotted) {
    const [first, second, third, fourth] = (dotted[2] as string).split('.').map(Number) as [
      number,
      number,
      number,
      number,
    ];
    rest = `${dotted[1] as string}${((first << 8) | second).toString(16)}:${((third << 8) | fourth).toString(16)}`;
  }
  const [head = '', tail] = rest.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  const bytes = new Uint8Array(16);
  groups.forEach((hexGroup, index) => {
    const value = parseInt(hexGroup, 16);
    bytes[2 * index] = value >> 8;
    bytes[2 * index + 1] = value & 0xff;
  });
  return { family: 6, bytes };
}

/**
 * Formats an address in its canonical text form (RFC 5952 for IPv6), so that equal
 * addresses have equal text.
 */
export function formatIp(address: Ip): string {
  if (address.family === 4) return address.bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    (
      ((address.bytes[2 * index] as number) << 8) |
      (address.bytes[2 * index + 1] as number)
    ).toString(16),
  );
  let best = { at: -1, length: 1 };
  for (let index = 0; index < 8; index++) {
    let count = 0;
    while (index + count < 8 && groups[index + count] === '0') count++;
    if (count > best.length) best = { at: index, length: count };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}

/**
 * Returns true for an address inside a network, such as 192.0.2.0 with 24 bits. The
 * families must be equal.
 */
export function withinPrefix(address: Ip, prefix: string, length: number): boolean {
  const net = parseIp(prefix);
  if (net?.family !== address.family) return false;
  for (let bit = 0; bit < length; bit += 8) {
    const mask = length - bit >= 8 ? 0xff : (0xff << (8 - (length - bit))) & 0xff;
    if (((address.bytes[bit >> 3] as number) & mask) !== ((net.bytes[bit >> 3] as number) & mask))
      return false;
  }
  return true;
}

/**
 * Returns the network that one organisation usually holds: IPv4 /24 or IPv6 /48. Text
 * that is not an address is returned unchanged.
 */
export function networkOf(address: string): string {
  const source = sourceOf(address);
  if (isIPv4(source)) return source.replace(/\d+$/, '0');
  return maskedTo(source, 6);
}

/**
 * Returns the address that identifies one client: an IPv4 address, or the /64 network of
 * an IPv6 address, because one host controls the whole /64. Text that is not an address
 * is returned unchanged.
 */
export function sourceOf(address: string): string {
  if (isIPv4(address)) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  return maskedTo(address, 8);
}

function maskedTo(address: string, octets: number): string {
  const ipAddress = parseIp(address);
  if (ipAddress)
    return formatIp({
      family: ipAddress.family,
      bytes: ipAddress.bytes.map((octet, index) => (index < octets ? octet : 0)),
    });
  return address;
}

import { parseIp, withinPrefix } from '../base/index.js';
import type { NetFailure, Network } from './types.js';

type Block = readonly [prefix: string, length: number, what: string];

/**
 * Blocks of the IANA special-purpose registries (RFC 6890 and updates, as of 2026-11). No
 * record of a foreign domain may direct a connection to these addresses.
 */
const blocks: readonly Block[] = [
  ['0.0.0.0', 8, 'this network'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared (CGNAT)'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'IETF protocol assignments'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, '6to4 relay'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmarking'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['64:ff9b:1::', 48, 'local translation'], // RFC 8215: the network chooses the position
  ['100::', 64, 'discard'],
  ['100:0:0:1::', 64, 'dummy prefix'],
  ['2001::', 23, 'IETF protocol assignments'],
  ['2001:db8::', 32, 'documentation'],
  ['3fff::', 20, 'documentation'],
  ['5f00::', 16, 'segment routing'],
  ['fc00::', 7, 'unique local'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'site-local'],
  ['ff00::', 8, 'multicast'],
];

/**
 * IPv6 forms that embed an IPv4 address, and its position: mapped, compatible,
 * translated, NAT64 (RFC 6052), 6to4.
 */
const carriers: readonly (readonly [prefix: string, length: number, at: number])[] = [
  ['::ffff:0:0', 96, 12],
  ['::ffff:0:0:0', 96, 12],
  ['64:ff9b::', 96, 12],
  ['2002::', 16, 2],
  ['::', 96, 12],
];

/**
 * Returns the kind of a special-purpose address, such as `private`; undefined for a
 * public one.
 */
export function specialPurpose(address: string): string | undefined {
  const ipAddress = parseIp(address);
  if (!ipAddress) return 'not an address';
  const block = blocks.find(([prefix, length]) => withinPrefix(ipAddress, prefix, length));
  if (block) return block[2];
  const carrier =
    ipAddress.family === 6
      ? carriers.find(([prefix, length]) => withinPrefix(ipAddress, prefix, length))
      : undefined;
  if (!carrier) return undefined;
  const inner = specialPurpose(ipAddress.bytes.slice(carrier[2], carrier[2] + 4).join('.'));
  return inner && `${inner} inside IPv6`;
}

/**
 * Wraps a network so that it refuses special-purpose destinations: private, loopback,
 * link-local, documentation and others, in every IPv6 form. A foreign MX or TLSA record
 * could otherwise direct connections into the operator's network (server-side request
 * forgery). The guard checks the literal that is dialled, so no gap exists between lookup
 * and use. `kindOf` returns the reason for a refusal, or undefined to permit the address.
 */
export function guarded(
  network: Network,
  kindOf: (address: string) => string | undefined = specialPurpose,
): Network {
  const refusal = (address: string): { ok: false; failure: NetFailure } | undefined => {
    const what = kindOf(address);
    if (what === undefined) return undefined;
    return { ok: false, failure: { code: 'net-guarded', detail: `${address} is ${what}` } };
  };
  return {
    dial: (request) => Promise.resolve(refusal(request.address) ?? network.dial(request)),
    exchange: (request) =>
      Promise.resolve(refusal(request.to.address) ?? network.exchange(request)),
  };
}

import { parseIp } from '../base/index.js';

/** The reason why senders skip an MX record: its name belongs to no host. */
export type PassedOver = 'address-literal' | 'special-name' | 'no-address';

/** Names that the public DNS never contains, with the RFC that reserves them. */
const special: readonly (readonly [suffix: string, rfc: string])[] = [
  ['invalid', 'RFC 6761 §6.4'],
  ['localhost', 'RFC 6761 §6.3'],
  ['test', 'RFC 6761 §6.2'],
  ['local', 'RFC 6762 §3'],
  ['onion', 'RFC 7686 §2'],
  ['alt', 'RFC 9476 §2'],
  ['home.arpa', 'RFC 8375 §4'],
  ['internal', 'ICANN resolution 2024.07.29.06'],
];

/** Names that resolve on no network, not even on a private one. */
const nowhere: ReadonlySet<string> = new Set(['invalid', 'localhost', 'onion', 'alt']);

/**
 * Returns the suffix that reserves a name and its clause; undefined for an ordinary name.
 */
export function specialName(
  hostName: string,
): { readonly suffix: string; readonly clause: string } | undefined {
  const found = special.find(([suffix]) => hostName === suffix || hostName.endsWith(`.${suffix}`));
  return found && { suffix: found[0], clause: found[1] };
}

/**
 * Returns true for `192.0.2.7`, `[192.0.2.7]` and their IPv6 forms instead of a host name
 * (RFC 1035 §3.3.9), and for any name whose last label is a number: no such top-level
 * name exists.
 */
export function isAddressLiteral(hostName: string): boolean {
  const bare = unescaped(hostName).replace(/^\[(?:ipv6:)?(.*)\]$/i, '$1');
  return parseIp(bare) !== undefined || /(^|\.)\d+$/.test(bare);
}

/**
 * Returns the characters of a name that are invalid in a host name (RFC 1123 §2.1), such
 * as those of a URL or a mail address. Undefined if all are valid.
 */
export function foreignCharacters(hostName: string): string | undefined {
  const found = [...new Set(unescaped(hostName).match(/[^a-z0-9._-]/gi))].map((character) =>
    character === ' ' ? 'a space' : `"${character}"`,
  );
  return found.length > 0 ? found.slice(0, 3).join(', ') : undefined;
}

/** Returns the name with the character for each octet that is written as `\DDD`. */
function unescaped(hostName: string): string {
  return hostName
    .replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/\\/g, '');
}

/**
 * Returns true if a lookup is pointless: RFC 6761 fixes the answer, and resolvers
 * return it without proof.
 */
export function neverResolves(hostName: string, onPrivateNetwork: boolean): boolean {
  if (isAddressLiteral(hostName)) return true;
  const suffix = specialName(hostName)?.suffix;
  return suffix !== undefined && (nowhere.has(suffix) || !onPrivateNetwork);
}

/**
 * Returns the reason why senders skip a host without addresses; undefined if it has
 * addresses, or if a lookup failed.
 */
export function passedOver(
  hostName: string,
  lookup: 'found' | 'absent' | 'failed',
  addresses: number,
): PassedOver | undefined {
  if (addresses > 0) return undefined;
  if (isAddressLiteral(hostName)) return 'address-literal';
  if (specialName(hostName)) return 'special-name';
  if (lookup === 'absent') return 'no-address';
  return undefined;
}

/**
 * Returns the address that an MX record contains without a final dot: `192.0.2.7` for
 * `192.0.2.7.one.example` in the zone `one.example` (RFC 1035 §5.1, §3.3.9).
 */
export function addressBeforeOrigin(hostName: string, domainName: string): string | undefined {
  const address = beforeOrigin(hostName, domainName).replace(/^\[(?:ipv6:)?(.*)\]$/i, '$1');
  return parseIp(address) === undefined ? undefined : address;
}

/** Returns the name without the zone's own name; empty for a name outside the zone. */
function beforeOrigin(hostName: string, domainName: string): string {
  const suffix = `.${domainName}`;
  return hostName.endsWith(suffix) ? hostName.slice(0, -suffix.length) : '';
}

/**
 * Returns the intended name in an MX record whose final dot is missing: `mx.one.example`
 * for `mx.one.example.one.example` in the zone `one.example` (RFC 1035 §5.1). The name is
 * a guess that a lookup has to confirm.
 */
export function withoutOrigin(hostName: string, domainName: string): string | undefined {
  const meant = beforeOrigin(hostName, domainName);
  if (meant.includes('.') && !specialName(meant) && !isAddressLiteral(meant)) return meant;
  return undefined;
}

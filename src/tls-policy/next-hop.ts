import {
  fail,
  formatIp,
  ok,
  parseDomain,
  parseIp,
  type Failure,
  type Name,
  type Result,
} from '../base/index.js';

/**
 * The next hop of a message: a domain to be resolved by its MX records, one host without
 * MX lookup (a smart host), or an IP address.
 */
export type NextHop =
  | { readonly kind: 'domain' | 'host'; readonly name: Name; readonly port: number }
  | { readonly kind: 'address'; readonly ip: string; readonly port: number };

/**
 * Parses a next hop in the notation of mail servers: `example.com`, `example.com:2525`,
 * `[smtp.example.net]:587` (brackets: no MX lookup), `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
 * [8461-3.4-1]
 */
export function parseNextHop(text: string, defaultPort = 25): Result<NextHop> {
  const parts = /^(?:\[([^\]]*)\]|([^[\]:]*))(?::(\d{1,5}))?$/.exec(text.trim());
  const port = parts?.[3] === undefined ? defaultPort : Number(parts[3]);
  if (!parts || port < 1 || port > 65_535) return fail(notADestination(text));
  const bracketed = parts[1]?.replace(/^IPv6:/i, '');
  const parsedIp = bracketed === undefined ? undefined : parseIp(bracketed);
  if (parsedIp) return ok({ kind: 'address', ip: formatIp(parsedIp), port });
  const parsedName = parseDomain(bracketed ?? parts[2] ?? '');
  if (!parsedName.ok) return parsedName;
  return ok({ kind: bracketed === undefined ? 'domain' : 'host', name: parsedName.value, port });
}

function notADestination(text: string): Failure {
  return {
    code: 'name-not-a-domain',
    blame: 'local',
    temporary: false,
    detail: text.slice(0, 100),
  };
}

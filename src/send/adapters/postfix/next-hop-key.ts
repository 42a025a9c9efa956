import { parseNextHop, type NextHop } from '../../../tls-policy/index.js';

/** Port numbers by the service names that a next hop may contain. */
const services: Readonly<Record<string, string>> = {
  smtp: '25',
  submission: '587',
  submissions: '465',
  smtps: '465',
};

/**
 * Parses a key of smtp_tls_policy_maps: `domain`, `[host]`, `[host]:port`, `domain:port`.
 * Returns undefined if no policy can exist: for an invalid name, and for a parent key
 * `.example.com`, which Postfix looks up after NOTFOUND. The policy of a parent domain
 * never applies (RFC 8461 §3.4).
 *
 * @param key has one character for each octet; a U-label is UTF-8
 */
export function nextHopOf(lookupKey: string): NextHop | undefined {
  if (lookupKey.startsWith('.')) return undefined;
  const keyText = Buffer.from(lookupKey, 'latin1').toString('utf8');
  const hop = parseNextHop(
    keyText.replace(/:([a-z]+)$/i, (whole, serviceName: string) =>
      services[serviceName.toLowerCase()] ? `:${services[serviceName.toLowerCase()]}` : whole,
    ),
  );
  return hop.ok && hop.value.kind !== 'address' ? hop.value : undefined;
}

import { parseNextHop, type NextHop } from '../../../tls-policy/index.js';

/** Ports by the names a next hop may be written with. */
const services: Readonly<Record<string, string>> = {
  smtp: '25',
  submission: '587',
  submissions: '465',
  smtps: '465',
};

/**
 * Parses a key of smtp_tls_policy_maps: `domain`, `[host]`, `[host]:port`, `domain:port`.
 * Undefined where no policy can exist: for the parent keys `.example.com` that Postfix
 * looks up after a NOTFOUND (RFC 8461 §3.4: a policy is never taken from a parent
 * domain), and for invalid names.
 *
 * @param key one character an octet; a U-label is UTF-8
 */
export function nextHopOf(cacheKey: string): NextHop | undefined {
  if (cacheKey.startsWith('.')) return undefined;
  const requestText = Buffer.from(cacheKey, 'latin1').toString('utf8');
  const hop = parseNextHop(
    requestText.replace(/:([a-z]+)$/i, (whole, domainName: string) =>
      services[domainName.toLowerCase()] ? `:${services[domainName.toLowerCase()]}` : whole,
    ),
  );
  return hop.ok && hop.value.kind !== 'address' ? hop.value : undefined;
}

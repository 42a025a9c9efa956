import { fail, ok, parseIp, withinPrefix, type Result } from '../../base/index.js';
import { checkFailures } from '../failures.js';

/** Returns true for a host or address whose operator asked not to be contacted. */
export type OptOut = (hostName: string, address: string) => boolean;

/**
 * Parses an opt-out list: one host name, address or network (`192.0.2.0/24`) per line.
 * `*.example.com` covers all names below example.com; `#` starts a comment. A malformed
 * line is a failure: without that line, a check could contact a host that opted out.
 */
export function parseOptOut(text: string): Result<OptOut> {
  const names = new Set<string>();
  const networks: (readonly [prefix: string, length: number])[] = [];
  for (const raw of text.split(/\r?\n/)) {
    const optOutLine = raw.replace(/#.*/, '').trim().toLowerCase().replace(/\.$/, '');
    if (optOutLine === '') continue;
    const network = networkOf(optOutLine);
    if (network) networks.push(network);
    else if (/^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(optOutLine)) names.add(optOutLine);
    else return fail(checkFailures.make('opt-out-malformed', optOutLine.slice(0, 100)));
  }
  return ok((hostName, ipAddress) => {
    const labels = hostName.toLowerCase().split('.');
    const named =
      names.has(labels.join('.')) ||
      labels.some((_, index) => index > 0 && names.has(`*.${labels.slice(index).join('.')}`));
    const address = parseIp(ipAddress);
    return (
      named ||
      (address !== undefined &&
        networks.some(([prefix, length]) => withinPrefix(address, prefix, length)))
    );
  });
}

/**
 * Parses an address or a network in CIDR notation; an address is a network of one.
 * Undefined for another form, which may be a host name.
 */
function networkOf(optOutLine: string): readonly [prefix: string, length: number] | undefined {
  const [prefix = '', length, ...more] = optOutLine.split('/');
  const address = parseIp(prefix);
  if (!address || more.length > 0) return undefined;
  const maximum = address.family === 4 ? 32 : 128;
  if (length === undefined) return [prefix, maximum];
  if (/^\d{1,3}$/.test(length) && Number(length) <= maximum) return [prefix, Number(length)];
  return undefined;
}

import { fail, ok, parseIp, withinPrefix, type Result } from '../../base/index.js';
import { checkFailures } from '../failures.js';

/**
 * Who asked to be left alone: true for a host or address that is never to be connected
 * to.
 */
export type OptOut = (host: string, ip: string) => boolean;

/**
 * Reads a list of hosts and addresses, one a line. `*.example.com` stands for every name
 * below it.
 */
export function parseOptOut(text: string): Result<OptOut> {
  const names = new Set<string>();
  const networks: (readonly [prefix: string, length: number])[] = [];
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/#.*/, '').trim().toLowerCase().replace(/\.$/, '');
    if (line === '') continue;
    const network = networkOf(line);
    if (network) networks.push(network);
    else if (/^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(line)) names.add(line);
    else return fail(checkFailures.make('opt-out-malformed', line.slice(0, 100)));
  }
  return ok((host, ip) => {
    const labels = host.toLowerCase().split('.');
    const named =
      names.has(labels.join('.')) ||
      labels.some((_, i) => i > 0 && names.has(`*.${labels.slice(i).join('.')}`));
    const address = parseIp(ip);
    return (
      named ||
      (address !== undefined &&
        networks.some(([prefix, length]) => withinPrefix(address, prefix, length)))
    );
  });
}

function networkOf(line: string): readonly [prefix: string, length: number] | undefined {
  const [prefix = '', length, ...more] = line.split('/');
  const ip = parseIp(prefix);
  if (!ip || more.length > 0) return undefined;
  const most = ip.family === 4 ? 32 : 128;
  if (length === undefined) return [prefix, most];
  return /^\d{1,3}$/.test(length) && Number(length) <= most ? [prefix, Number(length)] : undefined;
}

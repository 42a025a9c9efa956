import type { Name } from '../base/index.js';
import { readTlsa, RRType, type Resolver } from '../dns/index.js';
import { formatTlsa } from './tlsa-text.js';

/** The host and domain whose misplaced TLSA records {@link lookupMisplaced} looks up. */
export interface MisplacedOptions {
  readonly resolver: Resolver;
  /** The MX host, which has no TLSA record at `_25._tcp`. */
  readonly host: Name;
  /** The domain whose mail the host accepts. */
  readonly domain: Name;
  readonly signal?: AbortSignal | undefined;
}

/** Owner name prefixes that administrators publish by mistake instead of `_25._tcp`. */
const prefixes: readonly string[] = [
  '_465._tcp',
  '_587._tcp',
  '_443._tcp',
  '_25._udp',
  '25._tcp',
  '_25.tcp',
  '_tcp',
];

/** Maximum number of records to report of one owner name. */
const MAX_RECORDS = 3;

/**
 * Looks up TLSA records at owner names that no sender queries for a mail host (RFC 7672
 * §2.2.3): at the ports of submission and HTTPS, under UDP, without the port, at the host
 * name itself, at the mail domain instead of the host, and below the domain written
 * twice, the result of a missing final dot. Returns lines of the form `owner TLSA data`;
 * sends at most ten queries.
 */
export async function lookupMisplaced(options: MisplacedOptions): Promise<readonly string[]> {
  const { resolver, host: hostName, domain: domainName, signal } = options;
  const places = [
    ...prefixes.map((prefix) => hostName.prepend(prefix)),
    { ok: true, value: hostName } as const,
    ...(domainName.equals(hostName) ? [] : [domainName.prepend('_25._tcp')]),
    (hostName.isAtOrBelow(domainName) ? domainName : hostName.parent).prepend(
      `_25._tcp.${hostName.toLower()}`,
    ),
  ];
  const found = await Promise.all(
    places.map(async (place) => {
      if (!place.ok) return [];
      const dnsAnswer = await resolver.ask(place.value, RRType.TLSA, signal ? { signal } : {});
      return dnsAnswer.records.slice(0, MAX_RECORDS).flatMap((resourceRecord) => {
        const read = readTlsa(resourceRecord);
        if (read.ok) return [`${place.value.toLower()} TLSA ${formatTlsa(read.value)}`];
        return [];
      });
    }),
  );
  return found.flat();
}

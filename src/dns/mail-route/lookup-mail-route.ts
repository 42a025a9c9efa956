import type { Failure, Name } from '../../base/index.js';
import type { AskOptions, Dnssec, Resolver } from '../types.js';
import { wireFailures } from '../wire/failures.js';
import { readMx } from '../wire/rdata.js';
import { RRType } from '../wire/types-registry.js';

/** The mail route of a domain (RFC 5321 §5.1). */
export interface MailRoute {
  /**
   * `implicit`: no MX record, so mail goes to the domain's own addresses; `null-mx`: the
   * domain accepts no mail (RFC 7505); `none`: no MX and no address; `error`: the lookup
   * failed.
   */
  readonly kind: 'mx' | 'implicit' | 'null-mx' | 'none' | 'error';
  readonly status: 'found' | 'nodata' | 'nxdomain' | 'failed';
  /** The status of the MX RRset or its denial, including aliases of the policy domain. */
  readonly dnssec: Dnssec;
  readonly failure?: Failure;
  /** Seconds for which the result may be cached. */
  readonly ttl: number;
  /**
   * The end of the policy domain's alias chain, or the domain itself if it has no alias.
   */
  readonly canonicalName: Name;
  /**
   * At most 100 hosts, each once, by preference and then in the order of the answer.
   */
  readonly hosts: readonly { readonly name: Name; readonly preference: number }[];
  /**
   * Whether a null MX exists next to these hosts, which RFC 7505 §3 [7505-3-1] forbids.
   */
  readonly besideNullMx?: true;
}

export interface MailRouteOptions extends AskOptions {
  /**
   * Whether to trust a denial of a domain's MX records from a resolver that strips
   * DNSSEC. The option is for senders that do not use DNSSEC. Default false: the denial
   * may be forged.
   */
  readonly unprovedAbsence?: boolean;
}

const MAX_HOSTS = 100;

/**
 * Looks up a domain's MX records. The implicit MX applies only if the MX record is
 * absent, never after a failure.
 */
export async function lookupMailRoute(
  resolver: Resolver,
  domainName: Name,
  options: MailRouteOptions = {},
): Promise<MailRoute> {
  const { unprovedAbsence = false, ...rest } = options;
  const mailRoute = await readRoute(resolver, domainName, { ...rest, acceptUnvalidated: true });
  const takesNoMail = mailRoute.kind === 'none' || mailRoute.kind === 'null-mx';
  if (!takesNoMail || unprovedAbsence || mailRoute.dnssec !== 'indeterminate') return mailRoute;
  return { ...mailRoute, kind: 'error', status: 'failed', ttl: 0 };
}

async function readRoute(
  resolver: Resolver,
  domainName: Name,
  asked: AskOptions,
): Promise<MailRoute> {
  const answer = await resolver.ask(domainName, RRType.MX, asked);
  const { status, dnssec, ttl, canonicalName } = answer;
  const common = {
    status,
    dnssec,
    ttl,
    canonicalName,
    failure: answer.failure,
  };
  if (answer.status === 'failed') return { ...common, kind: 'error', hosts: [] };
  if (answer.status === 'nxdomain') return { ...common, kind: 'none', hosts: [] };
  if (answer.status === 'nodata') {
    // RFC 5321 §5.1: without MX, mail goes to the domain's own address.
    const [ipv4Answer, ipv6Answer] = await Promise.all([
      resolver.ask(domainName, RRType.A, asked),
      resolver.ask(domainName, RRType.AAAA, asked),
    ]);
    if (ipv4Answer.status === 'found' || ipv6Answer.status === 'found')
      return { ...common, kind: 'implicit', hosts: [{ name: domainName, preference: 0 }] };
    const failed = [ipv4Answer, ipv6Answer].find((a) => a.status === 'failed');
    if (failed)
      return {
        ...common,
        kind: 'error',
        status: 'failed',
        dnssec: failed.dnssec,
        ttl: 0,
        failure: failed.failure,
        hosts: [],
      };
    return { ...common, kind: 'none', hosts: [] };
  }
  const records = answer.records.flatMap((resourceRecord) => {
    const mxRecord = readMx(resourceRecord);
    return mxRecord.ok ? [mxRecord.value] : [];
  });
  if (records.length === 0)
    return {
      ...common,
      kind: 'error',
      status: 'failed',
      ttl: 0,
      failure: wireFailures.make('dns-malformed', 'no MX record can be read'),
      hosts: [],
    };
  // RFC 7505 §3: the root is the only host.
  if (records.every((mxRecord) => mxRecord.exchange.isRoot))
    return { ...common, kind: 'null-mx', hosts: [] };
  const hosts = new Map<string, { readonly name: Name; readonly preference: number }>();
  for (const { exchange, preference } of records.sort(
    (left, right) => left.preference - right.preference,
  ))
    // [7672-2.2.1-1]
    if (!exchange.isRoot && !hosts.has(exchange.key))
      hosts.set(exchange.key, { name: exchange, preference });
  return {
    ...common,
    kind: 'mx',
    hosts: [...hosts.values()].slice(0, MAX_HOSTS),
    besideNullMx: records.some((mxRecord) => mxRecord.exchange.isRoot) ? true : undefined,
  };
}

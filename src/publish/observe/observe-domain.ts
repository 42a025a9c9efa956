import { Name } from '../../base/index.js';
import { lookupAddresses, readMx, txtText, RRType, type ResourceRecord } from '../../dns/index.js';
import type { MailAddress } from '../../evidence/index.js';
import { fetchPolicyAt } from '../../mta-sts/index.js';
import { hostOf } from '../mta-sts/apply-observation.js';
import type { PolicyObservation, ServerAnswer } from '../mta-sts/types.js';
import {
  queryAuthoritatives,
  isFromWildcard,
  type AuthoritativeAnswer,
} from './query-authoritatives.js';
import type { Observer } from './observer.js';

/** The observation of a domain: that of its policy, its reports and its delegation. */
export interface PublishedDomainObservation extends PolicyObservation {
  /** TXT records at `_smtp._tls`. */
  readonly tlsRpt: readonly ServerAnswer[];
  /** Alias target of `_mta-sts`, when every authoritative server agrees. */
  readonly delegated?: string;
}

/** The domain to observe. */
export interface DomainQuery {
  readonly domain: string;
  /**
   * MX hosts of the configuration; they are probed in addition to the hosts that the DNS
   * names.
   */
  readonly mxHosts: readonly string[];
  /** Number of days for which TLS-RPT reports are included. */
  readonly days: number;
  /** Entry of `publish.dns` that names the servers to query. */
  readonly dns: string;
}

/**
 * Observes a domain: its records at every authoritative server, its policy at every
 * address of the policy host, its mail hosts, and the stored reports.
 */
export async function observePublishedDomain(
  { domain: domainName, mxHosts, days, dns }: DomainQuery,
  observer: Observer,
): Promise<PublishedDomainObservation> {
  const name = Name.of(domainName);
  const zone = await observer.zone(name, dns);
  const ask = (ownerName: Name, type: number): Promise<readonly AuthoritativeAnswer[]> =>
    queryAuthoritatives({ zone, name: ownerName, type }, observer);
  const policyName = Name.of(`mta-sts.${domainName}`);
  const [announced, aliases, v4, v6, mxShown, reporting, policyHosts] = await Promise.all([
    ask(Name.of(`_mta-sts.${domainName}`), RRType.TXT),
    ask(policyName, RRType.CNAME),
    ask(policyName, RRType.A),
    ask(policyName, RRType.AAAA),
    ask(name, RRType.MX),
    ask(Name.of(`_smtp._tls.${domainName}`), RRType.TXT),
    readPolicyHosts(domainName, observer),
  ]);
  const [txt, mx, rpt] = [
    asTexts(announced, txtText),
    asTexts(mxShown, mxText),
    asTexts(reporting, txtText),
  ];
  const delegated = announced[0]?.alias;
  const everywhere =
    delegated !== undefined && announced.every((shown) => shown.alias === delegated);
  const alias = aliases.map(aliasAnswer);
  const policyHostSynthesised = isFromWildcard([aliases, v4, v6]);
  const shown = mx.flatMap(({ rrset }) => (rrset === 'unknown' ? [] : rrset.records.map(hostOf)));
  const hosts = await Promise.all(
    [...new Set([...mxHosts, ...shown])].map(async (hostName) => ({
      host: hostName,
      addresses: (await observer.probe(hostName))?.addresses.map(judgeAddress) ?? [],
    })),
  );
  return {
    txt,
    alias,
    policyHostSynthesised,
    mx,
    tlsRpt: rpt,
    delegated: everywhere ? delegated : undefined,
    policyHosts,
    hosts,
    reports: await observer.reports(domainName, days),
    at: observer.clock.now(),
  };
}

async function readPolicyHosts(
  domainName: string,
  observer: Observer,
): Promise<PolicyObservation['policyHosts']> {
  const { resolver, network, trustStore, clock, httpsPort, signal } = observer;
  const found = await lookupAddresses(resolver, Name.of(`mta-sts.${domainName}`), { signal });
  if (found.status === 'failed') return [{ address: `mta-sts.${domainName}`, fetched: 'unknown' }];
  return Promise.all(
    [...found.v4, ...found.v6].map(async (address) => {
      const got = await fetchPolicyAt({
        network,
        addresses: [address],
        domain: Name.of(domainName),
        anchors: trustStore,
        validationTime: clock.now(),
        port: httpsPort,
        timeoutMs: 15_000,
        signal,
      });
      if (got.ok) return { address, fetched: { body: got.value.body } };
      // The local network may cause a temporary failure, so the failure is inconclusive.
      return {
        address,
        fetched: got.failure.temporary ? ('unknown' as const) : { failure: got.failure.code },
      };
    }),
  );
}

/** Judges whether a sender that enforces MTA-STS would deliver here (RFC 8461 §4). */
function judgeAddress({
  ip,
  status,
  starttls,
  certificates,
  reason,
}: MailAddress): PolicyObservation['hosts'][number]['addresses'][number] {
  const verdict = (verdict: 'pass' | 'fail' | 'unknown', why: string) => ({
    address: ip,
    verdict,
    why,
  });
  if (status !== 'reachable' || starttls === 'unknown')
    return verdict('unknown', `could not be checked (${reason ?? status})`);
  if (starttls !== 'offered') return verdict('fail', `STARTTLS is ${starttls}`);
  if (certificates.length === 0) return verdict('unknown', 'showed no certificate');
  const invalid = certificates.find(
    ({ chain, validity, nameMatch }) =>
      chain !== 'trusted' || validity !== 'valid' || nameMatch !== 'match',
  );
  if (!invalid) return verdict('pass', '');
  const { chain, validity, nameMatch } = invalid;
  return verdict(
    'fail',
    `has a certificate that is ${[chain, validity, `name ${nameMatch}`].join(', ')}`,
  );
}

function aliasAnswer({ server, alias, rrset, synthesised }: AuthoritativeAnswer): ServerAnswer {
  if (alias === undefined && rrset === 'unknown') return { server, rrset, synthesised };
  const records = alias === undefined ? [] : [alias];
  return { server, rrset: { records, ttl: 0 }, synthesised };
}

function asTexts(
  shown: readonly AuthoritativeAnswer[],
  text: (resourceRecord: ResourceRecord) => string | undefined,
): readonly ServerAnswer[] {
  return shown.map(({ server, rrset, alias, synthesised }): ServerAnswer => {
    // The target of a wildcard's alias is ignored: the name itself has no records.
    if (alias !== undefined && synthesised)
      return { server, rrset: { records: [], ttl: 0 }, synthesised };
    if (rrset === 'unknown') return { server, rrset, alias };
    return {
      server,
      rrset: {
        records: rrset.records.flatMap((resourceRecord) => text(resourceRecord) ?? []),
        ttl: rrset.ttl,
      },
      synthesised,
    };
  });
}

function mxText(resourceRecord: ResourceRecord): string | undefined {
  const mx = readMx(resourceRecord);
  return mx.ok ? `${mx.value.preference} ${mx.value.exchange.toLower()}` : undefined;
}

import { concat, latin1, Name } from '../../base/index.js';
import { lookupAddresses, readMx, readTxt, RRType, type ResourceRecord } from '../../dns/index.js';
import type { MailAddress } from '../../evidence/index.js';
import { fetchPolicyAt } from '../../mta-sts/index.js';
import { hostOf } from '../mta-sts/apply-observation.js';
import type { PolicyReading, ServerAnswer } from '../mta-sts/types.js';
import { queryAuthoritatives, isFromWildcard, type Shown } from './query-authoritatives.js';
import type { Observer } from './observer.js';

/** What is seen besides what the planner of a policy needs. */
export interface DomainReading extends PolicyReading {
  /** TXT at `_smtp._tls`. */
  readonly rpt: readonly ServerAnswer[];
  /** Where `_mta-sts` leads, when every authoritative server says so. */
  readonly delegated?: string;
}

/**
 * Reads a domain: its records at every authoritative server, its policy at every address,
 * its mail hosts, and stored reports.
 */
export async function observeDomain(
  domain: string,
  wanted: readonly string[],
  days: number,
  eyes: Observer,
  dns: string,
): Promise<DomainReading> {
  const name = Name.of(domain);
  const zone = await eyes.zone(name, dns);
  const ask = (owner: Name, type: number): Promise<readonly Shown[]> =>
    queryAuthoritatives(eyes.network, zone?.servers ?? [], owner, type, eyes.signal);
  const policyName = Name.of(`mta-sts.${domain}`);
  const [announced, aliases, v4, v6, mxShown, reporting, policyHosts] = await Promise.all([
    ask(Name.of(`_mta-sts.${domain}`), RRType.TXT),
    ask(policyName, RRType.CNAME),
    ask(policyName, RRType.A),
    ask(policyName, RRType.AAAA),
    ask(name, RRType.MX),
    ask(Name.of(`_smtp._tls.${domain}`), RRType.TXT),
    readPolicyHosts(domain, eyes),
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
    [...new Set([...wanted, ...shown])].map(async (host) => ({
      host,
      addresses: (await eyes.probe(host))?.addresses.map(judged) ?? [],
    })),
  );
  return {
    txt,
    alias,
    policyHostSynthesised,
    mx,
    rpt,
    ...(everywhere ? { delegated } : {}),
    policyHosts,
    hosts,
    reports: eyes.reports(domain, days),
    at: eyes.clock.now(),
  };
}

async function readPolicyHosts(
  domain: string,
  eyes: Observer,
): Promise<PolicyReading['policyHosts']> {
  const { resolver, network, trustStore, clock, httpsPort, signal } = eyes;
  const found = await lookupAddresses(
    resolver,
    Name.of(`mta-sts.${domain}`),
    signal ? { signal } : {},
  );
  if (found.status === 'failed') return [{ address: `mta-sts.${domain}`, got: 'unknown' }];
  return Promise.all(
    [...found.v4, ...found.v6].map(async (address) => {
      const got = await fetchPolicyAt({
        network,
        addresses: [address],
        domain: Name.of(domain),
        anchors: trustStore,
        validationTime: clock.now(),
        port: httpsPort,
        timeoutMs: 15_000,
        ...(signal ? { signal } : {}),
      });
      if (got.ok) return { address, got: { body: got.value.body } };
      // Our own network may be what fails: nothing is known then.
      return {
        address,
        got: got.failure.temporary ? ('unknown' as const) : { failure: got.failure.code },
      };
    }),
  );
}

/** Would a sender that enforces MTA-STS deliver here (RFC 8461 §4)? */
function judged({
  ip,
  status,
  starttls,
  certificates,
  reason,
}: MailAddress): PolicyReading['hosts'][number]['addresses'][number] {
  const verdict = (verdict: 'pass' | 'fail' | 'unknown', why: string) => ({
    address: ip,
    verdict,
    why,
  });
  if (status !== 'reachable' || starttls === 'unknown')
    return verdict('unknown', `could not be checked (${reason ?? status})`);
  if (starttls !== 'offered') return verdict('fail', `STARTTLS is ${starttls}`);
  if (certificates.length === 0) return verdict('unknown', 'showed no certificate');
  const good = certificates.every(
    (c) => c.chain === 'trusted' && c.validity === 'valid' && c.nameMatch === 'match',
  );
  const bad = certificates.find(
    (c) => c.chain !== 'trusted' || c.validity !== 'valid' || c.nameMatch !== 'match',
  );
  return good || !bad
    ? verdict('pass', '')
    : verdict(
        'fail',
        `has a certificate that is ${[bad.chain, bad.validity, `name ${bad.nameMatch}`].join(', ')}`,
      );
}

function aliasAnswer({ server, alias, rrset, synthesised }: Shown): ServerAnswer {
  const mark = synthesised ? { synthesised } : {};
  if (alias !== undefined) return { server, rrset: { records: [alias], ttl: 0 }, ...mark };
  return { server, rrset: rrset === 'unknown' ? rrset : { records: [], ttl: 0 }, ...mark };
}

function asTexts(
  shown: readonly Shown[],
  text: (rr: ResourceRecord) => readonly string[],
): readonly ServerAnswer[] {
  return shown.map(({ server, rrset, alias, synthesised }): ServerAnswer => {
    const mark = synthesised ? { synthesised } : {};
    // What a wildcard's alias leads to is not looked up: no record of the name is there.
    if (alias !== undefined && synthesised)
      return { server, rrset: { records: [], ttl: 0 }, ...mark };
    if (rrset === 'unknown') return { server, rrset, ...(alias === undefined ? {} : { alias }) };
    return { server, rrset: { records: rrset.records.flatMap(text), ttl: rrset.ttl }, ...mark };
  });
}

function txtText(rr: ResourceRecord): readonly string[] {
  const strings = readTxt(rr);
  return strings.ok ? [latin1(concat(...strings.value))] : [];
}

function mxText(rr: ResourceRecord): readonly string[] {
  const mx = readMx(rr);
  return mx.ok ? [`${mx.value.preference} ${mx.value.exchange.toLower()}`] : [];
}

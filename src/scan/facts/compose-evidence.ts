import { assembleEvidence, notChosen, readStsRecord } from '../../check/index.js';
import type { AddressEvidence, Evidence, HostEvidence } from '../../evidence/index.js';
import type { ScannedDomain, ScannedHost, VisitObservation } from './observations.js';

/** The facts about the scan itself that evidence contains. */
export interface ScanVantage {
  /** Name in EHLO. Default `hermetic.invalid`. */
  readonly helo?: string | undefined;
  readonly smtpPort?: number | undefined;
  /** Labels of the resolvers. Default none. */
  readonly resolvers?: readonly string[] | undefined;
  /** Local addresses of the connections. Default none. */
  readonly sources?: readonly string[] | undefined;
  readonly trustStores?: Evidence['trustStores'];
  /**
   * Whether visits for other domains have shown that this machine can connect to port 25.
   * A silent server then counts as unreachable. Default true.
   */
  readonly port25Open?: boolean | undefined;
  /**
   * The date at which the certificates are validated, RFC 3339 UTC. Default: the latest
   * date of the observations.
   */
  readonly at?: string | undefined;
}

/**
 * Composes the `hermetic.evidence/1` of one domain from its observations, at depth `triage`.
 * @throws TypeError if a host of `domain.mx`, or an announced policy, is missing.
 */
export function composeEvidence(scanned: ScannedDomain, vantage: ScanVantage = {}): Evidence {
  const { domain } = scanned;
  return assembleEvidence({
    domain: domain.domain,
    collectedAt: vantage.at ?? latestDate(scanned),
    depth: 'triage',
    helo: vantage.helo ?? 'hermetic.invalid',
    smtpPort: vantage.smtpPort ?? 25,
    route: domain.route,
    hosts: domain.mx.map(({ name, preference }) => ({
      ...hostEvidence(hostNamed(scanned, name)),
      preference,
    })),
    mtaSts: policyState(scanned),
    tlsRpt: domain.tlsRpt ?? { txt: NOT_ASKED, status: 'absent', rua: [], problems: [] },
    resolver: (vantage.resolvers ?? []).map((label) => ({ label, state: 'answers' })),
    sources: vantage.sources ?? [],
    trustStores: vantage.trustStores ?? [],
    port25Open: vantage.port25Open ?? true,
  });
}

/**
 * The lookup result for a domain that accepts no mail: the scan does not look up its
 * records.
 */
const NOT_ASKED = { texts: [], lookup: 'absent', dnssec: 'indeterminate' } as const;

/** Returns the host with this name. */
export function hostNamed({ domain, hosts }: ScannedDomain, name: string): ScannedHost {
  const found = hosts.find(({ host }) => host.name === name);
  if (!found) throw new TypeError(`${domain.domain}: no observation of the host ${name}`);
  return found;
}

function hostEvidence({ host, visits }: ScannedHost): Omit<HostEvidence, 'preference'> {
  const { observedAt: _, addresses, skipped, serverName: __, meant, ...facts } = host;
  return {
    ...facts,
    ...(meant === undefined ? {} : { meant }),
    addresses: [
      ...addresses.map((ip) => visitAt(visits, ip)?.address ?? notVisited(ip)),
      ...skipped.map(notChosen),
    ],
  };
}

/** Returns the visit to an address. */
export function visitAt(
  visits: readonly VisitObservation[],
  ip: string,
): VisitObservation | undefined {
  return visits.find(({ address }) => address.ip === ip);
}

function notVisited(ip: string): AddressEvidence {
  return { ip, status: 'skipped', reason: 'not-visited', connections: [] };
}

/** Returns the observed policy, or the state that follows from the record alone. */
function policyState({ domain, policy }: ScannedDomain): Evidence['mtaSts'] {
  if (policy) return policy.mtaSts;
  const record = readStsRecord(domain.stsRecord ?? NOT_ASKED);
  if ('status' in record) return record;
  throw new TypeError(`${domain.domain}: no observation of its policy`);
}

/** Returns the latest date of the observations: RFC 3339 in UTC sorts as text. */
export function latestDate({ domain, policy, hosts }: ScannedDomain): string {
  const dates = hosts.flatMap(({ host, visits }) => [
    host.observedAt,
    ...visits.map(({ observedAt }) => observedAt),
  ]);
  return [domain.observedAt, ...(policy ? [policy.observedAt] : []), ...dates].reduce(
    (latest, date) => (date > latest ? date : latest),
  );
}

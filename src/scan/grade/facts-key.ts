import { createHash } from 'node:crypto';
import { nearExpiryStart, type Profile } from '../../check/index.js';
import type { AddressEvidence, ConnectionEvidence, PresentedChain } from '../../evidence/index.js';
import { matchesDnsName, type Certificate } from '../../x509/index.js';
import { hostNamed, visitAt } from '../facts/compose-evidence.js';
import type { HostObservation, ScannedDomain, ScannedHost } from '../facts/observations.js';
import { visitCertificates } from '../facts/visit-certificates.js';

/**
 * Computes the key of a domain's facts without names and times. Equal keys have equal
 * grades:
 * - instead of a name, the key contains the relations of the name: the match of each
 *   certificate, and the rank of the host; with records of usage DANE-TA also the match
 *   of the domain (RFC 7672 §3.2.2);
 * - instead of a date, the key contains the number of certificate dates before that date;
 * - names stay in the key if the grade depends on more relations: with a policy, behind
 *   an alias, and for a host without addresses.
 *
 * The digest of a visit is computed once for each object.
 */
export class FactsKeys {
  readonly #visits = new WeakMap<AddressEvidence, VisitDigest>();
  /**
   * The parts of host keys that do not depend on the recipient domain, cached for all
   * domains of a host.
   */
  readonly #hosts = new WeakMap<HostObservation, SharedHost>();

  constructor(private readonly profile: Profile) {}

  /** Returns the key, 64 characters of hex. `at`: milliseconds since 1970. */
  of(scanned: ScannedDomain, at: number): string {
    const { domain, policy } = scanned;
    const { route, stsRecord, tlsRpt } = domain;
    const sts = policy ? policy.mtaSts : stsRecord;
    const parts: unknown[] = [
      this.profile.name,
      route.kind,
      route.dnssec,
      route.status,
      route.failure?.code,
      route.besideNullMx,
      route.skipped !== undefined,
      sts,
      // The certificate of a policy host expires at a date of its own.
      policy?.mtaSts.policyHost && at,
      tlsRpt,
    ];
    const ranks = [...new Set(domain.mx.map(({ preference }) => preference))].sort((a, b) => a - b);
    const exact = policy !== undefined;
    for (const { name, preference } of domain.mx)
      parts.push(
        ranks.indexOf(preference),
        this.#hostKey(hostNamed(scanned, name), { exact, domain: domain.domain, at }),
      );
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  #hostKey(scanned: ScannedHost, way: WayToHost): string {
    const { host, visits } = scanned;
    const known = this.#hosts.get(host);
    if (known && !way.exact && known.visits === visits && known.at === way.at) return known.key;
    const named = isNamed(scanned, way);
    const hasAnchor = host.tlsa.records.some((record) => record.startsWith('2 '));
    const names = hasAnchor ? [host.name, way.domain] : [host.name];
    const key = JSON.stringify(this.#hostParts(scanned, { ...way, named, names }));
    if (!named && !hasAnchor) this.#hosts.set(host, { visits, at: way.at, key });
    return key;
  }

  #hostParts(
    { host, visits }: ScannedHost,
    {
      named,
      names,
      domain,
      at,
    }: WayToHost & { readonly named: boolean; readonly names: readonly string[] },
  ): readonly unknown[] {
    const { name, dnssec, unsupported, alias, addressLookup, tlsa, addresses, skipped } = host;
    return [
      dnssec,
      unsupported !== undefined,
      addressLookup.status,
      addressLookup.failure?.code,
      tlsa.status,
      tlsa.dnssec,
      tlsa.failure?.code,
      tlsa.records,
      tlsa.elsewhere,
      skipped.length,
      named ? [name, domain, alias, tlsa.base, host.meant] : 0,
      ...addresses.map((ip) => {
        const visit = visitAt(visits, ip);
        return visit ? this.#visitParts(visit.address, names, at) : 'not-visited';
      }),
    ];
  }

  #visitParts(address: AddressEvidence, names: readonly string[], at: number): readonly unknown[] {
    let known = this.#visits.get(address);
    if (!known) {
      known = digestVisit(address, this.profile);
      this.#visits.set(address, known);
    }
    const { digest, leaves, dates } = known;
    return [
      digest,
      // Statistics count inferred facts, so the key distinguishes inferred and observed
      // facts.
      address.inferredFrom !== undefined,
      dates.filter((date) => date < at).length,
      ...leaves.flatMap((leaf) =>
        names.map((name) => leaf !== undefined && matchesDnsName(leaf, name)),
      ),
    ];
  }
}

/** The domain whose mail route names the host. */
interface WayToHost {
  /**
   * Whether the domain has a policy: a policy names hosts, so the host name affects the
   * grade.
   */
  readonly exact: boolean;
  readonly domain: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The key of a host for all domains without a policy, at one date. */
interface SharedHost {
  readonly visits: ScannedHost['visits'];
  readonly at: number;
  readonly key: string;
}

/** Returns whether the grade depends on names beyond the match of certificates. */
function isNamed({ host }: ScannedHost, { exact }: WayToHost): boolean {
  const { alias, addresses, tlsa, name } = host;
  return exact || alias !== undefined || addresses.length === 0 || tlsa.base !== name;
}

/** The parts of a visit that do not depend on the host name and the date. */
interface VisitDigest {
  readonly digest: string;
  /** The server's certificate of each chain; undefined if it cannot be read. */
  readonly leaves: readonly (Certificate | undefined)[];
  /** The dates at which the validity of a chain changes, milliseconds since 1970. */
  readonly dates: readonly number[];
}

function digestVisit(address: AddressEvidence, profile: Profile): VisitDigest {
  const chains = visitCertificates(address);
  const dates = chains.flatMap((chain) =>
    chain.flatMap((certificate, index) => datesOf(certificate, index === 0, profile)),
  );
  return {
    digest: visitDigest(address),
    leaves: chains.map(([leaf]) => leaf),
    dates,
  };
}

/**
 * Returns the digest of a visit without addresses, names and times: equal digests show
 * that two servers gave the same answers and certificates.
 */
export function visitDigest(address: AddressEvidence): string {
  const { status, reason, stopped, submission, ip, connections } = address;
  const facts = [
    ip.includes(':'),
    status,
    reason,
    stopped,
    submission,
    connections.map(connectionFacts),
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64');
}

/**
 * Returns the times at which the state of a certificate changes: it is valid from its
 * first millisecond up to its last one.
 */
function datesOf(
  certificate: Certificate | undefined,
  isLeaf: boolean,
  profile: Profile,
): number[] {
  if (!certificate) return [];
  const { notBefore, notAfter } = certificate;
  const near = isLeaf ? [nearExpiryStart(certificate, profile)] : [];
  return [notBefore - 1, notAfter, ...near];
}

/** Returns a connection without addresses, names, times and texts of the server. */
function connectionFacts(connection: ConnectionEvidence): readonly unknown[] {
  const { dial, ehlo, ehloAfterTls, starttlsReply, failure, handshake, withoutSni, presented } =
    connection;
  return [
    connection.purpose,
    dial === 'open' ? dial : dial.code,
    ehlo !== undefined,
    connection.starttls,
    starttlsReply?.code,
    handshake && [handshake.version, handshake.suite, handshake.group, ...chainFacts(handshake)],
    withoutSni && [withoutSni.version, withoutSni.suite, ...chainFacts(withoutSni)],
    presented && chainFacts(presented),
    connection.probe,
    connection.injection,
    connection.renegotiation,
    connection.earlier,
    ehloAfterTls !== undefined,
    failure?.code,
  ];
}

function chainFacts({ chain, pkix }: PresentedChain): readonly unknown[] {
  return [chain, pkix.chain, pkix.validity, pkix.problems, pkix.anchor];
}

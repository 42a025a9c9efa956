import { createHash } from 'node:crypto';
import { nearExpiryStart, type Profile } from '../../check/index.js';
import type { AddressEvidence, ConnectionEvidence, PresentedChain } from '../../evidence/index.js';
import { matchesDnsName, type Certificate } from '../../x509/index.js';
import { hostNamed, visitAt } from '../facts/compose-evidence.js';
import type { ScannedDomain, ScannedHost } from '../facts/observations.js';
import { visitCertificates } from '../facts/visit-certificates.js';

/**
 * Computes the key of a domain's facts with names and times taken out. Equal keys have
 * equal grades:
 * - a name counts by its relations: the match of each certificate, and the rank of the host;
 * - a date counts by the dates of certificates that it has passed;
 * - names stay in the key where more relations decide: with a policy, with usable TLSA
 *   records, behind an alias, and for a host without addresses.
 *
 * The digest of a visit is computed once for each object.
 */
export class FactsKeys {
  readonly #visits = new WeakMap<AddressEvidence, VisitDigest>();

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
      // The certificate of a policy host ends at a date of its own.
      policy?.mtaSts.policyHost && at,
      tlsRpt,
    ];
    const ranks = [...new Set(domain.mx.map(({ preference }) => preference))].sort((a, b) => a - b);
    const exact = policy !== undefined;
    for (const { name, preference } of domain.mx)
      parts.push(
        ranks.indexOf(preference),
        ...this.#hostParts(hostNamed(scanned, name), { exact, domain: domain.domain, at }),
      );
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  #hostParts(
    { host, visits }: ScannedHost,
    {
      exact,
      domain,
      at,
    }: { readonly exact: boolean; readonly domain: string; readonly at: number },
  ): readonly unknown[] {
    const { name, dnssec, unsupported, alias, addressLookup, tlsa, addresses, skipped } = host;
    const named =
      exact ||
      alias !== undefined ||
      addresses.length === 0 ||
      tlsa.status === 'usable' ||
      tlsa.base !== name;
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
        return visit ? this.#visitParts(visit.address, name, at) : 'not-visited';
      }),
    ];
  }

  #visitParts(address: AddressEvidence, host: string, at: number): readonly unknown[] {
    let known = this.#visits.get(address);
    if (!known) {
      known = digestVisit(address, this.profile);
      this.#visits.set(address, known);
    }
    const { digest, leaves, dates } = known;
    return [
      digest,
      // Statistics count inferred facts.
      address.inferredFrom !== undefined,
      dates.filter((date) => date < at).length,
      ...leaves.map((leaf) => leaf !== undefined && matchesDnsName(leaf, host)),
    ];
  }
}

/** The parts of a visit that do not depend on the host name and the date. */
interface VisitDigest {
  readonly digest: string;
  /** The server's certificate of each chain; undefined where it cannot be read. */
  readonly leaves: readonly (Certificate | undefined)[];
  /** The dates at which a judgement of a chain changes, milliseconds since 1970. */
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
 * The digest of a visit without addresses, names and times: equal digests show that two
 * servers answered alike, with the same certificates.
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

/** A certificate is valid from its first millisecond, and up to its last one. */
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

/** A connection without addresses, names, times and texts of the server. */
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

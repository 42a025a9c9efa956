import type { Failure, Name } from '../../../base/index.js';
import { readSoa } from '../../wire/rdata.js';
import { Rcode, RRType } from '../../wire/types-registry.js';
import { countLabels } from '../canonical.js';
import { dnssecFailures, type DnssecFailureCode } from '../failures.js';
import type { Denial, NoCloser } from './denial.js';
import { NsecProofs } from './denial-nsec.js';
import { Nsec3Proofs } from './denial-nsec3.js';
import { above } from './above-anchor.js';
import type { RRset } from './rrset.js';
import type { DnsResponse, ValidationSession } from './session.js';
import type { ZoneKey, Zones } from './types.js';
import type { Verified } from './verify-rrset.js';

/** The result of judging a claimed absence. */
export type JudgedDenial =
  | {
      readonly status: 'secure' | 'insecure';
      readonly kind: 'nodata' | 'nxdomain';
      /** Whether a zone begins at the name: NS without SOA. */
      readonly delegation: boolean;
      /** Seconds for which the denial may be cached. */
      readonly ttl: number;
      /** The zone that proved the absence. */
      readonly zone?: Name;
      /**
       * The expiry of the keys that prove the absence, milliseconds since 1970. Undefined
       * if the data is unsigned because a higher zone is unsigned: then only the status
       * of that higher zone is proved.
       */
      readonly keysUntil?: number;
    }
  | { readonly status: 'bogus' | 'indeterminate'; readonly failure: Failure };

/** The record types whose signer is the zone of a denial. */
const denialTypes: ReadonlySet<number> = new Set([RRType.NSEC, RRType.NSEC3, RRType.SOA]);

/** A zone with the keys that were proved for it. */
export interface Signer {
  readonly zone: Name;
  readonly keys: readonly ZoneKey[];
}

/** A name and the record type that a response denies. */
interface DeniedType {
  readonly name: Name;
  readonly type: number;
}

/**
 * Validates the claim that a name has no records of a type. In a signed zone the claim
 * needs a proof and is bogus without one. The rcode is not signed, so it proves nothing.
 */
export async function judgeDenial(
  session: ValidationSession,
  zoneChain: Zones,
  response: DnsResponse,
  { name: domainName, type }: DeniedType,
): Promise<JudgedDenial> {
  const asRcode = claimOf(response);
  // The parent zone answers a DS question, and that zone lies strictly above the name.
  const subject = type === RRType.DS && !domainName.isRoot ? domainName.parent : domainName;
  let failure: Failure | undefined;
  for (const zoneName of zonesOf(response, subject, zoneChain)) {
    const zoneStatus = await zoneChain.zone(zoneName);
    if (zoneStatus.status === 'insecure' && above(zoneName, subject, zoneChain)) continue;
    if (zoneStatus.status === 'insecure')
      return {
        status: 'insecure',
        kind: asRcode,
        delegation: false,
        ttl: negativeTtl(response, zoneName),
        zone: zoneName,
      };
    if ('failure' in zoneStatus) {
      if (zoneStatus.status === 'indeterminate')
        return { status: 'indeterminate', failure: zoneStatus.failure };
      failure ??= zoneStatus.failure;
      continue;
    }
    if (zoneStatus.status !== 'secure') continue;
    const proved = proveDenial(
      session,
      response,
      { zone: zoneName, keys: zoneStatus.keys },
      { name: domainName, type },
    );
    if (proved === 'refused')
      return {
        status: 'bogus',
        failure: dnssecFailures.make('dnssec-iterations', zoneName.toString()),
      };
    if (proved?.status === 'insecure' && above(zoneName, subject, zoneChain)) continue;
    if (proved)
      return {
        ...proved,
        delegation: proved.delegation ?? false,
        kind: proved.kind,
        ttl: Math.min(negativeTtl(response, zoneName), proved.ttl),
        zone: zoneName,
        keysUntil: zoneStatus.expires,
      };
    failure ??= dnssecFailures.make(
      missingProof(session),
      `${domainName.toString()} in ${zoneName.toString()}`,
    );
  }
  const enclosing = await zoneChain.enclosing(subject);
  if (enclosing.status === 'insecure')
    return {
      status: 'insecure',
      kind: asRcode,
      delegation: false,
      ttl: negativeTtl(response, domainName),
    };
  if ('failure' in enclosing) return { status: enclosing.status, failure: enclosing.failure };
  return {
    status: 'bogus',
    failure: failure ?? dnssecFailures.make('dnssec-denial-missing', domainName.toString()),
  };
}

/** Returns the kind of absence that the rcode claims. */
function claimOf({ message }: DnsResponse): 'nxdomain' | 'nodata' {
  if (message.rcode === Rcode.NXDOMAIN) return 'nxdomain';
  return 'nodata';
}

/**
 * Returns the reason for a missing proof: the budget of hash computations is spent, or
 * the records prove nothing.
 */
function missingProof({ hashes }: ValidationSession): DnssecFailureCode {
  if (hashes.hashes < 0) return 'dnssec-limit';
  return 'dnssec-denial-missing';
}

/**
 * Proves that an answer from a wildcard is valid: no closer name exists. Returns a
 * failure code if there is no proof. `ttl` is the number of seconds for which the proof
 * is valid.
 */
export function judgeNoCloser(
  session: ValidationSession,
  response: DnsResponse,
  { zone, keys }: Signer,
  { name, encloserLabels }: { readonly name: Name; readonly encloserLabels: number },
): (Pick<NoCloser, 'status'> & { readonly ttl: number }) | DnssecFailureCode {
  const { nsec, nsec3, used } = proofs(session, response, zone, keys);
  const excessive = nsec3.excessive;
  if (excessive === 'refused') return 'dnssec-iterations';
  if (excessive === 'insecure') return { status: 'insecure', ttl: used(nsec3.sets) };
  const found = nsec.noCloser(name, encloserLabels) ?? nsec3.noCloser(name, encloserLabels);
  if (found) return { status: found.status, ttl: used(found.used) };
  return missingProof(session);
}

/**
 * Proves an absence from NSEC records, or else from NSEC3 records. Returns `refused` if
 * the records need more NSEC3 iterations than this validator computes (RFC 9276 §3.2).
 */
function proveDenial(
  session: ValidationSession,
  response: DnsResponse,
  { zone, keys }: Signer,
  { name: domainName, type: recordType }: DeniedType,
): (Denial & { ttl: number }) | 'refused' | undefined {
  const { nsec, nsec3, used } = proofs(session, response, zone, keys);
  const isNameError = response.message.rcode === 3;
  // Both kinds of proof are tried, first the kind that fits the rcode: NXDOMAIN may
  // accompany the proof of an empty non-terminal.
  const byNsec = isNameError
    ? (nsec.nxdomain(domainName) ?? nsec.nodata(domainName, recordType))
    : (nsec.nodata(domainName, recordType) ?? nsec.nxdomain(domainName));
  if (nsec.any && byNsec) return { ...byNsec, ttl: used(byNsec.used) };
  if (!nsec3.any) return undefined;
  const excessive = nsec3.excessive;
  if (excessive === 'refused') return 'refused';
  if (excessive === 'insecure')
    return {
      kind: claimOf(response),
      status: 'insecure',
      delegation: false,
      used: nsec3.sets,
      ttl: used(nsec3.sets),
    };
  const byNsec3 = isNameError
    ? (nsec3.nxdomain(domainName) ?? nsec3.nodata(domainName, recordType, { optOut: false }))
    : (nsec3.nodata(domainName, recordType, { optOut: true }) ?? nsec3.nxdomain(domainName));
  return byNsec3 && { ...byNsec3, ttl: used(byNsec3.used) };
}

/**
 * Prepares the proofs of one zone. Signatures are verified only for the RRsets that a
 * proof uses.
 */
function proofs(
  session: ValidationSession,
  response: DnsResponse,
  zoneName: Name,
  zoneKeys: readonly ZoneKey[],
): { nsec: NsecProofs; nsec3: Nsec3Proofs; used: (sets: readonly RRset[]) => number } {
  const verdicts = new Map<RRset, Verified>();
  const trust = (recordSet: RRset): boolean => {
    const verdict =
      verdicts.get(recordSet) ?? session.verify(response, recordSet, zoneName, zoneKeys);
    verdicts.set(recordSet, verdict);
    // A record from a wildcard proves nothing about the names next to its owner.
    return verdict.ok && verdict.signature.rrsig.labels === countLabels(recordSet.name);
  };
  const used = (sets: readonly RRset[]): number => {
    for (const recordSet of sets) session.use(response, recordSet, verdicts.get(recordSet));
    return Math.min(
      ...sets
        .map((recordSet) => verdicts.get(recordSet))
        .map((verified) => (verified?.ok ? verified.ttl : 0)),
    );
  };
  return {
    nsec: new NsecProofs(response.recordSets, zoneName, trust),
    nsec3: new Nsec3Proofs(response.recordSets, zoneName, trust, session),
    used,
  };
}

/**
 * Returns the possible zones of a denial, closest first: the signers of the NSEC, NSEC3
 * and SOA records that are at or above the subject and at or below a trust anchor.
 */
function zonesOf(response: DnsResponse, subject: Name, zoneChain: Zones): readonly Name[] {
  const signers = response.recordSets
    .filter((recordSet) => denialTypes.has(recordSet.type))
    .flatMap((recordSet) => recordSet.signatures.map((signature) => signature.rrsig.signer));
  const fitting = signers.filter(
    (signer) => subject.isAtOrBelow(signer) && zoneChain.anchor(signer) !== undefined,
  );
  return [...new Map(fitting.map((domainName) => [domainName.key, domainName])).values()]
    .sort((left, right) => right.labelCount - left.labelCount)
    .slice(0, 4);
}

/**
 * Returns the seconds for which a denial may be cached (RFC 2308 §5): at most an hour,
 * and a minute without SOA.
 */
function negativeTtl(response: DnsResponse, zoneName: Name): number {
  const soa = response.message.authorities.find(
    (resourceRecord) =>
      resourceRecord.type === RRType.SOA && zoneName.isAtOrBelow(resourceRecord.name),
  );
  const read = soa && readSoa(soa);
  if (soa && read?.ok) return Math.min(soa.ttl, read.value.minimum, 3600);
  return 60;
}

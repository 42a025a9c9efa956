import { BoundedMap, type Name } from '../../base/index.js';
import { signRrset, type SigningWindow } from '../dnssec/sign/sign-rrset.js';
import { dnskeyRecord, type ZoneSigningKey } from '../dnssec/sign/zone-key.js';
import type { ResourceRecord } from '../types.js';
import { RRType } from '../wire/types-registry.js';
import { compactNsec } from './compact-denial.js';
import type { DenialProofs, RecordSets, ZoneData } from './lookup-zone.js';

/** The data of a zone that signs each answer when the server sends it. */
export interface OnlineZoneSpec {
  readonly apex: Name;
  /**
   * Returns the record sets of a name: undefined for a name that does not exist, empty
   * for an empty non-terminal. The apex must have SOA and NS.
   */
  readonly recordSets: (domainName: Name) => RecordSets | undefined;
  /** The key that signs the zone; undefined for an unsigned zone. */
  readonly key?: ZoneSigningKey;
  /** Returns the wall-clock time, milliseconds since 1970. */
  readonly now: () => number;
}

const HOUR = 3_600_000;
/**
 * Maximum age of a cached signature, milliseconds. A signature expires long after that
 * age.
 */
const PERIOD = 12 * HOUR;
/**
 * Milliseconds by which the inception of a signature is backdated, because the clocks of
 * resolvers differ.
 */
const AGE = 2 * HOUR;
const LIFETIME = 72 * HOUR;
/** Maximum cached signatures. Resolvers often query only a few hundred names. */
const MAX_SIGNATURES = 4096;
/**
 * Seconds for which resolvers may cache a denial: short, because the name may be created
 * at any time.
 */
const DENIAL_TTL = 60;
const KEY_TTL = 3600;

/**
 * A zone that computes and signs its records for each question, and denies names and
 * types with compact answers (RFC 9824). The zone contains no wildcard records:
 * `recordSets` answers for every name itself.
 */
export class OnlineZone implements ZoneData {
  readonly apex: Name;
  readonly denial: DenialProofs | undefined;
  readonly #signatures = new BoundedMap<ResourceRecord>(MAX_SIGNATURES);
  readonly #keyRecords: readonly ResourceRecord[];

  constructor(private readonly spec: OnlineZoneSpec) {
    this.apex = spec.apex;
    this.#keyRecords = spec.key ? [dnskeyRecord(spec.apex, spec.key, KEY_TTL)] : [];
    if (spec.key)
      this.denial = {
        nodata: (domainName) => this.#deny(domainName),
        nxdomain: (domainName) => this.#deny(domainName),
        noCloser: () => [],
      };
  }

  get key(): ZoneSigningKey | undefined {
    return this.spec.key;
  }

  recordSets(domainName: Name): RecordSets | undefined {
    const recordSets = this.#find(domainName);
    return recordSets?.size === 0 ? undefined : recordSets;
  }

  exists(domainName: Name): boolean {
    return this.#find(domainName) !== undefined;
  }

  #find(domainName: Name): RecordSets | undefined {
    const recordSets = this.spec.recordSets(domainName);
    return recordSets && this.#keyRecords.length > 0 && domainName.equals(this.apex)
      ? new Map([...recordSets, [RRType.DNSKEY, this.#keyRecords]])
      : recordSets;
  }

  withSignature(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
    const [first] = records;
    const { key } = this.spec;
    if (!first || !key) return records;
    // RFC 4035 §2.2: the NS RRset at a delegation is not authoritative, so it has no
    // signature.
    if (first.type === RRType.NS && !first.name.equals(this.apex)) return records;
    return [...records, this.#signatureOf(records, first, key)];
  }

  #signatureOf(
    records: readonly ResourceRecord[],
    first: ResourceRecord,
    key: ZoneSigningKey,
  ): ResourceRecord {
    const start = Math.floor(this.spec.now() / PERIOD) * PERIOD;
    const content = records.map(({ rdata }) => Buffer.from(rdata).toString('latin1')).join('\n');
    const cacheKey = `${start} ${first.ttl} ${first.type} ${first.name.key} ${content}`;
    const known = this.#signatures.get(cacheKey);
    if (known) return { ...known, name: first.name };
    const window: SigningWindow = { inception: start - AGE, expiration: start + LIFETIME };
    const signature = signRrset(records, key, this.apex, window);
    this.#signatures.set(cacheKey, signature);
    return signature;
  }

  #deny(domainName: Name): readonly ResourceRecord[] {
    const recordSets = this.#find(domainName);
    const types = recordSets && [...recordSets.keys()];
    const options = { apex: this.apex, ttlSeconds: DENIAL_TTL };
    return this.withSignature([compactNsec(domainName, types, options)]);
  }
}

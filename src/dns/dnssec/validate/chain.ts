import { equalBytes, type Failure, type Name } from '../../../base/index.js';
import { readDs, type Dnskey, type Ds } from '../../wire/rdata.js';
import { rcodeText } from '../../wire/rcode-text.js';
import { RRType } from '../../wire/types-registry.js';
import { unsupportedText, type AlgorithmRegistry } from '../algorithms.js';
import { countLabels } from '../canonical.js';
import { dnssecFailures, type DnssecFailureCode } from '../failures.js';
import { cutSet, signersAbove } from './cut-records.js';
import { judgeDenial, judgeNoCloser } from './judge-denial.js';
import type { RRset } from './rrset.js';
import { proofRecordsOf, type DnsResponse, type ValidationSession } from './session.js';
import type { UnsupportedZone } from '../../types.js';
import type { Enclosing, ProofRecords, TrustAnchor, ZoneKey, Zones, ZoneStatus } from './types.js';
import { timeOf } from './verify-rrset.js';
import { isDelegatedKey, usableDs, zoneKeysOf } from './zone-keys.js';

/** Keys of one zone. More would only serve to make validation expensive. */
const MAX_KEYS = 64;
/** TTL in seconds of a status that depends on a negative trust anchor. */
const NEGATIVE_TTL = 300;

/**
 * The parent's proved statement about a name: a secure delegation, an insecure
 * delegation, no zone cut, or no provable statement.
 */
type Cut =
  | { readonly kind: 'secure'; readonly ds: readonly Ds[]; readonly ttl: number }
  | { readonly kind: 'insecure' | 'no-zone'; readonly ttl: number }
  | { readonly kind: 'bogus' | 'indeterminate'; readonly failure: Failure };

/**
 * Builds the chain of trust from an anchor down to a zone. A zone cut is never assumed: a
 * signer's name claims it and the parent's DS answer proves it (RFC 4035 §5.2). An
 * insecure delegation counts only if its parent proves it.
 */
export class Chain implements Zones {
  /** Zones by name: concurrent questions share one walk. */
  readonly #zones = new Map<string, Promise<ZoneStatus>>();
  /** Delegations by name, for the same reason. */
  readonly #cuts = new Map<string, Promise<Cut>>();
  readonly #cachedGrounds = new Map<string, readonly ProofRecords[]>();
  /** Zones that count as unsigned because no algorithm of theirs is supported. */
  readonly #unsupported = new Map<string, UnsupportedZone>();
  readonly #rested = new Map<string, { parent: Name | undefined; heard: DnsResponse[] }>();

  readonly #algorithms: AlgorithmRegistry;

  constructor(private readonly session: ValidationSession) {
    this.#algorithms = session.context.algorithms;
  }

  /**
   * The closest anchor at or above a name (RFC 6840 appendix C: the closest one decides).
   */
  anchor(name: Name): TrustAnchor | undefined {
    return this.session.request.anchors
      .filter((anchor) => name.isAtOrBelow(anchor.zone))
      .sort((left, right) => right.zone.labels.length - left.zone.labels.length)[0];
  }

  /** Returns the status and keys of a zone, given only its claimed name. */
  zone(name: Name): Promise<ZoneStatus> {
    return memo(this.#zones, name.key, () => this.#zone(name));
  }

  /**
   * Proves a zone: the anchor's own directly, any other by its delegation. Results with
   * an expiry go to the shared cache; failures do not, so that a later question tries
   * again.
   */
  async #zone(name: Name): Promise<ZoneStatus> {
    const anchor = this.anchor(name);
    if (!anchor) return { status: 'indeterminate', failure: noAnchor(name) };
    if (anchor.negative) return { status: 'insecure', expires: this.#expiry(NEGATIVE_TTL) };
    const cached = this.session.request.cache?.get(name.key);
    if (cached && 'expires' in cached.zone && cached.zone.expires > this.session.request.now) {
      this.#cachedGrounds.set(name.key, cached.grounds);
      if (cached.zone.status === 'insecure') this.#note(name, cached.zone.unsupported);
      return cached.zone;
    }
    const status = anchor.zone.equals(name)
      ? await this.#anchored(anchor)
      : await this.#delegated(name, anchor);
    if ('expires' in status)
      this.session.request.cache?.set(name.key, { zone: status, grounds: this.grounds(name) });
    return status;
  }

  /**
   * Determines whether data at a name must be signed: `signed` if every cut above it is
   * secure.
   */
  async enclosing(name: Name): Promise<Enclosing> {
    const anchor = this.anchor(name);
    if (!anchor) return { status: 'indeterminate', failure: noAnchor(name) };
    if (anchor.negative) return { status: 'insecure', expires: this.#expiry(NEGATIVE_TTL) };
    for (let labels = anchor.zone.labels.length + 1; labels <= name.labels.length; labels++) {
      const at = name.suffix(labels);
      const zoneCut = await this.#cut(at);
      if (zoneCut.kind === 'insecure') return this.#insecureBelow(at, this.#expiry(zoneCut.ttl));
      if ('failure' in zoneCut) return { status: zoneCut.kind, failure: zoneCut.failure };
      // A secure delegation to keys of unknown algorithms alone is an insecure one (RFC
      // 4035 §5.2).
      if (zoneCut.kind === 'secure' && usableDs(this.#algorithms, zoneCut.ds).length === 0)
        return this.#withoutUsable(at, zoneCut.ds, zoneCut.ttl);
    }
    return { status: 'signed' };
  }

  /**
   * Returns the closest zone at or above a name whose algorithms are all unsupported, as
   * far as this session met one.
   */
  unsupportedAbove(name: Name): UnsupportedZone | undefined {
    for (let labels = name.labels.length; labels > 0; labels--) {
      const found = this.#unsupported.get(name.suffix(labels).key);
      if (found) return found;
    }
    return undefined;
  }

  /** Remembers the algorithms of a zone that is signed with nothing supported. */
  #note(zone: Name, unsupported: UnsupportedZone | undefined): void {
    if (unsupported) this.#unsupported.set(zone.key, unsupported);
  }

  /**
   * Returns the status of a zone whose DS records are all unsupported: insecure (RFC 4035
   * §5.2), with the algorithms for the explanation.
   */
  #withoutUsable(
    zone: Name,
    dsRecord: readonly Ds[],
    ttl: number,
  ): Extract<ZoneStatus, { status: 'insecure' }> {
    const texts = dsRecord.map((one) => unsupportedText(one, this.#algorithms));
    const unsupported = { zone: zone.toString(), algorithms: [...new Set(texts)].slice(0, 8) };
    this.#note(zone, unsupported);
    return { status: 'insecure', expires: this.#expiry(ttl), unsupported };
  }

  /**
   * Caches the point where the tree becomes unsigned: otherwise every name below would
   * query the DS again.
   */
  #insecureBelow(zoneCut: Name, expires: number): Enclosing {
    const { cache, now } = this.session.request;
    const known = cache?.get(zoneCut.key)?.zone;
    if (known === undefined || !('expires' in known) || known.expires <= now)
      cache?.set(zoneCut.key, {
        zone: { status: 'insecure', expires },
        grounds: this.grounds(zoneCut),
      });
    return { status: 'insecure', expires };
  }

  /** Returns the records that prove a zone's status, from the anchor down. */
  grounds(zone: Name): readonly ProofRecords[] {
    const cached = this.#cachedGrounds.get(zone.key);
    if (cached) return cached;
    const own = this.#rested.get(zone.key);
    if (!own) return [];
    return [
      ...(own.parent ? this.grounds(own.parent) : []),
      ...own.heard.filter((dnsResponse) => dnsResponse.usedRecords.size > 0).map(proofRecordsOf),
    ];
  }

  /** Grounds taken from the cache in this session. */
  get cachedGrounds(): readonly ProofRecords[] {
    return [...this.#cachedGrounds.values()].flat();
  }

  /** Records that the status of a zone rests on a response. */
  #rest(zone: Name, response: DnsResponse, parent?: Name): void {
    const known = this.#rested.get(zone.key) ?? { parent: undefined, heard: [] };
    known.parent ??= parent;
    if (!known.heard.includes(response)) known.heard.push(response);
    this.#rested.set(zone.key, known);
  }

  /**
   * Proves the key set of the anchor's zone. The zone is known to exist and to be signed,
   * so a missing signature points to the resolver, and signatures that are all out of
   * date point to the clock of this machine.
   */
  async #anchored(anchor: TrustAnchor): Promise<ZoneStatus> {
    const asked = await this.session.ask(anchor.zone, RRType.DNSKEY);
    if (!asked.ok) return { status: 'indeterminate', failure: asked.failure };
    const set = asked.response.recordSets.find(
      (set) => set.type === RRType.DNSKEY && set.name.equals(anchor.zone),
    );
    if (!set || set.signatures.length === 0) {
      // The zone of the anchor is known to be signed, so an upstream that returns it
      // unsigned strips signatures.
      return {
        status: 'indeterminate',
        failure:
          asked.response.message.rcode === 0
            ? dnssecFailures.make('dnssec-stripped')
            : dnssecFailures.make('dns-rcode', rcodeText(asked.response.message)),
      };
    }
    if (set.signatures.every(({ rrsig }) => timeOf(rrsig, this.session.context) !== 'valid'))
      return bogus('dnssec-clock', `as of ${new Date(this.session.request.now).toISOString()}`);
    const status = this.#keys(
      asked.response,
      anchor.zone,
      (key, rdata) =>
        anchor.keys.some(
          (dnskey) =>
            dnskey.algorithm === key.algorithm && equalBytes(dnskey.publicKey, key.publicKey),
        ) ||
        isDelegatedKey(
          usableDs(this.#algorithms, anchor.ds),
          anchor.zone,
          { dnskey: key, rdata },
          this.#algorithms,
        ),
    );
    if (status.status === 'bogus' && status.failure.code === 'dnssec-ds-mismatch')
      return bogus('dnssec-anchor-stale', anchor.zone.toString());
    return status;
  }

  /** Proves the key set of a zone from the DS records of its parent (RFC 4035 §5.2). */
  async #delegated(name: Name, anchor: TrustAnchor): Promise<ZoneStatus> {
    const keys = this.session.ask(name, RRType.DNSKEY);
    this.#askAhead(name, anchor);
    const zoneCut = await this.#cut(name);
    if ('failure' in zoneCut) return { status: zoneCut.kind, failure: zoneCut.failure };
    if (zoneCut.kind !== 'secure')
      return { status: zoneCut.kind, expires: this.#expiry(zoneCut.ttl) };
    const usable = usableDs(this.#algorithms, zoneCut.ds);
    if (usable.length === 0) return this.#withoutUsable(name, zoneCut.ds, zoneCut.ttl);
    const asked = await keys;
    if (!asked.ok) return { status: 'indeterminate', failure: asked.failure };
    return this.#keys(
      asked.response,
      name,
      (key, rdata) => isDelegatedKey(usable, name, { dnskey: key, rdata }, this.#algorithms),
      zoneCut.ttl,
    );
  }

  /**
   * Saves round trips: queries the keys of the root and the top-level zone while the
   * query for the answer runs.
   */
  #askAhead(name: Name, anchor: TrustAnchor): void {
    if (!anchor.zone.isRoot || name.labels.length > 3) return;
    if (!this.session.request.cache?.get(anchor.zone.key))
      void this.session.ask(anchor.zone, RRType.DNSKEY);
    const top = name.suffix(1);
    if (name.labels.length < 2 || this.session.request.cache?.get(top.key)) return;
    void this.session.ask(top, RRType.DS);
    void this.session.ask(top, RRType.DNSKEY);
  }

  /** Returns the delegation at a name; asked once for each question. */
  #cut(name: Name): Promise<Cut> {
    return memo(this.#cuts, name.key, () => this.#askCut(name));
  }

  /**
   * Asks the parent side for the DS of a name and judges the answer: DS records, a signed
   * CNAME, or a denial.
   */
  async #askCut(name: Name): Promise<Cut> {
    const known = this.session.request.cache?.get(name.key);
    if (
      known &&
      known.zone.status === 'insecure' &&
      known.zone.expires > this.session.request.now
    ) {
      this.#cachedGrounds.set(name.key, known.grounds);
      this.#note(name, known.zone.unsupported);
      return { kind: 'insecure', ttl: (known.zone.expires - this.session.request.now) / 1000 };
    }
    const asked = await this.session.ask(name, RRType.DS);
    if (!asked.ok) return { kind: 'indeterminate', failure: asked.failure };
    const { response } = asked;
    if (response.message.rcode !== 0 && response.message.rcode !== 3)
      return {
        kind: 'indeterminate',
        failure: dnssecFailures.make(
          response.message.rcode === 2 ? 'dns-servfail' : 'dns-rcode',
          `DS of ${name.toString()}: ${rcodeText(response.message)}`,
        ),
      };
    const set = cutSet(response, name);
    if (!set) return this.#deniedCut(name, response);
    let worst: DnssecFailureCode = 'dnssec-signature-missing';
    let broken: Failure | undefined;
    for (const signer of signersAbove(
      name,
      set.signatures.map((signature) => signature.rrsig.signer),
      this.anchor(name.parent),
    )) {
      const parent = await this.zone(signer);
      if (parent.status === 'insecure') return { kind: 'insecure', ttl: 0 };
      if (parent.status === 'indeterminate')
        return { kind: 'indeterminate', failure: parent.failure };
      if (parent.status === 'bogus') broken ??= parent.failure;
      if (parent.status !== 'secure') continue;
      const proved = this.#provedCut(name, response, set, { zone: signer, keys: parent.keys });
      if (typeof proved !== 'string') return proved;
      worst = proved;
    }
    const above = await this.enclosing(name.parent);
    if (above.status === 'insecure') return { kind: 'insecure', ttl: 0 };
    if (above.status === 'bogus' || above.status === 'indeterminate')
      return { kind: above.status, failure: above.failure };
    return {
      kind: 'bogus',
      failure: broken ?? dnssecFailures.make(worst, `DS of ${name.toString()}`),
    };
  }

  /**
   * Returns the zone cut that a signed RRset of a DS response proves, or the reason why
   * it proves none.
   */
  #provedCut(
    name: Name,
    response: DnsResponse,
    recordSet: RRset,
    signer: { readonly zone: Name; readonly keys: readonly ZoneKey[] },
  ): Cut | DnssecFailureCode {
    const verified = this.session.verify(response, recordSet, signer.zone, signer.keys);
    if (!verified.ok) return verified.code;
    this.session.use(response, recordSet, verified);
    this.#rest(name, response, signer.zone);
    const { ttl, signature } = verified;
    if (recordSet.type === RRType.DS) {
      const dsRecord = recordSet.records
        .map(readDs)
        .flatMap((read) => (read.ok ? [read.value] : []));
      return { kind: 'secure', ds: dsRecord, ttl };
    }
    const { labels } = signature.rrsig;
    if (labels === countLabels(name)) return { kind: 'no-zone', ttl };
    const closer = judgeNoCloser(this.session, response, signer, { name, encloserLabels: labels });
    if (!closer) return 'dnssec-denial-missing';
    return { kind: closer === 'secure' ? 'no-zone' : 'insecure', ttl };
  }

  /**
   * Judges a denial of DS. It proves an insecure delegation when NS is present without
   * SOA and DS, or when the name lies in an opt-out span (RFC 5155 §6); else there is no
   * cut.
   */
  async #deniedCut(name: Name, response: DnsResponse): Promise<Cut> {
    const judged = await judgeDenial(this.session, this, response, { name, type: RRType.DS });
    if ('failure' in judged) {
      const failure =
        judged.failure.code === 'dnssec-denial-missing'
          ? dnssecFailures.make('dnssec-cut-unproved', name.toString())
          : judged.failure;
      return { kind: judged.status, failure };
    }
    if (judged.zone) this.#rest(name, response, judged.zone);
    if (judged.status === 'insecure' || judged.delegation)
      return { kind: 'insecure', ttl: judged.ttl };
    return { kind: 'no-zone', ttl: judged.ttl };
  }

  /**
   * Proves a DNSKEY RRset by a key that is an entry point; then every key of the set
   * counts (RFC 4035 §5.2).
   */
  #keys(
    response: DnsResponse,
    zone: Name,
    isEntry: (key: Dnskey, rdata: Uint8Array) => boolean,
    ttl = Infinity,
  ): ZoneStatus {
    const set = response.recordSets.find(
      (set) => set.type === RRType.DNSKEY && set.name.equals(zone),
    );
    if (!set) {
      if (response.message.rcode === 2)
        return {
          status: 'indeterminate',
          failure: dnssecFailures.make('dns-servfail', `DNSKEY of ${zone.toString()}`),
        };
      return bogus('dnssec-ds-mismatch', `${zone.toString()} has no DNSKEY`);
    }
    if (set.records.length > MAX_KEYS) return bogus('dnssec-limit', `${set.records.length} keys`);
    const all = zoneKeysOf(set.records, this.#algorithms);
    const entries = all
      .filter((candidate) => isEntry(candidate.dnskey, candidate.rdata))
      .map((candidate) => candidate.zoneKey);
    if (entries.length === 0) return bogus('dnssec-ds-mismatch', zone.toString());
    const verified = this.session.verify(response, set, zone, entries);
    if (!verified.ok)
      return bogus(
        verified.code === 'dnssec-key-missing' || verified.code === 'dnssec-signature-missing'
          ? 'dnssec-ds-mismatch'
          : verified.code,
        `DNSKEY of ${zone.toString()}`,
      );
    this.session.use(response, set, verified);
    this.#rest(zone, response);
    return {
      status: 'secure',
      keys: all.map((candidate) => candidate.zoneKey),
      expires: this.#expiry(Math.min(ttl, verified.ttl)),
    };
  }

  /**
   * Returns the expiry of a result in milliseconds since 1970: at most a day from now.
   */
  #expiry(ttl: number): number {
    return this.session.request.now + Math.min(ttl, 86400) * 1000;
  }
}

/** Returns the failure for a name below no anchor. */
function noAnchor(name: Name): Failure {
  return dnssecFailures.make('dnssec-no-anchor', name.toString());
}

/** Returns a bogus status with its failure. */
function bogus(
  code: DnssecFailureCode,
  detail: string,
): { readonly status: 'bogus'; readonly failure: Failure } {
  return { status: 'bogus', failure: dnssecFailures.make(code, detail) };
}

/** Returns the stored promise of a key, or stores the one that `make` returns. */
function memo<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  let made = map.get(key);
  if (!made) map.set(key, (made = make()));
  return made;
}

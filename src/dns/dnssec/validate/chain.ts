import { equalBytes, type Failure, type Name } from '../../../base/index.js';
import { readDs, type Dnskey, type Ds } from '../../wire/rdata.js';
import { rcodeText } from '../../wire/rcode-text.js';
import { Rcode, RRType } from '../../wire/types-registry.js';
import { unsupportedText, type AlgorithmRegistry } from '../algorithms.js';
import { countLabels } from '../canonical.js';
import { dnssecFailures, type DnssecFailureCode } from '../failures.js';
import { cutSet, signersAbove } from './cut-records.js';
import { judgeDenial, judgeNoCloser } from './judge-denial.js';
import type { RRset } from './rrset.js';
import { bogus, memo, noAnchor } from './zone-status.js';
import type { DnsResponse, ValidationSession } from './session.js';
import type { Enclosing, ProvedStatus, TrustAnchor, ZoneKey, Zones, ZoneStatus } from './types.js';
import { ZoneMemory } from './zone-memory.js';
import { timeOf } from './verify-rrset.js';
import { isDelegatedKey, usableDs, zoneKeysOf } from './zone-keys.js';

/** Maximum keys of one zone: a zone with more keys only makes validation expensive. */
const MAX_KEYS = 64;
/** TTL in seconds of a status that depends on a negative trust anchor. */
const NEGATIVE_TTL = 300;

/**
 * The parent's statement about a name: a secure delegation, an insecure delegation, no
 * zone cut, or a failure to prove any of these. `expires`, in milliseconds since 1970, is
 * never later than the expiry of the keys that prove the statement. `expires` is the
 * current time for a name in an unsigned part of the tree, where only a higher zone cut
 * was proved.
 */
type Cut =
  | { readonly kind: 'secure'; readonly ds: readonly Ds[]; readonly expires: number }
  | { readonly kind: 'insecure' | 'no-zone'; readonly expires: number }
  | { readonly kind: 'bogus' | 'indeterminate'; readonly failure: Failure };
type ProvedCut = Extract<Cut, { readonly expires: number }>;
type UnkeyedStatus = Exclude<ProvedStatus, { readonly status: 'secure' }>;

/**
 * Builds the chain of trust from a trust anchor down to a zone. The signer's name in an
 * RRSIG claims a zone cut, and only the parent's DS answer proves the cut
 * (RFC 4035 §5.2). An insecure delegation is accepted only if the parent zone proves it.
 */
export class Chain implements Zones {
  /** Zone statuses by name, so that concurrent questions share one proof. */
  readonly #zones = new Map<string, Promise<ZoneStatus>>();
  /** Zone cuts by name, so that concurrent questions share one proof. */
  readonly #cuts = new Map<string, Promise<Cut>>();
  /**
   * The zones that earlier questions proved, and the records that prove the new zones.
   */
  readonly memory: ZoneMemory;
  readonly #algorithms: AlgorithmRegistry;

  constructor(private readonly session: ValidationSession) {
    this.memory = new ZoneMemory(session.request, (name) => this.anchor(name));
    this.#algorithms = session.context.algorithms;
  }

  /**
   * Returns the closest anchor at or above a name. The closest anchor decides (RFC 6840
   * appendix C).
   */
  anchor(domainName: Name): TrustAnchor | undefined {
    let closest: TrustAnchor | undefined;
    for (const anchor of this.session.request.anchors)
      if (domainName.isAtOrBelow(anchor.zone) && isCloser(anchor, closest)) closest = anchor;
    return closest;
  }

  /** Returns the status and keys of a zone whose name a signature claims. */
  zone(domainName: Name): Promise<ZoneStatus> {
    return memo(this.#zones, domainName.key, () => this.#zone(domainName));
  }

  /**
   * Proves the anchor's zone directly, and any other zone through its delegation. The
   * shared cache stores results with an expiry but no failures, so that a later question
   * can succeed.
   */
  async #zone(domainName: Name): Promise<ZoneStatus> {
    const trustAnchor = this.anchor(domainName);
    if (!trustAnchor) return { status: 'indeterminate', failure: noAnchor(domainName) };
    if (trustAnchor.negative) return { status: 'insecure', expires: this.#expiry(NEGATIVE_TTL) };
    const known =
      this.memory.known(domainName) ?? this.memory.unsignedAbove(domainName, trustAnchor);
    if (known) return known;
    const zoneStatus = trustAnchor.zone.equals(domainName)
      ? await this.#anchored(trustAnchor)
      : await this.#delegated(domainName, trustAnchor);
    if ('expires' in zoneStatus) this.memory.remember(domainName, zoneStatus);
    return zoneStatus;
  }

  /**
   * Determines whether data at a name must be signed. The result is `signed` if every
   * zone cut above the name is secure. If the cache contains the proved keys of a zone,
   * its cut needs no second proof.
   */
  async enclosing(domainName: Name): Promise<Enclosing> {
    const trustAnchor = this.anchor(domainName);
    if (!trustAnchor) return { status: 'indeterminate', failure: noAnchor(domainName) };
    if (trustAnchor.negative) return { status: 'insecure', expires: this.#expiry(NEGATIVE_TTL) };
    for (let labels = trustAnchor.zone.labelCount + 1; labels <= domainName.labelCount; labels++) {
      const ownerName = domainName.suffix(labels);
      const known = this.memory.known(ownerName);
      if (known?.status === 'insecure') return known;
      if (known) continue;
      const zoneCut = await this.#cut(ownerName);
      if ('failure' in zoneCut) return { status: zoneCut.kind, failure: zoneCut.failure };
      const settled = this.#withoutKeys(ownerName, zoneCut);
      if (!settled) continue;
      // Without this entry, every name below would cause another DS query.
      this.memory.remember(ownerName, settled);
      if (settled.status === 'insecure') return settled;
    }
    return { status: 'signed' };
  }

  /**
   * Returns the status of a zone whose cut decides it without the zone's keys; undefined
   * for a secure delegation. A delegation is insecure if none of its DS records is
   * supported (RFC 4035 §5.2). The status then contains the algorithms, for the
   * explanation to the operator.
   */
  #withoutKeys(zoneName: Name, cut: ProvedCut): UnkeyedStatus | undefined {
    if (cut.kind !== 'secure') return { status: cut.kind, expires: cut.expires };
    if (usableDs(this.#algorithms, cut.ds).length > 0) return undefined;
    const texts = cut.ds.map((one) => unsupportedText(one, this.#algorithms));
    const unsupported = { zone: zoneName.toString(), algorithms: [...new Set(texts)].slice(0, 8) };
    this.memory.note(zoneName, unsupported);
    return { status: 'insecure', expires: cut.expires, unsupported };
  }

  /**
   * Proves the DNSKEY RRset of the anchor's zone. The zone is known to exist and to be
   * signed, so the resolver is the likely cause of a missing signature. If every
   * signature is outside its validity period, the clock of this machine is the likely
   * cause.
   */
  async #anchored(trustAnchor: TrustAnchor): Promise<ZoneStatus> {
    const asked = await this.session.ask(trustAnchor.zone, RRType.DNSKEY);
    if (!asked.ok) return { status: 'indeterminate', failure: asked.failure };
    const recordSet = asked.response.recordSets.find(
      (set) => set.type === RRType.DNSKEY && set.name.equals(trustAnchor.zone),
    );
    if (!recordSet || recordSet.signatures.length === 0) {
      // The zone of the anchor is known to be signed, so an upstream that returns its
      // keys without signatures strips signatures.
      return {
        status: 'indeterminate',
        failure:
          asked.response.message.rcode === 0
            ? dnssecFailures.make('dnssec-stripped')
            : dnssecFailures.make('dns-rcode', rcodeText(asked.response.message)),
      };
    }
    if (recordSet.signatures.every(({ rrsig }) => timeOf(rrsig, this.session.context) !== 'valid'))
      return bogus('dnssec-clock', `as of ${new Date(this.session.request.now).toISOString()}`);
    const zoneStatus = this.#keys(
      asked.response,
      trustAnchor.zone,
      (key, rdata) =>
        trustAnchor.keys.some(
          (dnskey) =>
            dnskey.algorithm === key.algorithm && equalBytes(dnskey.publicKey, key.publicKey),
        ) ||
        isDelegatedKey(
          usableDs(this.#algorithms, trustAnchor.ds),
          trustAnchor.zone,
          { dnskey: key, rdata },
          this.#algorithms,
        ),
    );
    if (zoneStatus.status === 'bogus' && zoneStatus.failure.code === 'dnssec-ds-mismatch')
      return bogus('dnssec-anchor-stale', trustAnchor.zone.toString());
    return zoneStatus;
  }

  /**
   * Proves the DNSKEY RRset of a zone from the DS records of its parent (RFC 4035 §5.2).
   */
  async #delegated(domainName: Name, trustAnchor: TrustAnchor): Promise<ZoneStatus> {
    const keys = this.session.ask(domainName, RRType.DNSKEY);
    this.#askAhead(domainName, trustAnchor);
    const zoneCut = await this.#cut(domainName);
    if ('failure' in zoneCut) return { status: zoneCut.kind, failure: zoneCut.failure };
    const settled = this.#withoutKeys(domainName, zoneCut);
    if (settled) return settled;
    const usable = zoneCut.kind === 'secure' ? usableDs(this.#algorithms, zoneCut.ds) : [];
    const asked = await keys;
    if (!asked.ok) return { status: 'indeterminate', failure: asked.failure };
    return this.#keys(
      asked.response,
      domainName,
      (dnskey, rdata) =>
        isDelegatedKey(usable, domainName, { dnskey: dnskey, rdata }, this.#algorithms),
      zoneCut.expires,
    );
  }

  /**
   * Queries the keys of the root and of the top-level domain at the same time as the
   * answer, if the root is not proved yet. Almost every proof needs these keys, so
   * querying them early saves round trips.
   */
  begin(name: Name): void {
    const anchor = this.anchor(name);
    if (anchor && !this.memory.has(anchor.zone)) this.#askAhead(name, anchor);
  }

  #askAhead(name: Name, anchor: TrustAnchor): void {
    if (!anchor.zone.isRoot || anchor.negative || name.isRoot) return;
    if (!this.memory.has(anchor.zone)) void this.session.ask(anchor.zone, RRType.DNSKEY);
    const top = name.suffix(1);
    if (this.memory.has(top)) return;
    void this.session.ask(top, RRType.DS);
    void this.session.ask(top, RRType.DNSKEY);
  }

  /**
   * Returns the parent's statement about a name; one validation queries it at most once.
   */
  #cut(domainName: Name): Promise<Cut> {
    return memo(this.#cuts, domainName.key, () => this.#askCut(domainName));
  }

  /**
   * Queries the parent side for the DS of a name and judges the answer: DS records, a
   * signed CNAME, or a denial.
   */
  async #askCut(domainName: Name): Promise<Cut> {
    const known = this.memory.known(domainName);
    if (known && known.status !== 'secure') return { kind: known.status, expires: known.expires };
    const asked = await this.session.ask(domainName, RRType.DS);
    if (!asked.ok) return { kind: 'indeterminate', failure: asked.failure };
    const { response } = asked;
    const refused = refusalOf(response, `DS of ${domainName.toString()}`);
    if (refused) return { kind: 'indeterminate', failure: refused };
    const recordSet = cutSet(response, domainName);
    if (!recordSet) return this.#deniedCut(domainName, response);
    let worst: DnssecFailureCode = 'dnssec-signature-missing';
    let broken: Failure | undefined;
    for (const signer of signersAbove(
      domainName,
      recordSet.signatures.map((signature) => signature.rrsig.signer),
      this.anchor(domainName.parent),
    )) {
      const parent = await this.zone(signer);
      if (parent.status === 'insecure') return this.#unsignedCut();
      if (parent.status === 'indeterminate')
        return { kind: 'indeterminate', failure: parent.failure };
      if (parent.status === 'bogus') broken ??= parent.failure;
      if (parent.status !== 'secure') continue;
      const proved = this.#provedCut(domainName, response, recordSet, {
        zone: signer,
        keys: parent.keys,
        until: parent.expires,
      });
      if (typeof proved !== 'string') return proved;
      worst = proved;
    }
    const above = await this.enclosing(domainName.parent);
    if (above.status === 'insecure') return this.#unsignedCut();
    if (above.status === 'bogus' || above.status === 'indeterminate')
      return { kind: above.status, failure: above.failure };
    return {
      kind: 'bogus',
      failure: broken ?? dnssecFailures.make(worst, `DS of ${domainName.toString()}`),
    };
  }

  /**
   * Returns the statement that a signed RRset of a DS response proves, or the reason why
   * it proves none.
   */
  #provedCut(
    domainName: Name,
    response: DnsResponse,
    recordSet: RRset,
    signer: { readonly zone: Name; readonly keys: readonly ZoneKey[]; readonly until: number },
  ): Cut | DnssecFailureCode {
    const verified = this.session.verify(response, recordSet, signer.zone, signer.keys);
    if (!verified.ok) return verified.code;
    this.session.use(response, recordSet, verified);
    this.memory.rest(domainName, response, signer.zone);
    const { signature } = verified;
    const expires = this.#expiry(verified.ttl, signer.until);
    if (recordSet.type === RRType.DS) {
      const dsRecord = recordSet.records
        .map(readDs)
        .flatMap((read) => (read.ok ? [read.value] : []));
      return { kind: 'secure', ds: dsRecord, expires };
    }
    const { labels } = signature.rrsig;
    if (labels === countLabels(domainName)) return { kind: 'no-zone', expires };
    const closer = judgeNoCloser(this.session, response, signer, {
      name: domainName,
      encloserLabels: labels,
    });
    if (typeof closer === 'string') return closer;
    return {
      kind: closer.status === 'secure' ? 'no-zone' : 'insecure',
      expires: this.#expiry(closer.ttl, expires),
    };
  }

  /**
   * Evaluates a denial of the DS RRset. The denial proves an insecure delegation if the
   * name has NS without SOA and DS, or if the name lies in an opt-out span (RFC 5155 §6).
   * Otherwise the name is not a zone cut.
   */
  async #deniedCut(domainName: Name, response: DnsResponse): Promise<Cut> {
    const judged = await judgeDenial(this.session, this, response, {
      name: domainName,
      type: RRType.DS,
    });
    if ('failure' in judged) {
      const failure =
        judged.failure.code === 'dnssec-denial-missing'
          ? dnssecFailures.make('dnssec-cut-unproved', domainName.toString())
          : judged.failure;
      return { kind: judged.status, failure };
    }
    if (judged.keysUntil === undefined) return this.#unsignedCut();
    if (judged.zone) this.memory.rest(domainName, response, judged.zone);
    const isInsecure = judged.status === 'insecure' || judged.delegation;
    const expires = this.#expiry(judged.ttl, judged.keysUntil);
    return { kind: isInsecure ? 'insecure' : 'no-zone', expires };
  }

  /** Returns the statement for a name in an unsigned part of the tree. */
  #unsignedCut(): ProvedCut {
    return { kind: 'insecure', expires: this.session.request.now };
  }

  /**
   * Proves a DNSKEY RRset with a key that the trust anchor or the DS RRset confirms.
   * Every key of the RRset is then trusted (RFC 4035 §5.2).
   */
  #keys(
    response: DnsResponse,
    zoneName: Name,
    isEntry: (dnskey: Dnskey, recordData: Uint8Array) => boolean,
    until = Infinity,
  ): ZoneStatus {
    const recordSet = response.recordSets.find(
      (set) => set.type === RRType.DNSKEY && set.name.equals(zoneName),
    );
    if (!recordSet) {
      const refused = refusalOf(response, `DNSKEY of ${zoneName.toString()}`);
      if (refused) return { status: 'indeterminate', failure: refused };
      return bogus('dnssec-ds-mismatch', `${zoneName.toString()} has no DNSKEY`);
    }
    if (recordSet.records.length > MAX_KEYS)
      return bogus('dnssec-limit', `${recordSet.records.length} keys`);
    const all = zoneKeysOf(recordSet.records, this.#algorithms);
    const entries = all
      .filter((candidate) => isEntry(candidate.dnskey, candidate.rdata))
      .map((candidate) => candidate.zoneKey);
    if (entries.length === 0) return bogus('dnssec-ds-mismatch', zoneName.toString());
    const verified = this.session.verify(response, recordSet, zoneName, entries);
    if (!verified.ok)
      return bogus(
        verified.code === 'dnssec-key-missing' || verified.code === 'dnssec-signature-missing'
          ? 'dnssec-ds-mismatch'
          : verified.code,
        `DNSKEY of ${zoneName.toString()}`,
      );
    this.session.use(response, recordSet, verified);
    this.memory.rest(zoneName, response);
    return {
      status: 'secure',
      keys: all.map((candidate) => candidate.zoneKey),
      expires: this.#expiry(verified.ttl, until),
    };
  }

  /**
   * Returns the expiry of a result, milliseconds since 1970: at most a day from now, and
   * not after `until`.
   */
  #expiry(ttlSeconds: number, until = Infinity): number {
    return Math.min(until, this.session.request.now + Math.min(ttlSeconds, 86400) * 1000);
  }
}

/**
 * Returns whether the first of two anchors above the same name is closer to that name.
 */
function isCloser({ zone }: TrustAnchor, than: TrustAnchor | undefined): boolean {
  return than === undefined || zone.wire.length > than.zone.wire.length;
}

/**
 * Returns the failure of a response with an error rcode, which proves nothing about the
 * zone.
 */
function refusalOf({ message }: DnsResponse, question: string): Failure | undefined {
  if (message.rcode === Rcode.NOERROR || message.rcode === Rcode.NXDOMAIN) return undefined;
  const code = message.rcode === Rcode.SERVFAIL ? 'dns-servfail' : 'dns-rcode';
  return dnssecFailures.make(code, `${question}: ${rcodeText(message)}`);
}

import type { Name } from '../../../base/index.js';
import type { UnsupportedZone } from '../../types.js';
import { anchorId } from './anchors.js';
import { usedRecordsOf, type DnsResponse } from './session.js';
import type { CachedZone, ProvedStatus, TrustAnchor, ValidateRequest } from './types.js';
import type { UsedRecords } from './used-records.js';

/** Estimated octets of memory for a cache entry, and for an imported key. */
const ENTRY_OCTETS = 800;
const KEY_OCTETS = 3000;

/**
 * The responses on which the status of a zone depends, and the parent zone whose keys
 * prove them.
 */
interface Rest {
  parent: Name | undefined;
  readonly heard: DnsResponse[];
}

/**
 * Access of one validation to the zones that earlier questions proved. The cache stores
 * only proved statuses with their records, and returns them until they expire, and only
 * for the trust anchor at which their proof began.
 */
export class ZoneMemory {
  readonly #cachedGrounds = new Map<string, readonly UsedRecords[]>();
  readonly #rested = new Map<string, Rest>();
  /** Zones that are treated as unsigned because none of their algorithms is supported. */
  readonly #unsupported = new Map<string, UnsupportedZone>();

  constructor(
    private readonly request: Pick<ValidateRequest, 'cache' | 'now'>,
    private readonly anchorOf: (name: Name) => TrustAnchor | undefined,
  ) {}

  /**
   * Returns whether the cache has a current entry for a zone. Adds nothing to the proof
   * of the answer.
   */
  has(name: Name): boolean {
    return this.#current(name) !== undefined;
  }

  /**
   * Returns the cached status of a zone until the status expires. Adds the records that
   * prove the status to the proof of the answer.
   */
  known(name: Name): ProvedStatus | undefined {
    const cached = this.#current(name);
    if (!cached) return undefined;
    this.#cachedGrounds.set(name.key, cached.grounds);
    if (cached.zone.status === 'insecure' && cached.zone.unsupported)
      this.note(name, cached.zone.unsupported);
    return cached.zone;
  }

  /**
   * Returns the cached status of an unsigned zone above a name: names below that zone
   * need no proof. The name gets no entry of its own, because that entry could expire
   * later than the entry of the zone.
   */
  unsignedAbove(name: Name, { zone: anchored }: TrustAnchor): ProvedStatus | undefined {
    for (let labels = anchored.labelCount + 1; labels < name.labelCount; labels++) {
      const ancestor = name.suffix(labels);
      if (this.#current(ancestor)?.zone.status === 'insecure') return this.known(ancestor);
    }
    return undefined;
  }

  /** Caches a proved status until it expires. */
  remember(name: Name, zone: ProvedStatus): void {
    const anchor = this.anchorOf(name);
    if (!anchor || zone.expires <= this.request.now) return;
    const own = usedRecordsOf(this.#rested.get(name.key)?.heard ?? []);
    const keys = zone.status === 'secure' ? zone.keys.length : 0;
    const octets = own.reduce((sum, used) => sum + used.octets, ENTRY_OCTETS + keys * KEY_OCTETS);
    const grounds = [...this.#groundsAbove(name), ...own];
    this.request.cache?.set(name.key, { zone, grounds, anchor: anchorId(anchor), octets });
  }

  /**
   * Records that the status of a zone depends on a response, which the keys of the zone's
   * parent prove.
   */
  rest(zoneName: Name, response: DnsResponse, parent?: Name): void {
    const known = this.#rested.get(zoneName.key) ?? { parent: undefined, heard: [] };
    known.parent ??= parent;
    if (!known.heard.includes(response)) known.heard.push(response);
    this.#rested.set(zoneName.key, known);
  }

  /** Records the unsupported algorithms of a signed zone. */
  note(zoneName: Name, unsupported: UnsupportedZone): void {
    this.#unsupported.set(zoneName.key, unsupported);
  }

  /**
   * Returns the closest zone at or above a name that has only unsupported algorithms,
   * among the zones that this validation has used.
   */
  unsupportedAbove(domainName: Name): UnsupportedZone | undefined {
    for (let labels = domainName.labelCount; labels > 0; labels--) {
      const found = this.#unsupported.get(domainName.suffix(labels).key);
      if (found) return found;
    }
    return undefined;
  }

  /** Returns the records that this validation took from the cache. */
  get cachedGrounds(): readonly (readonly UsedRecords[])[] {
    return [...this.#cachedGrounds.values()];
  }

  /**
   * Returns the cache entry of a zone if it is current and its proof begins at the same
   * anchor.
   */
  #current(name: Name): CachedZone | undefined {
    const cached = this.request.cache?.get(name.key);
    if (!cached || cached.zone.expires <= this.request.now) return undefined;
    const anchor = this.anchorOf(name);
    return anchor && cached.anchor === anchorId(anchor) ? cached : undefined;
  }

  /** Returns the records that prove the keys of the zone's parent. */
  #groundsAbove(zoneName: Name): readonly UsedRecords[] {
    const parent = this.#rested.get(zoneName.key)?.parent;
    if (!parent) return [];
    const cached = this.#cachedGrounds.get(parent.key);
    if (cached) return cached;
    const own = usedRecordsOf(this.#rested.get(parent.key)?.heard ?? []);
    return [...this.#groundsAbove(parent), ...own];
  }
}

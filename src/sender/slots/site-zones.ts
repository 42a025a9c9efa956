import { BoundedMap, Name } from '../../base/index.js';
import {
  dsRecord,
  makeRecord,
  OnlineZone,
  RRType,
  StaticRecords,
  type RecordSets,
  type ResourceRecord,
  type ZoneSigningKey,
} from '../../dns/index.js';
import { senderCase } from '../cases/all-cases.js';
import { caseOfName, type NamedCase } from '../cases/case-names.js';
import type { CaseZoneRecords } from '../receive/case-records.js';
import {
  delegation,
  installationRecords,
  siteRecords,
  zoneRecords,
  type SiteData,
} from './site-records.js';

/** The state of a slot that its records depend on. */
export interface SlotState {
  /** The policy of the case `sts-cached` has been withdrawn. */
  readonly withdrawn: boolean;
}

export interface SiteZonesOptions {
  readonly site: SiteData;
  readonly key: ZoneSigningKey;
  /** Addresses of the name of the zone itself, such as the addresses of the page. */
  readonly apexAddresses?: readonly string[];
  /** Returns the state of a slot; undefined if the slot does not exist. */
  slotState(slot: string): SlotState | undefined;
  /** Returns a temporary text of a name, such as a challenge of a CA. */
  textAt?(domainName: Name): string | undefined;
  readonly now: () => number;
}

/** Maximum number of cases in memory, over all slots. */
const MAX_CASES = 2000;

/** The zones of one case in one slot. */
interface CaseZones {
  /** Delegations in the zone of the installation. */
  readonly inSite: StaticRecords;
  readonly children: readonly OnlineZone[];
}

/**
 * The zone of an installation with the zones of all cases below it: names of allocated slots
 * exist, and all others do not.
 */
export class SiteZones {
  readonly #apex: Name;
  readonly #zone: OnlineZone;
  readonly #own: StaticRecords;
  readonly #cases = new BoundedMap<CaseZones>(MAX_CASES);

  constructor(private readonly options: SiteZonesOptions) {
    const { site, key, now, apexAddresses = [] } = options;
    this.#apex = Name.of(site.zone);
    this.#own = new StaticRecords(this.#apex, installationRecords(site, apexAddresses));
    this.#zone = new OnlineZone({
      apex: this.#apex,
      recordSets: (domainName) => this.#recordSets(domainName),
      key,
      now,
    });
  }

  /** Returns the zones that may hold a name. */
  zonesFor(domainName: Name): readonly OnlineZone[] {
    const named = this.namedCase(domainName);
    return [this.#zone, ...(named ? (this.#zonesOf(named)?.children ?? []) : [])];
  }

  /** Returns the case of an allocated slot that a name belongs to. */
  namedCase(domainName: Name): NamedCase | undefined {
    if (!domainName.isAtOrBelow(this.#apex)) return undefined;
    const named = caseOfName(domainName.toLower(), this.options.site.zone);
    const exists = named && senderCase(named.caseId) && this.options.slotState(named.slot);
    return exists ? named : undefined;
  }

  /**
   * Returns whether a name belongs to an allocated slot or to the installation itself.
   * Other names are denied with small answers.
   */
  isExpected(domainName: Name): boolean {
    return this.#recordSets(domainName) !== undefined || this.namedCase(domainName) !== undefined;
  }

  #recordSets(domainName: Name): RecordSets | undefined {
    const own = this.#own.recordSets(domainName);
    if (own) return own;
    const named = this.namedCase(domainName);
    if (named) return this.#zonesOf(named)?.inSite.recordSets(domainName);
    return this.#isSlot(domainName) ? new Map() : undefined;
  }

  /**
   * Returns whether a name is the name of an allocated slot, which has records only below
   * it.
   */
  #isSlot(domainName: Name): boolean {
    const [label = new Uint8Array(0)] = domainName.labels;
    return (
      domainName.parent.equals(this.#apex) &&
      this.options.slotState(Buffer.from(label).toString('latin1').toLowerCase()) !== undefined
    );
  }

  #zonesOf({ caseId, slot }: NamedCase): CaseZones | undefined {
    const found = senderCase(caseId);
    const state = this.options.slotState(slot);
    if (!found || !state) return undefined;
    const isWithdrawn = found.withdrawn === true && state.withdrawn;
    const cacheKey = `${slot} ${caseId} ${isWithdrawn ? 2 : 1}`;
    const known = this.#cases.get(cacheKey);
    if (known) return known;
    const made = caseZones(siteRecords(found, slot, this.options.site, isWithdrawn), this.options);
    this.#cases.set(cacheKey, made);
    return made;
  }
}

/** Builds the zones of a case, each delegated from the closest zone above it. */
function caseZones(
  zones: readonly CaseZoneRecords[],
  { site, key, now, textAt }: SiteZonesOptions,
): CaseZones {
  const records = new Map<string, ResourceRecord[]>([
    [site.zone, []],
    ...zones.map((one) => [one.apex, zoneRecords(one, site)] as const),
  ]);
  for (const { apex, dnssec } of zones) {
    const above = records.get(parentOf(apex, [...records.keys()]));
    above?.push(...delegation(apex, site));
    if (dnssec === 'secure') above?.push(dsRecord(Name.of(apex), key));
    if (dnssec === 'bogus') above?.push(wrongDs(Name.of(apex), key));
  }
  const children = zones.map(({ apex, dnssec }) => {
    const name = Name.of(apex);
    const content = new StaticRecords(name, records.get(apex) ?? []);
    return new OnlineZone({
      apex: name,
      recordSets: (domainName) =>
        content.recordSets(domainName) ?? textSet(domainName, textAt?.(domainName)),
      key: dnssec === 'insecure' ? undefined : key,
      now,
    });
  });
  return {
    inSite: new StaticRecords(Name.of(site.zone), records.get(site.zone) ?? []),
    children,
  };
}

/** Returns a TXT record of one string; undefined without a text. */
function textSet(domainName: Name, text: string | undefined): RecordSets | undefined {
  if (text === undefined) return undefined;
  const octets = Buffer.from(text.slice(0, 255));
  const rdata = Uint8Array.of(octets.length, ...octets);
  return new Map([[RRType.TXT, [makeRecord(domainName, RRType.TXT, 0, rdata)]]]);
}

/** Returns the apex of the closest other zone above a zone. */
export function parentOf(apex: string, all: readonly string[]): string {
  const above = all.filter((other) => apex.endsWith(`.${other}`));
  return above.reduce((longest, other) => (other.length > longest.length ? other : longest), '');
}

/**
 * Returns a DS record that matches no key, so that every signature of the child is bogus.
 */
export function wrongDs(apex: Name, key: ZoneSigningKey): ResourceRecord {
  const right = dsRecord(apex, key);
  const rdata = Uint8Array.from(right.rdata);
  rdata[rdata.length - 1] = (rdata[rdata.length - 1] as number) ^ 0xff;
  return { ...right, rdata };
}

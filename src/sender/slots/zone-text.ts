import { Name } from '../../base/index.js';
import { dsRecord, type ResourceRecord, type ZoneSigningKey } from '../../dns/index.js';
import type { SenderCase } from '../cases/sender-case.js';
import {
  delegation,
  formatZone,
  nameServerRecords,
  installationRecords,
  siteRecords,
  zoneRecords,
  type SiteData,
} from './site-records.js';
import { parentOf, wrongDs } from './site-zones.js';

/**
 * Returns the records for the parent of the zone: NS, DS and the addresses of name
 * servers inside the zone.
 */
export function delegationText(site: SiteData, key: ZoneSigningKey): string {
  return formatZone([
    ...delegation(site.zone, site),
    ...nameServerRecords(site),
    dsRecord(Name.of(site.zone), key),
  ]);
}

/** One zone of an installation that another DNS server hosts. */
export interface StaticZone {
  readonly apex: string;
  /**
   * `secure`: the operator signs the zone, and its DS record goes into the parent zone.
   * `insecure`: the zone has no DS record. `bogus`: the DS in the parent zone matches no
   * key of this zone, whether or not the zone is signed.
   */
  readonly dnssec: 'secure' | 'insecure' | 'bogus';
  /**
   * Apex of the zone that contains the NS records of this zone; undefined for the first
   * zone.
   */
  readonly parent: string | undefined;
  readonly text: string;
}

export interface StaticZoneOptions {
  readonly site: SiteData;
  readonly cases: readonly SenderCase[];
  /** The only slot; it never ends. */
  readonly slot: string;
  readonly apexAddresses?: readonly string[];
  /** An arbitrary key: a DS record for it makes a zone bogus. */
  readonly key: ZoneSigningKey;
}

/** Returns the zones of an installation with one slot, parents first. */
export function staticZones(options: StaticZoneOptions): readonly StaticZone[] {
  const { site, cases, slot, apexAddresses = [], key } = options;
  const children = cases.flatMap((senderCase) => siteRecords(senderCase, slot, site));
  const zones = new Map<string, ResourceRecord[]>([
    [site.zone, installationRecords(site, apexAddresses)],
    ...children.map((child) => [child.apex, zoneRecords(child, site)] as const),
  ]);
  const parentNameOf = (apex: string): string => parentOf(apex, [site.zone, ...zones.keys()]);
  for (const { apex, dnssec } of children) {
    const above = zones.get(parentNameOf(apex));
    above?.push(...delegation(apex, site));
    if (dnssec === 'bogus') above?.push(wrongDs(Name.of(apex), key));
  }
  const securityOf = new Map(children.map(({ apex, dnssec }) => [apex, dnssec]));
  return [...zones].map(([apex, records]) => ({
    apex,
    dnssec: securityOf.get(apex) ?? 'secure',
    parent: apex === site.zone ? undefined : parentNameOf(apex),
    text: formatZone(records),
  }));
}

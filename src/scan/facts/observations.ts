import { z } from 'zod';
import { evidenceSchema, type AddressEvidence, type Evidence } from '../../evidence/index.js';

const { route, hosts, mtaSts, tlsRpt } = evidenceSchema.shape;
const time = z.iso.datetime();
const host = hosts.element;

/** Validates a stored value as a {@link DomainObservation}. */
export const domainObservationSchema = z.strictObject({
  /** The domain in A-labels, lower case, without a final dot. */
  domain: z.string().min(1),
  observedAt: time,
  route,
  /** Mail hosts in order of preference, within the limit of the scan. */
  mx: z.array(z.strictObject({ name: z.string(), preference: z.int().min(0) })),
  /** The `_mta-sts` TXT lookup; absent if the domain accepts no mail. */
  stsRecord: mtaSts.shape.txt.optional(),
  /** Absent if the domain accepts no mail. */
  tlsRpt: tlsRpt.optional(),
});

/** Validates a stored value as a {@link HostObservation}. */
export const hostObservationSchema = host.omit({ preference: true, addresses: true }).extend({
  observedAt: time,
  /** Addresses to visit. */
  addresses: z.array(z.string()),
  /** Addresses beyond the limit of the scan. */
  skipped: z.array(z.string()),
  /** The name in SNI (RFC 7672 §8.1). */
  serverName: z.string(),
});

/** Validates a stored value as a {@link StsObservation}. */
export const stsObservationSchema = z.strictObject({
  domain: z.string().min(1),
  observedAt: time,
  mtaSts,
});

/** Validates a stored value as a {@link VisitObservation}. */
export const visitObservationSchema = z.strictObject({
  host: z.string().min(1),
  serverName: z.string(),
  observedAt: time,
  address: host.shape.addresses.element,
});

/** The DNS facts of a domain: its mail route and the records of MTA-STS and TLS-RPT. */
export interface DomainObservation {
  /** The domain in A-labels, lower case, without a final dot. */
  readonly domain: string;
  /** RFC 3339 UTC. */
  readonly observedAt: string;
  readonly route: Evidence['route'];
  /** Mail hosts in order of preference, within the limit of the scan. */
  readonly mx: readonly { readonly name: string; readonly preference: number }[];
  /** The `_mta-sts` TXT lookup; absent if the domain accepts no mail. */
  readonly stsRecord?: Evidence['mtaSts']['txt'] | undefined;
  /** Absent if the domain accepts no mail. */
  readonly tlsRpt?: Evidence['tlsRpt'] | undefined;
}

/** The DNS facts of one mail host. All domains that name the host share these facts. */
export interface HostObservation extends Omit<
  Evidence['hosts'][number],
  'preference' | 'addresses' | 'meant'
> {
  readonly meant?: string | undefined;
  /** RFC 3339 UTC. */
  readonly observedAt: string;
  /** Addresses to visit. */
  readonly addresses: readonly string[];
  /** Addresses beyond the limit of the scan. */
  readonly skipped: readonly string[];
  /** The name in SNI (RFC 7672 §8.1). */
  readonly serverName: string;
}

/** The MTA-STS state of a domain, with the policy if one was obtained. */
export interface StsObservation {
  readonly domain: string;
  /** RFC 3339 UTC. */
  readonly observedAt: string;
  readonly mtaSts: Evidence['mtaSts'];
}

/** The result of one visit to an address for one host name. */
export interface VisitObservation {
  readonly host: string;
  readonly serverName: string;
  /** RFC 3339 UTC: also the date at which the certificates of the visit were judged. */
  readonly observedAt: string;
  readonly address: AddressEvidence;
}

/** All observations that the grade of one domain depends on. */
export interface ScannedDomain {
  readonly domain: DomainObservation;
  /** Required if {@link announcesPolicy} is true. */
  readonly policy?: StsObservation | undefined;
  /** One entry for each host of `domain.mx`, in any order. */
  readonly hosts: readonly ScannedHost[];
}

/** A host with its visits. An address without a visit counts as not tried. */
export interface ScannedHost {
  readonly host: HostObservation;
  readonly visits: readonly VisitObservation[];
}

import { formatIp, Name, parseIp } from '../../base/index.js';
import { formatRecord, parseZone, type ResourceRecord } from '../../dns/index.js';
import { caseNames } from '../cases/case-names.js';
import type { SenderCase } from '../cases/sender-case.js';
import { caseRecords, type CaseZoneRecords } from '../receive/case-records.js';

/** The data of an installation that the records of its cases name. */
export interface SiteData {
  /** The domain of the installation, such as `sender.example.net`. */
  readonly zone: string;
  /** The name servers of the installation, with their addresses. */
  readonly nameServers: Readonly<Record<string, readonly string[]>>;
  /** Returns the addresses of the mail host of a case. */
  mailAddresses(senderCase: SenderCase, slot: string): readonly string[];
  /** The addresses of all policy hosts. */
  readonly policyAddresses: readonly string[];
  /** SHA-256 of the public key of the mail hosts, and of their private issuer. */
  readonly keyDigest: string;
  readonly issuerDigest: string;
  /** URI of the TLS reports (RFC 8460); without a URI, no case asks for reports. */
  readonly reportUri?: string | undefined;
}

/** Seconds that records of a slot are cached: the test changes them while it runs. */
export const SLOT_TTL = 60;
/** RFC 5737: no machine has this address. */
const DEAD_ADDRESS = '192.0.2.1';

/**
 * Returns the zones of a case in a slot, parents first. A withdrawn case lacks its policy
 * record and policy host.
 */
export function siteRecords(
  senderCase: SenderCase,
  slot: string,
  site: SiteData,
  isWithdrawn = false,
): readonly CaseZoneRecords[] {
  const { zone, policyAddresses, keyDigest, issuerDigest, reportUri } = site;
  const all = caseRecords(senderCase, {
    slot,
    zone,
    addresses: site.mailAddresses(senderCase, slot),
    deadAddress: DEAD_ADDRESS,
    policyAddresses,
    keyDigest,
    issuerDigest,
    rua: reportUri,
  });
  if (!isWithdrawn) return all;
  const { policyHost, policyRecord } = caseNames(senderCase.id, slot, zone);
  return all.map((zoneRecords) => ({
    ...zoneRecords,
    records: zoneRecords.records.filter(
      ({ owner }) => owner !== policyHost && owner !== policyRecord,
    ),
  }));
}

/** Returns the records of a zone of a case, with SOA and NS. */
export function zoneRecords({ apex, records }: CaseZoneRecords, site: SiteData): ResourceRecord[] {
  const lines = records.map(({ owner, type, data }) => `${owner}. ${type} ${data}`);
  return [...apexRecords(apex, site), ...parsed(lines, site)];
}

/**
 * Returns the records of the zone of the installation itself, without the records of
 * slots.
 */
export function installationRecords(
  site: SiteData,
  apexAddresses: readonly string[],
): ResourceRecord[] {
  return [
    ...apexRecords(site.zone, site),
    ...nameServerRecords(site),
    ...parsed(addressLines(site.zone, apexAddresses), site),
  ];
}

/** Returns the SOA and NS records of a zone of the installation. */
function apexRecords(apex: string, site: SiteData): readonly ResourceRecord[] {
  const [first = `ns.${site.zone}`] = Object.keys(site.nameServers);
  const soa = `${apex}. SOA ${first}. hostmaster.${site.zone}. 1 3600 600 86400 ${SLOT_TTL}`;
  return [...parsed([soa], site), ...delegation(apex, site)];
}

/** Returns the NS records of a zone of the installation. */
export function delegation(apex: string, site: SiteData): readonly ResourceRecord[] {
  const servers = Object.keys(site.nameServers);
  return parsed(
    servers.map((server) => `${apex}. NS ${server}.`),
    site,
  );
}

/** Returns the addresses of name servers inside the zone. */
export function nameServerRecords(site: SiteData): readonly ResourceRecord[] {
  const inside = Object.entries(site.nameServers).filter(([server]) =>
    server.endsWith(`.${site.zone}`),
  );
  return parsed(
    inside.flatMap(([server, addresses]) => addressLines(server, addresses)),
    site,
  );
}

function addressLines(hostName: string, addresses: readonly string[]): readonly string[] {
  return addresses.flatMap((address) => {
    const ip = parseIp(address);
    if (!ip) return [];
    return [`${hostName}. ${ip.family === 4 ? 'A' : 'AAAA'} ${formatIp(ip)}`];
  });
}

/**
 * Returns the lines with absolute names. Names and addresses come from the checked
 * configuration.
 */
function parsed(lines: readonly string[], { zone }: SiteData): readonly ResourceRecord[] {
  const result = parseZone(`${lines.join('\n')}\n`, {
    origin: Name.of(zone),
    defaultTtl: SLOT_TTL,
  });
  if (!result.ok) throw new TypeError(`records of ${zone}: ${result.failure.detail}`);
  return [...result.value];
}

/** Returns the text of records, one line each, for a zone file. */
export function formatZone(records: readonly ResourceRecord[]): string {
  return records.map((resourceRecord) => `${formatRecord(resourceRecord)}\n`).join('');
}

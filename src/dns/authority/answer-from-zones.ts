import type { Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';
import { readTarget } from '../wire/rdata.js';
import { Rcode, RRType } from '../wire/types-registry.js';
import { lookupZone, type ZoneData } from './lookup-zone.js';

/** The sections of an authoritative answer. */
export interface AuthorityAnswer {
  readonly rcode: number;
  /**
   * Whether the AA bit is set: false for a referral, and for a question outside all
   * zones.
   */
  readonly authoritative: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** Maximum CNAME records followed for one question. */
const MAX_ALIASES = 4;

/**
 * Answers from the zones of one server (RFC 1034 §4.3.2). A name below a delegation to
 * another server gets a referral. A question for a name outside all zones is refused.
 * This server queries no other server.
 */
export function answerFromZones(
  zones: readonly ZoneData[],
  domainName: Name,
  recordType: number,
): AuthorityAnswer {
  const answers: ResourceRecord[] = [];
  let owner = domainName;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const zone = zoneOf(zones, owner, recordType);
    // If an alias leaves the zones, the client's resolver looks up the target.
    if (!zone) return aliases === 0 ? errorAnswer(Rcode.REFUSED) : { ...empty, answers };
    const cut = cutAbove(zone, owner, recordType);
    if (cut) return { ...referral(zone, cut), answers, authoritative: aliases > 0 };
    const found = lookupZone(zone, owner, recordType);
    answers.push(...found.answers);
    if (!found.next) {
      const { rcode, authorities } = found;
      return { ...empty, rcode, answers, authorities };
    }
    owner = found.next;
  }
  return { ...empty, answers };
}

const empty: AuthorityAnswer = {
  rcode: Rcode.NOERROR,
  authoritative: true,
  answers: [],
  authorities: [],
  additionals: [],
};

/** Returns an answer without records, which proves nothing. */
export function errorAnswer(rcode: number): AuthorityAnswer {
  return { ...empty, rcode, authoritative: false };
}

/**
 * Returns the closest zone that contains the name. RFC 4035 §3.1.4.1: the parent zone
 * answers a DS question, if this server has that zone.
 */
function zoneOf(
  zones: readonly ZoneData[],
  domainName: Name,
  recordType: number,
): ZoneData | undefined {
  const holders = zones
    .filter(({ apex }) => domainName.isAtOrBelow(apex))
    .sort((left, right) => right.apex.labelCount - left.apex.labelCount);
  const [closest, parent] = holders;
  return recordType === RRType.DS && closest?.apex.equals(domainName)
    ? (parent ?? closest)
    : closest;
}

/**
 * Returns the highest delegation at or above the name. The DS RRset at a delegation
 * belongs to the parent zone.
 */
function cutAbove(zone: ZoneData, domainName: Name, recordType: number): Name | undefined {
  for (let count = zone.apex.labelCount + 1; count <= domainName.labelCount; count++) {
    const node = domainName.suffix(count);
    if (recordType === RRType.DS && node.equals(domainName)) return undefined;
    if (zone.recordSets(node)?.has(RRType.NS)) return node;
  }
  return undefined;
}

/**
 * Returns a referral: the NS RRset of the child zone, its DS RRset or the proof that it
 * has none, and glue (RFC 4035 §3.1.4).
 */
function referral(zone: ZoneData, cut: Name): AuthorityAnswer {
  const recordSets = zone.recordSets(cut);
  const nameServers = recordSets?.get(RRType.NS) ?? [];
  const ds = recordSets?.get(RRType.DS);
  const security = ds ? zone.withSignature(ds) : (zone.denial?.nodata(cut) ?? []);
  return {
    ...empty,
    authoritative: false,
    authorities: [...nameServers, ...security],
    additionals: nameServers.flatMap((nameServer) => glueOf(zone, nameServer)),
  };
}

function glueOf(zone: ZoneData, nameServer: ResourceRecord): readonly ResourceRecord[] {
  const host = readTarget(nameServer);
  if (!host.ok || !host.value.isAtOrBelow(zone.apex)) return [];
  const recordSets = zone.recordSets(host.value);
  return [RRType.A, RRType.AAAA].flatMap((type) => recordSets?.get(type) ?? []);
}

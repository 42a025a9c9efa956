/**
 * An authoritative DNS server without sockets. The server computes and signs zone data
 * for each question (RFC 1034 §4.3.2, RFC 4035 §3.1), and denies names and types with
 * compact answers (RFC 9824). `lookupZone` also answers for zones with NSEC or NSEC3
 * chains.
 */
export { lookupZone, encloserOf, wildcardBelow } from './lookup-zone.js';
export type { ZoneData, ZoneAnswer, RecordSets, DenialProofs } from './lookup-zone.js';
export { OnlineZone, type OnlineZoneSpec } from './online-zone.js';
export { StaticRecords } from './static-records.js';
export {
  respondToQuery,
  type AuthorityOptions,
  type AuthorityResponse,
} from './respond-to-query.js';
export { serveDnsStream } from './serve-stream.js';

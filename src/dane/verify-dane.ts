import { createHash } from 'node:crypto';
import { equalBytes } from '../base/index.js';
import type { TlsaData } from '../dns/index.js';
import {
  findPathTo,
  matchesDnsName,
  parseCertificate,
  SearchWork,
  trustStore,
  type Certificate,
} from '../x509/index.js';
import { formatTlsa } from './tlsa-text.js';
import { usableRecords } from './usable-records.js';

/** The TLSA records of a host and the chain that its server sent. */
export interface VerifyDaneRequest {
  readonly records: readonly TlsaData[];
  /** The certificates as the server sent them, its own certificate first. */
  readonly chain: readonly Certificate[];
  /**
   * Reference identifiers for usage 2 (RFC 7672 §3.2.2): TLSA base domain, MX host,
   * next-hop domain.
   */
  readonly names: readonly string[];
  /** Time at which the chain of usage 2 must be valid, milliseconds since 1970. */
  readonly validationTime: number;
}

/** The verdict on one TLSA record. */
export interface RecordVerdict {
  readonly record: string;
  readonly verdict: 'match' | 'no-match' | 'unusable' | 'weaker-digest';
  /**
   * For usage 2: the reason why a trust anchor in the chain does not authenticate the
   * server.
   */
  readonly reason?: 'name' | 'date' | 'path';
}

export interface DaneVerdict {
  /** `unverifiable`: no usable record or no certificate is available. */
  readonly verdict: 'match' | 'mismatch' | 'unverifiable';
  /** The record that authenticated the server. */
  readonly matched?: string;
  readonly records: readonly RecordVerdict[];
}

/**
 * Authenticates a server by its TLSA records (RFC 7671 §5, RFC 7672 §3). One matching
 * record is enough. For usage 3 a match is sufficient; names and dates are ignored. For
 * usage 2 the anchor must be in the chain or complete in the record, the path must be
 * valid at `validationTime`, and a reference identifier must match. Other mechanisms,
 * such as Certificate Transparency, are not checked.
 *
 * [7672-3.1.1-1, 7672-3.1.1-2, 7672-3.2-1, 7672-3.2.1-1, 7672-3.2.2-1, 7671-2-1]
 * [7671-2-2, 7671-4.2-1, 7671-5.1-1, 7671-10.2-1]
 */
export function verifyDane({
  records,
  chain,
  names,
  validationTime,
}: VerifyDaneRequest): DaneVerdict {
  const usable = new Set(usableRecords(records));
  const searchWork = new SearchWork();
  const judged = records.map((record): RecordVerdict => {
    const recordText = formatTlsa(record);
    if (!usable.has(record))
      return {
        record: recordText,
        verdict: usableRecords([record]).length === 1 ? 'weaker-digest' : 'unusable',
      };
    const verdict =
      record.usage === 3
        ? judgeEndEntity(record, chain)
        : judgeAnchor(record, { chain, names, validationTime }, searchWork);
    return { record: recordText, ...verdict };
  });
  const matched = judged.find((recordVerdict) => recordVerdict.verdict === 'match')?.record;
  if (matched !== undefined) return { verdict: 'match', matched, records: judged };
  return {
    verdict: usable.size === 0 || chain.length === 0 ? 'unverifiable' : 'mismatch',
    records: judged,
  };
}

function judgeEndEntity(
  record: TlsaData,
  certificateChain: readonly Certificate[],
): Omit<RecordVerdict, 'record'> {
  const [leafCertificate] = certificateChain;
  return {
    verdict: leafCertificate && matchesData(record, leafCertificate) ? 'match' : 'no-match',
  };
}

function judgeAnchor(
  record: TlsaData,
  { chain, names, validationTime }: Omit<VerifyDaneRequest, 'records'>,
  work: SearchWork,
): Omit<RecordVerdict, 'record'> {
  const [leafCertificate] = chain;
  if (!leafCertificate) return { verdict: 'no-match' };
  const given = anchorsGiven(record);
  // Without an anchor no path exists, and a search would only use up the work limit that
  // all records share.
  if (!given && !chain.slice(1).some((certificate) => matchesData(record, certificate)))
    return { verdict: 'no-match', reason: 'path' };
  const {
    chain: trust,
    validity,
    problems,
  } = findPathTo({
    sent: chain,
    anchors: given,
    // The server's own certificate is not an anchor: depth 0 is omitted.
    isAnchor: (certificate, depth) => depth > 0 && matchesData(record, certificate),
    validationTime,
    work,
  });
  if (trust !== 'trusted' || problems.length > 0) return { verdict: 'no-match', reason: 'path' };
  if (validity !== 'valid') return { verdict: 'no-match', reason: 'date' };
  if (names.some((name) => matchesDnsName(leafCertificate, name))) return { verdict: 'match' };
  return { verdict: 'no-match', reason: 'name' };
}

/**
 * Returns the anchors that the records contain. `2 0 0` and `2 1 0` contain the anchor
 * itself, so the server need not send it (RFC 7671 §5.2.2, §5.2.3
 * [7671-5.2.2-1, 7671-5.2.3-1]).
 */
function anchorsGiven({
  selector,
  matchingType,
  data,
}: TlsaData): ReturnType<typeof trustStore> | undefined {
  if (matchingType !== 0) return undefined;
  if (selector === 1) return trustStore([], [data]);
  const parsed = parseCertificate(data);
  if (parsed.ok) return trustStore([parsed.value]);
  return undefined;
}

function matchesData(
  { selector, matchingType, data }: TlsaData,
  certificate: Certificate,
): boolean {
  const selected = selector === 0 ? certificate.der : certificate.spki;
  if (matchingType === 0) return equalBytes(selected, data);
  return equalBytes(digestOf(selected, matchingType === 1 ? 'sha256' : 'sha512'), data);
}

const digests = { sha256: new WeakMap<Uint8Array, Buffer>(), sha512: new WeakMap() };

/** Hashes each certificate and key once, for any number of records. */
function digestOf(bytes: Uint8Array, hash: 'sha256' | 'sha512'): Buffer {
  const known = digests[hash].get(bytes) as Buffer | undefined;
  const digest = known ?? createHash(hash).update(bytes).digest();
  digests[hash].set(bytes, digest);
  return digest;
}

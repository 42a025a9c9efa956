import { equalBytes, latin1 } from '../base/index.js';
import type { TrustStore } from './trust-store.js';
import type { Certificate } from './types.js';
import { isVerifiable, weaklySigned } from './signature-algorithm.js';
import { verifySignedBy } from './verify-signed-by.js';

/**
 * A path from a certificate to an anchor, leaf first. `certificates` ends with the anchor
 * unless the anchor is a bare key.
 */
export interface CandidatePath {
  readonly certificates: readonly Certificate[];
  /** The bare key that signed the last certificate. */
  readonly key?: Uint8Array;
  /** The anchor's distrust date, milliseconds since 1970. */
  readonly distrustAfter?: number | undefined;
}

/** The certificates and anchors of one search. */
export interface FindPathsRequest {
  readonly leaf: Certificate;
  /** Every certificate that the server sent, the leaf included. */
  readonly sent: readonly Certificate[];
  readonly anchors: TrustStore;
  /**
   * Selects further anchors among `sent`; `nestingDepth` 0 is the leaf. Default: none.
   */
  readonly anchored?: (certificate: Certificate, nestingDepth: number) => boolean;
  /**
   * The work that the searches over one chain share. Default: new work for this search.
   */
  readonly work?: SearchWork | undefined;
}

/** Observations of the search. They explain why no path was found. */
export interface PathSearch {
  readonly paths: Iterable<CandidatePath>;
  readonly seen: {
    limit: boolean;
    badSignature: boolean;
    weakSignature: boolean;
    unknownAlgorithm: boolean;
    selfIssuedTop: boolean;
  };
}

/** Maximum certificates of one path, the leaf included. */
const MAX_DEPTH = 10;
/** Maximum signatures to verify for one chain. */
const MAX_SIGNATURES = 64;
/** Maximum number of the server's certificates that are considered. */
const MAX_SENT = 100;
/**
 * Maximum number of steps. Without this limit, many certificates of one name and key
 * would make the search exponential.
 */
const MAX_STEPS = 2000;

/**
 * The work of searches over one chain. Searches that share this work, such as those for
 * the records of one TLSA RRset, verify no signature twice and together stay within the
 * limits of one search.
 */
export class SearchWork {
  signatures = 0;
  steps = 0;
  readonly checked = new Map<Certificate, Map<Certificate | Uint8Array, boolean>>();
}

/**
 * Yields every path from `leaf` to an anchor through `sent`, which may be in any order
 * and include unrelated certificates (RFC 4158). The search is lazy and its work is
 * limited. `anchored` selects further anchors among the sent certificates, as DANE-TA
 * records do (RFC 7671 §5.2).
 */
export function findPaths({
  leaf,
  sent,
  anchors,
  anchored = () => false,
  work: searchWork = new SearchWork(),
}: FindPathsRequest): PathSearch {
  const seen = {
    limit: sent.length > MAX_SENT,
    badSignature: false,
    weakSignature: false,
    unknownAlgorithm: false,
    selfIssuedTop: false,
  };
  const pool = distinct(sent.slice(0, MAX_SENT));

  const signed = (certificate: Certificate, issuer: Certificate | Uint8Array): boolean => {
    const known =
      searchWork.checked.get(certificate) ?? new Map<Certificate | Uint8Array, boolean>();
    searchWork.checked.set(certificate, known);
    const before = known.get(issuer);
    if (before !== undefined) return before;
    if (searchWork.signatures >= MAX_SIGNATURES) {
      seen.limit = true;
      return false;
    }
    searchWork.signatures++;
    const verified = verifySignedBy(certificate, issuer);
    known.set(issuer, verified);
    return verified;
  };

  const named = new Map<Certificate, readonly Certificate[]>();
  const issuersOf = (certificate: Certificate): readonly Certificate[] => {
    const { key } = certificate.issuerName;
    const found =
      named.get(certificate) ??
      distinct([
        ...anchors.bySubject(key),
        ...pool.filter((certificate) => certificate.subjectName.key === key),
      ]);
    named.set(certificate, found);
    return found;
  };

  function* walk(certificatePath: readonly Certificate[]): Generator<CandidatePath> {
    if (++searchWork.steps > MAX_STEPS) {
      seen.limit = true;
      return;
    }
    const top = certificatePath.at(-1) as Certificate;
    const anchor = anchors.anchorFor(top);
    if (anchored(top, certificatePath.length - 1)) yield { certificates: certificatePath };
    else if (anchor)
      yield { certificates: certificatePath, distrustAfter: anchors.distrustAfter(anchor) };
    if (certificatePath.length >= MAX_DEPTH) {
      seen.limit = true;
      return;
    }
    for (const key of anchors.keys) {
      // The certificate of an anchor key may be self-signed.
      if (signed(top, key)) yield { certificates: certificatePath, key };
    }
    if (top.selfIssued && signed(top, top)) {
      seen.selfIssuedTop = true;
      return;
    }
    for (const issuer of issuersOf(top)) {
      // A second certificate with the same name and key adds no new path (RFC 4158 §5.2).
      if (
        certificatePath.some(
          (certificate) =>
            certificate.subjectName.key === issuer.subjectName.key &&
            equalBytes(certificate.spki, issuer.spki),
        )
      )
        continue;
      if (signed(top, issuer)) yield* walk([...certificatePath, issuer]);
      // A weak signature is rejected even if it is valid; the weakness is then the
      // reported reason.
      else if (weaklySigned(top)) seen.weakSignature = true;
      // The validity of a signature with an unsupported algorithm is unknown.
      else if (!isVerifiable(top)) seen.unknownAlgorithm = true;
      else seen.badSignature = true;
    }
  }
  return { paths: walk([leaf]), seen };
}

function distinct(certificates: readonly Certificate[]): Certificate[] {
  return [
    ...new Map(certificates.map((certificate) => [latin1(certificate.der), certificate])).values(),
  ];
}

import { equalBytes, latin1 } from '../base/index.js';
import type { TrustStore } from './trust-store.js';
import type { Certificate } from './types.js';
import { weaklySigned } from './signature-algorithm.js';
import { verifySignedBy } from './verify-signed-by.js';

/**
 * A way from a certificate to an anchor, leaf first. `certificates` ends with the anchor
 * unless that is a bare key.
 */
export interface CandidatePath {
  readonly certificates: readonly Certificate[];
  /** The bare key that signed the last certificate. */
  readonly key?: Uint8Array;
  /** The anchor's distrust date, milliseconds since 1970. */
  readonly distrustAfter?: number | undefined;
}

/** What the search saw beside paths: it says why there is none. */
export interface PathSearch {
  readonly paths: Iterable<CandidatePath>;
  readonly seen: {
    limit: boolean;
    badSignature: boolean;
    weakSignature: boolean;
    selfIssuedTop: boolean;
  };
}

const MAX_DEPTH = 10;
const MAX_SIGNATURES = 64;
const MAX_SENT = 100;
/**
 * Steps of the search: many certificates of one name and key must not make it
 * exponential.
 */
const MAX_STEPS = 2000;

/**
 * What searches over one chain have done. Those that share it, as the records of one TLSA
 * RRset do, check no signature twice and together stay within the bounds of one.
 */
export class SearchWork {
  signatures = 0;
  steps = 0;
  readonly checked = new Map<Certificate, Map<Certificate | Uint8Array, boolean>>();
}

/**
 * Looks for every path from `leaf` to an anchor through `sent`, in any order, with junk
 * in between (RFC 4158), lazily and within fixed work. `anchored` adds anchors among what
 * was sent, as DANE-TA records do (RFC 7671 §5.2).
 */
export function findPaths(
  leaf: Certificate,
  sent: readonly Certificate[],
  anchors: TrustStore,
  anchored: (certificate: Certificate, depth: number) => boolean = () => false,
  work = new SearchWork(),
): PathSearch {
  const seen = {
    limit: sent.length > MAX_SENT,
    badSignature: false,
    weakSignature: false,
    selfIssuedTop: false,
  };
  const pool = distinct(sent.slice(0, MAX_SENT));

  const signed = (certificate: Certificate, issuer: Certificate | Uint8Array): boolean => {
    const known = work.checked.get(certificate) ?? new Map<Certificate | Uint8Array, boolean>();
    work.checked.set(certificate, known);
    const before = known.get(issuer);
    if (before !== undefined) return before;
    if (work.signatures >= MAX_SIGNATURES) {
      seen.limit = true;
      return false;
    }
    work.signatures++;
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

  function* walk(path: readonly Certificate[]): Generator<CandidatePath> {
    if (++work.steps > MAX_STEPS) {
      seen.limit = true;
      return;
    }
    const top = path.at(-1) as Certificate;
    const anchor = anchors.anchorFor(top);
    if (anchored(top, path.length - 1)) yield { certificates: path };
    else if (anchor) yield { certificates: path, distrustAfter: anchors.distrustAfter(anchor) };
    if (path.length >= MAX_DEPTH) {
      seen.limit = true;
      return;
    }
    for (const key of anchors.keys) {
      // A key that signs itself is an anchor in its own right.
      if (signed(top, key)) yield { certificates: path, key };
    }
    if (top.selfIssued && signed(top, top)) {
      seen.selfIssuedTop = true;
      return;
    }
    for (const issuer of issuersOf(top)) {
      // The same name with the same key again leads nowhere new (RFC 4158 §5.2).
      if (
        path.some(
          (certificate) =>
            certificate.subjectName.key === issuer.subjectName.key &&
            equalBytes(certificate.spki, issuer.spki),
        )
      )
        continue;
      if (signed(top, issuer)) yield* walk([...path, issuer]);
      // A weak signature is not accepted even where it is valid: that is the reason to
      // give.
      else if (weaklySigned(top)) seen.weakSignature = true;
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

import { equalBytes } from '../base/index.js';
import type { Certificate } from './types.js';

/** The origin of a set of trust anchors. */
export interface StoreIdentity {
  /** Name of the store, such as `mozilla`, `system` or `file`. */
  readonly name: string;
  /** Version of the list, if it has one. */
  readonly version?: string;
  /** Date of the list, `YYYY-MM-DD`, if it is known. */
  readonly date?: string;
  /** SHA-256 of the list, lower-case hex. */
  readonly sha256: string;
}

/**
 * A set of trust anchors: certificates, and bare keys (SubjectPublicKeyInfo in DER) as
 * DANE records may hold them.
 */
export interface TrustStore {
  readonly certificates: readonly Certificate[];
  readonly keys: readonly Uint8Array[];
  /** The lists that the anchors come from, with version, date and digest. */
  readonly sources: readonly StoreIdentity[];
  /** Returns the anchors with this subject (`DirectoryName.key`). */
  bySubject(subject: string): readonly Certificate[];
  /**
   * Returns the anchor that this certificate represents: the same certificate, or one
   * with the same name and key.
   */
  anchorFor(certificate: Certificate): Certificate | undefined;
  /**
   * Returns the time after which leaves issued below this anchor are not trusted,
   * milliseconds since 1970; undefined without such a date.
   */
  distrustAfter(anchor: Certificate): number | undefined;
}

/** Facts about the anchors of a trust store in addition to the certificates. */
export interface TrustStoreDetails {
  readonly sources?: readonly StoreIdentity[];
  readonly distrustAfter?: ReadonlyMap<Certificate, number>;
}

/** Creates a trust store, indexed by subject. */
export function trustStore(
  certificates: readonly Certificate[],
  keys: readonly Uint8Array[] = [],
  { sources = [], distrustAfter = new Map() }: TrustStoreDetails = {},
): TrustStore {
  const index = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    const { key } = certificate.subjectName;
    const same = index.get(key);
    if (same) same.push(certificate);
    else index.set(key, [certificate]);
  }
  const bySubject = (subject: string): readonly Certificate[] => index.get(subject) ?? [];
  return {
    certificates,
    keys,
    sources,
    bySubject,
    anchorFor: ({ subjectName, spki }) =>
      bySubject(subjectName.key).find((anchor) => equalBytes(anchor.spki, spki)),
    distrustAfter: (anchor) => distrustAfter.get(anchor),
  };
}

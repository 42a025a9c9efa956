import { equalBytes } from '../base/index.js';
import type { Certificate } from './types.js';

/**
 * What is trusted to begin with: certificates, and bare keys (SubjectPublicKeyInfo in
 * DER) as DANE may give them.
 */
export interface TrustStore {
  readonly certificates: readonly Certificate[];
  readonly keys: readonly Uint8Array[];
  /** Anchors with that subject (`DirectoryName.key`). */
  bySubject(subject: string): readonly Certificate[];
  /**
   * The anchor this certificate stands for: the same certificate, or one of the same name
   * and key.
   */
  anchorFor(certificate: Certificate): Certificate | undefined;
}

/** Makes a trust store, indexed by subject. */
export function trustStore(
  certificates: readonly Certificate[],
  keys: readonly Uint8Array[] = [],
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
    bySubject,
    anchorFor: ({ subjectName, spki }) =>
      bySubject(subjectName.key).find((anchor) => equalBytes(anchor.spki, spki)),
  };
}

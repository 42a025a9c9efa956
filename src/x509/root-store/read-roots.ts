import { createHash } from 'node:crypto';
import { latin1 } from '../../base/index.js';
import { parseCertificate } from '../parse-certificate.js';
import { trustStore, type StoreIdentity, type TrustStore } from '../trust-store.js';
import type { Certificate } from '../types.js';
import type { RootRow } from './root-row.js';

/** The roots of a generated list, and their distrust dates. */
export interface RootList {
  readonly certificates: readonly Certificate[];
  readonly distrustAfter: ReadonlyMap<Certificate, number>;
}

/** Parses the rows of a generated list. Throws for a row that is not a certificate. */
export function readRoots(rows: readonly RootRow[]): RootList {
  const distrustAfter = new Map<Certificate, number>();
  const certificates = rows.map(([label, encoded, date]) => {
    const parsed = parseCertificate(Buffer.from(encoded, 'base64'));
    if (!parsed.ok) throw new Error(`the root list is damaged at ${label}`);
    if (date !== undefined) distrustAfter.set(parsed.value, Date.parse(date));
    return parsed.value;
  });
  return { certificates, distrustAfter };
}

/**
 * Names a set of certificates by the SHA-256 of their sorted fingerprints: two stores
 * with the same certificates have the same digest, even in a different order.
 */
export function identifyRoots(name: string, certificates: readonly Certificate[]): StoreIdentity {
  const digest = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');
  const fingerprints = certificates.map(({ der }) => digest(der)).sort();
  return { name, sha256: digest(Buffer.from(fingerprints.join('\n'))) };
}

/**
 * Returns a trust store of certificates that the operator named; `name` is shown in
 * results.
 */
export function namedTrustStore(name: string, certificates: readonly Certificate[]): TrustStore {
  return trustStore(certificates, [], { sources: [identifyRoots(name, certificates)] });
}

/**
 * Returns one trust store with the anchors, dates and names of several. A certificate
 * without a distrust date in one store has no distrust date in the result, because the
 * operator added the certificate.
 */
export function joinTrustStores(trustStores: readonly TrustStore[]): TrustStore {
  const distrustAfter = new Map<Certificate, number>();
  const undated = new Set<string>();
  for (const store of trustStores)
    for (const certificate of store.certificates) {
      const date = store.distrustAfter(certificate);
      if (date === undefined) undated.add(latin1(certificate.der));
      else distrustAfter.set(certificate, date);
    }
  for (const certificate of distrustAfter.keys())
    if (undated.has(latin1(certificate.der))) distrustAfter.delete(certificate);
  return trustStore(
    trustStores.flatMap(({ certificates }) => certificates),
    trustStores.flatMap(({ keys }) => keys),
    { sources: trustStores.flatMap(({ sources }) => sources), distrustAfter },
  );
}

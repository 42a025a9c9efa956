import { rootCertificates } from 'node:tls';
import { parsePem, trustStore, type Certificate, type TrustStore } from '../x509/index.js';

let builtin: readonly Certificate[] | undefined;

/**
 * The roots that come with Node (Mozilla's list), and the given ones beside them. Read
 * once.
 */
export function builtinTrustStore(extra: readonly Certificate[] = []): TrustStore {
  builtin ??= rootCertificates.flatMap((pem) => {
    const parsed = parsePem(pem);
    return parsed.ok ? parsed.value : [];
  });
  return trustStore([...builtin, ...extra]);
}

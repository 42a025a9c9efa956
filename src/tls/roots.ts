import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { ok, type Result } from '../base/index.js';
import { parsePem, trustStore, type Certificate, type TrustStore } from '../x509/index.js';

let builtin: readonly Certificate[] | undefined;

/** The roots that come with Node (Mozilla's list), and the given ones beside them. Read once. */
export function builtinTrustStore(extra: readonly Certificate[] = []): TrustStore {
  builtin ??= rootCertificates.flatMap((pem) => {
    const parsed = parsePem(pem);
    return parsed.ok ? parsed.value : [];
  });
  return trustStore([...builtin, ...extra]);
}

/** The roots of a PEM bundle such as `/etc/ssl/certs/ca-certificates.crt`. Rejects with the system's error when it cannot be read. */
export async function systemTrustStore(file: string): Promise<Result<TrustStore>> {
  const parsed = parsePem(await readFile(file, 'utf8'));
  return parsed.ok ? ok(trustStore(parsed.value)) : parsed;
}

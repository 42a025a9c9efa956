import { fail, fromBase64, ok, type Result } from '../base/index.js';
import { x509Failures } from './failures.js';
import { parseCertificate } from './parse-certificate.js';
import type { Certificate } from './types.js';

const block =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** All certificates of a PEM text (RFC 7468), in order; text between the blocks is skipped. Fails when there is none or one cannot be read. */
export function parsePem(text: string): Result<Certificate[]> {
  const found: Certificate[] = [];
  for (const match of text.matchAll(block)) {
    const der = fromBase64((match[1] as string).replace(/\s+/g, ''));
    const parsed = der
      ? parseCertificate(der)
      : fail(x509Failures.make('x509-pem-malformed', `block ${found.length + 1}: not base64`));
    if (!parsed.ok) return parsed;
    found.push(parsed.value);
  }
  return found.length > 0
    ? ok(found)
    : fail(x509Failures.make('x509-pem-malformed', 'no certificate found'));
}

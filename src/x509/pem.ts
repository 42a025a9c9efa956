import { fail, fromBase64, ok, type Failure, type Result } from '../base/index.js';
import { x509Failures } from './failures.js';
import { parseCertificate } from './parse-certificate.js';
import type { Certificate } from './types.js';

const block =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/**
 * Parses all certificates of a PEM text (RFC 7468), in order; text between the blocks is
 * skipped. Fails if there is no certificate or one is malformed: a chain that a server is
 * to send must be readable as a whole.
 */
export function parsePem(text: string): Result<Certificate[]> {
  const found: Certificate[] = [];
  for (const parsed of blocksOf(text)) {
    if (!parsed.ok) return parsed;
    found.push(parsed.value);
  }
  if (found.length > 0) return ok(found);
  return none();
}

/**
 * Parses a bundle of roots. A malformed certificate is skipped, so it is not trusted.
 */
export function parsePemBundle(text: string): Result<Certificate[]> {
  const blocks = blocksOf(text);
  const found = blocks.flatMap((parsed) => (parsed.ok ? [parsed.value] : []));
  if (found.length > 0) return ok(found);
  return blocks.find((parsed) => !parsed.ok) ?? none();
}

function none(): ReturnType<typeof fail<Failure>> {
  return fail(x509Failures.make('x509-pem-malformed', 'no certificate found'));
}

function blocksOf(text: string): Result<Certificate>[] {
  return [...text.matchAll(block)].map(([, base64 = ''], index) => {
    const derBytes = fromBase64(base64.replace(/\s+/g, ''));
    if (derBytes) return parseCertificate(derBytes);
    return fail(x509Failures.make('x509-pem-malformed', `block ${index + 1}: not base64`));
  });
}

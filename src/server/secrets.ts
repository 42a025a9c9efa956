import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContext } from 'node:tls';
import { HermeticError } from '../base/index.js';
import { servingTls } from '../tls/index.js';

/** A certificate with its key, ready for a TLS server. */
export interface ServerCertificate {
  readonly context: SecureContext;
  /** The chain and its key as PEM, for servers that create their own TLS context. */
  readonly pem: { readonly cert: string; readonly key: string };
  /** Returns whether the certificate contains a host name. */
  covers(hostName: string): boolean;
}

/**
 * Reads a secret from a file, which only its owner and group may be able to read. If
 * other users can read the file, throws instead of warning, because an operator could
 * overlook a warning.
 *
 * @throws HermeticError `secret-exposed`, `secret-unreadable`
 */
export function readSecret(filePath: string): string {
  try {
    if ((statSync(filePath).mode & 0o007) !== 0)
      throw new HermeticError(
        'secret-exposed',
        `${filePath}: every user of this machine can read or change it`,
        { fix: `chmod o= ${filePath}` },
      );
    return readFileSync(filePath, 'utf8');
  } catch (cause) {
    if (cause instanceof HermeticError) throw cause;
    const { code = 'cannot be read' } = cause as NodeJS.ErrnoException;
    throw new HermeticError('secret-unreadable', `${filePath}: ${code}`, {
      cause,
      fix: 'Check the path and its permissions.',
    });
  }
}

/**
 * Loads a private key from a PEM file.
 *
 * @throws HermeticError `key-unusable`, and those of {@link readSecret}
 */
export function loadKey(filePath: string): KeyObject {
  const pem = readSecret(filePath);
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new HermeticError('key-unusable', `${filePath}: ${(cause as Error).message}`, {
      cause,
      fix: 'Use the PEM file of a private key.',
    });
  }
}

/**
 * Loads a certificate chain and its key. Throws HermeticError if a file is missing or
 * malformed, or if the key does not belong to the certificate.
 */
export function loadCertificate(files: {
  readonly chain: string;
  readonly key: string;
}): ServerCertificate {
  const keyPem = readSecret(files.key);
  try {
    const chain = readFileSync(files.chain, 'utf8');
    const leafCertificate = new X509Certificate(chain);
    if (!leafCertificate.checkPrivateKey(createPrivateKey(keyPem)))
      throw new Error('the key does not belong to the certificate');
    return {
      context: createSecureContext({ cert: chain, key: keyPem, ...servingTls }),
      pem: { cert: chain, key: keyPem },
      covers: (hostName) => leafCertificate.checkHost(hostName, { subject: 'never' }) !== undefined,
    };
  } catch (cause) {
    // The message of OpenSSL names the fault, never the key.
    throw new HermeticError(
      'certificate-unusable',
      `${files.chain} with ${files.key}: ${(cause as Error).message}`,
      {
        cause,
        fix: 'Use a PEM file with the certificate and its intermediates, and the PEM file of its key.',
      },
    );
  }
}

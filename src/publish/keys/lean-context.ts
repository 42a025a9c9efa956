import { createSecureContext, type SecureContext } from 'node:tls';
import { servingTls } from '../../tls/index.js';
import { newKeyPair } from '../../base/index.js';

/** The native object of a context, for which Node declares no types. */
interface NativeContext {
  setCert(pem: string): void;
  setKey(pem: string): void;
}

let canDropCopies: boolean | undefined;

/**
 * Creates the context of one of many hosts from its chain and private key (PEM), in less
 * memory than `createSecureContext` alone: 24 KiB instead of 33. A server with ten
 * thousand hosts needs the difference (docs/decisions/0007-undocumented-parts.md).
 */
export function leanContext(cert: string, key: string): SecureContext {
  const make = (): SecureContext => createSecureContext({ cert, key, ...servingTls });
  canDropCopies ??= keepsCertificate(make());
  const context = make();
  if (canDropCopies) dropCopies(context);
  return context;
}

/**
 * Frees the copies of the certificate and its issuer that Node keeps for OCSP stapling,
 * which is not used here. Node frees the copies when a certificate is set, before it
 * detects that the empty text contains none.
 */
function dropCopies({ context }: SecureContext): void {
  try {
    (context as NativeContext).setCert('');
  } catch {
    // The empty text contains no certificate, as intended.
  }
}

/**
 * Returns whether a context still has its certificate when the copies are freed. Such a
 * context refuses a key that does not match. A context without a certificate accepts any
 * key.
 */
function keepsCertificate(trial: SecureContext): boolean {
  dropCopies(trial);
  const { privateKey } = newKeyPair({ type: 'ec', namedCurve: 'P-256' });
  try {
    (trial.context as NativeContext).setKey(
      privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    );
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
  }
}

import { createSecureContext, type SecureContext, type SecureVersion } from 'node:tls';
import type { Issued } from '../../pki/index.js';

/** The certificates of a mail server and the TLS settings for its handshakes. */
export interface TlsOptions {
  /** One or two certificates: with RSA and ECDSA the client's offer decides. */
  readonly certificates: readonly Issued[];
  /**
   * The answer to a client without SNI: a refused handshake, or these certificates. By
   * default the same certificates as with SNI.
   */
  readonly withoutSni?: 'refused' | readonly Issued[];
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** Cipher suites of TLS 1.2, in the notation of OpenSSL. */
  readonly suites?: string;
}

/** The TLS settings for clients with SNI, and for clients without SNI. */
export interface Contexts {
  readonly named: SecureContext | undefined;
  readonly fallback: SecureContext | undefined;
}

/** Creates the settings; both are undefined without a certificate. */
export function contextsOf(options: TlsOptions): Contexts {
  const { certificates, withoutSni } = options;
  const named = contextOf(options, certificates);
  const fallback =
    withoutSni === undefined || withoutSni === 'refused' ? named : contextOf(options, withoutSni);
  return { named, fallback };
}

function contextOf(
  { suites = 'DEFAULT', minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' }: TlsOptions,
  certificates: readonly Issued[],
): SecureContext | undefined {
  if (certificates.length === 0) return undefined;
  return createSecureContext({
    key: certificates.map(({ keyPem }) => keyPem),
    cert: certificates.map(({ chainPem }) => chainPem),
    // Level 0 allows the weak certificates of some scenarios.
    ciphers: `${suites}:@SECLEVEL=0`,
    dhparam: 'auto',
    minVersion,
    maxVersion,
  });
}

import { suites, suitesWhere } from './wire/index.js';

/**
 * The TLS settings of a server, best first. The server refuses all other suites and
 * groups. The versions follow from the suites.
 */
export interface TlsSettings {
  /** Code points. */
  readonly suites: readonly number[];
  /** IANA names. */
  readonly groups: readonly string[];
}

/**
 * The TLS settings of this program's own ports: forward secrecy and AEAD alone
 * [9325-4.1-1, 9325-4.2-1], the least expensive first. A list of names also needs less
 * memory than the library's default, which matters if ten thousand hosts have a context
 * each.
 */
export const servingTls = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
} as const;

/**
 * The TLS settings of a client that requires TLS: TLS 1.2 or newer (RFC 8461 §7.2
 * [8461-7.2-1], RFC 9325 §3.1.1). In TLS 1.2 only ephemeral elliptic curve key exchange
 * is offered: RFC 10015 forbids static Diffie-Hellman, finite-field DHE and static RSA
 * there [10015-2-1, 10015-2-2, 10015-3-1, 10015-4-1]. For other clients weak TLS is
 * better than plaintext (RFC 9325 §5.2).
 */
export const strictTls = {
  minVersion: 'TLSv1.2',
  ciphers: 'DEFAULT:!kRSA:!kDHE:!aNULL:!eNULL:!LOW:!EXPORT:!RC4:!3DES:!MD5:!PSK:!SRP:@SECLEVEL=0',
} as const;

/** Code points of the suites of TLS 1.2 that a client with {@link strictTls} offers. */
export const strictSuites: readonly number[] = suitesWhere(
  ({ name, keyExchange, authentication, cipher, mode }) =>
    keyExchange === 'ECDHE' &&
    !name.endsWith('_OLD') &&
    ['RSA', 'ECDSA'].includes(authentication) &&
    ((cipher === 'AES' && ['GCM', 'CBC'].includes(mode)) || cipher === 'CHACHA20'),
);

/**
 * Returns whether a client with {@link strictTls} can negotiate this version and suite.
 */
export function isStrictSession(version: string, suite: string): boolean {
  if (version === 'TLSv1.3') return true;
  return version === 'TLSv1.2' && strictSuites.some((id) => suites.get(id)?.name === suite);
}

/**
 * The TLS settings of a server, best first. It refuses all other suites and groups; the
 * versions follow from the suites.
 */
export interface TlsSettings {
  /** Code points. */
  readonly suites: readonly number[];
  /** IANA names. */
  readonly groups: readonly string[];
}

/**
 * The TLS settings of this program's own ports: forward secrecy and AEAD alone
 * [9325-4.1-1, 9325-4.2-1], the cheapest first. A list of names also needs less memory
 * than the library's default, which counts where ten thousand hosts have a context each.
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

/**
 * The answer of a server to a ClientHello, from the plaintext part of its first flight.
 */
export interface ServerFlight {
  readonly hello?: ServerHello;
  /** DER, in the order sent; TLS 1.2 and earlier only (1.3 encrypts it). */
  readonly certificates?: readonly Uint8Array[];
  readonly ocspStapled?: boolean;
  readonly keyExchange?: ServerKeyExchange;
  readonly certificateRequested?: boolean;
  readonly alert?: TlsAlert;
}

export interface TlsAlert {
  readonly level: number;
  readonly description: number;
}

/**
 * ServerHello, or HelloRetryRequest (`retry`), which has the same form (RFC 9846 §4.2.4).
 */
export interface ServerHello {
  /**
   * Negotiated version as a wire number: supported_versions when there, else
   * legacy_version.
   */
  readonly version: number;
  readonly suite: number;
  readonly compression: number;
  readonly retry: boolean;
  /** Group of key_share in 1.3. */
  readonly group?: number;
  /** Extension types the server answered with. */
  readonly extensions: readonly number[];
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  readonly secureRenegotiation: boolean;
  readonly sessionTicket: boolean;
  /** RFC 9846 §4.2.3: the server could do better than what was negotiated. */
  readonly downgradeSentinel?: 'TLSv1.2' | 'TLSv1.1 or lower';
}

/**
 * ServerKeyExchange of TLS 1.2 and earlier. `scheme`: TLS 1.2's signature algorithm,
 * absent for anonymous suites and older versions.
 */
export type ServerKeyExchange =
  | { readonly kind: 'ecdhe'; readonly group: number | 'explicit'; readonly scheme?: number }
  | {
      readonly kind: 'dhe';
      readonly prime: Uint8Array;
      readonly generator: Uint8Array;
      readonly scheme?: number;
    }
  | { readonly kind: 'rsa-export'; readonly modulusBits: number }
  | { readonly kind: 'other' };

/** Size of a big-endian number in bits. */
export function bitLength(number: Uint8Array): number {
  const first = number.findIndex((octet) => octet !== 0);
  if (first < 0) return 0;
  return (number.length - first) * 8 - Math.clz32(number[first] as number) + 24;
}

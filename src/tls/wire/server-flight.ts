/**
 * The answer of a server to a ClientHello, from the plaintext part of its first flight.
 */
export interface ServerFlight {
  readonly hello?: ServerHello;
  /**
   * The certificates, DER, in the order sent; TLS 1.2 and earlier only (1.3 encrypts
   * them).
   */
  readonly certificates?: readonly Uint8Array[];
  /** Whether the server sent a certificate_status message (RFC 6066 §8). */
  readonly ocspStapled?: boolean;
  /**
   * Parameters of an ephemeral key exchange; absent with RSA key transport and in TLS
   * 1.3.
   */
  readonly keyExchange?: ServerKeyExchange;
  /** Whether the server requested a client certificate. */
  readonly certificateRequested?: boolean;
  /** The fatal alert that ended the handshake. */
  readonly alert?: TlsAlert;
}

/** An alert (RFC 9846 §6). */
export interface TlsAlert {
  /** The level: 1 warning, 2 fatal. */
  readonly level: number;
  /** Reason, by its number in the IANA registry. */
  readonly description: number;
}

/**
 * ServerHello, or HelloRetryRequest (`retry`), which has the same form (RFC 9846 §4.2.4).
 */
export interface ServerHello {
  /**
   * Negotiated version as a wire number: supported_versions if present, else
   * legacy_version.
   */
  readonly version: number;
  /** Cipher suite that the server chose, by code point. */
  readonly suite: number;
  /** Compression method. A value other than 0 exposes the session to CRIME. */
  readonly compression: number;
  /** Whether this is a HelloRetryRequest: the server asks for another ClientHello. */
  readonly retry: boolean;
  /** Group of key_share in 1.3. */
  readonly group?: number;
  /** Extension types in the answer of the server. */
  readonly extensions: readonly number[];
  /**
   * Whether the server sent extended_master_secret (RFC 7627), which binds the session
   * keys to the whole handshake.
   */
  readonly extendedMasterSecret: boolean;
  /** Whether the server sent encrypt_then_mac (RFC 7366). */
  readonly encryptThenMac: boolean;
  /**
   * Whether the server sent renegotiation_info (RFC 5746), which binds a renegotiation to
   * the connection.
   */
  readonly secureRenegotiation: boolean;
  /** Whether the server sent session_ticket (RFC 5077). */
  readonly sessionTicket: boolean;
  /**
   * The downgrade mark in the server's random: the server supports a version newer than
   * the negotiated one (RFC 9846 §4.2.3).
   */
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

/** Returns the size of a big-endian number in bits. */
export function bitLength(number: Uint8Array): number {
  const first = number.findIndex((octet) => octet !== 0);
  if (first < 0) return 0;
  return (number.length - first) * 8 - Math.clz32(number[first] as number) + 24;
}

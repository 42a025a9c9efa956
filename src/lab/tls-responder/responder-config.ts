import type { KeyObject } from 'node:crypto';

/** One server certificate: the chain in DER, leaf first, and the leaf's key. */
export interface ResponderCertificate {
  readonly chain: readonly Uint8Array[];
  readonly key: KeyObject;
}

/**
 * The behaviour of a scripted server. Numbers are wire code points; lists are in the
 * server's order of preference.
 */
export interface ResponderConfig {
  /** Wire versions that the server supports: 0x0300 SSLv3 to 0x0304 TLS 1.3. */
  readonly versions: readonly number[];
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly certificates: readonly ResponderCertificate[];
  /** The side whose order of preference decides. Default `server`. */
  readonly preference?: 'server' | 'client';
  /** Finite-field prime, big-endian; by default the 2048-bit group of RFC 3526. */
  readonly dhPrime?: Uint8Array;
  /** SSLv2 cipher kinds; undefined: SSLv2 is refused. */
  readonly ssl2Ciphers?: readonly number[];
  /** Accepts deflate if the client offers it (RFC 3749). */
  readonly compression?: boolean;
  /** Support for RFC 5746 and RFC 7627; by default true. */
  readonly secureRenegotiation?: boolean;
  readonly extendedMasterSecret?: boolean;
  /**
   * Maximum number of suites that the server reads in a hello; it ignores further suites.
   */
  readonly readsSuites?: number;
  /** Refuses a hello with more suites than this number. */
  readonly maxSuites?: number;
  /**
   * Selects the certificate before the suite, as HAProxy does: a client that offers any
   * ECDSA suite receives only the ECDSA certificate.
   */
  readonly certificateFirst?: boolean;
  /**
   * Prefers ChaCha20 for a client that lists it first, regardless of the order of the
   * server (OpenSSL's `PRIORITIZE_CHACHA`).
   */
  readonly prioritisesChaCha?: boolean;
  /** The method by which the server refuses a hello. By default an alert. */
  readonly refusal?: 'alert' | 'close';
}

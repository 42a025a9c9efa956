import type { KeyObject } from 'node:crypto';

/** One server certificate: the chain in DER, leaf first, and the leaf's key. */
export interface ResponderCertificate {
  readonly chain: readonly Uint8Array[];
  readonly key: KeyObject;
}

/**
 * How a scripted server answers helloes. Numbers are wire code points; lists stand in the
 * server's own order.
 */
export interface ResponderConfig {
  /** Wire versions it speaks: 0x0300 SSLv3 to 0x0304 TLS 1.3. */
  readonly versions: readonly number[];
  readonly suites: readonly number[];
  readonly groups: readonly number[];
  readonly certificates: readonly ResponderCertificate[];
  /** Whose order decides. Default `server`. */
  readonly preference?: 'server' | 'client';
  /** Finite-field prime, big-endian; default the 2048-bit group of RFC 3526. */
  readonly dhPrime?: Uint8Array;
  /** SSLv2 cipher kinds; undefined: SSLv2 is refused. */
  readonly ssl2Ciphers?: readonly number[];
  /** Takes deflate where the client offers it (RFC 3749). */
  readonly compression?: boolean;
  /** Default true: RFC 5746 and RFC 7627. */
  readonly secureRenegotiation?: boolean;
  readonly extendedMasterSecret?: boolean;
  /**
   * Looks at no more suites than this of a hello, and refuses the rest as if they were
   * not there.
   */
  readonly readsSuites?: number;
  /** Refuses a hello of more suites than this. */
  readonly mostSuites?: number;
  /**
   * Chooses its certificate before the suite, as HAProxy does: whoever offers any ECDSA
   * suite is given the ECDSA certificate and nothing else.
   */
  readonly certificateFirst?: boolean;
  /**
   * Gives a ChaCha20 suite to whoever puts one first, whatever its own order (OpenSSL's
   * `PRIORITIZE_CHACHA`).
   */
  readonly prioritisesChaCha?: boolean;
  /** How it says no. Default an alert. */
  readonly refusal?: 'alert' | 'close';
}

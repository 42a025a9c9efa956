import type { LargeHello, LargeHelloResult } from './large-hello.js';
import type { HelloVersion } from './question.js';

export type Tristate = 'accepted' | 'refused' | 'unknown';
export type AnyVersion = 'SSLv2' | HelloVersion;

/**
 * All facts in the log of a server. An unsettled fact is `unknown`. An unsettled list is
 * not `complete`.
 */
export interface Inventory {
  readonly versions: Readonly<Record<AnyVersion, Tristate>>;
  /**
   * Accepted suites by version, in the order found: the server's own order if it has
   * one.
   */
  readonly suites: Readonly<
    Record<HelloVersion, { readonly accepted: readonly number[]; readonly complete: boolean }>
  >;
  readonly order: Readonly<Partial<Record<HelloVersion, 'server' | 'client' | 'unknown'>>>;
  readonly groups: { readonly accepted: readonly number[]; readonly complete: boolean };
  /** Schemes with which a TLS 1.2 server was observed to sign its key exchange. */
  readonly schemes: readonly number[];
  /** One chain per certificate, DER as sent. */
  readonly chains: readonly (readonly Uint8Array[])[];
  readonly compression: Tristate;
  readonly extendedMasterSecret: Tristate;
  readonly secureRenegotiation: Tristate;
  readonly dhe?: { readonly prime: Uint8Array; readonly generator: Uint8Array };
  readonly ssl2Ciphers: readonly number[];
  /** True if the server refused a full-size hello and accepted a smaller one. */
  readonly helloSizeIntolerant: boolean;
  /** The worst result of the hellos with the size of an ML-KEM hello. */
  readonly largeHello: LargeHello;
  /** The result of each large hello. */
  readonly largeHellos: readonly LargeHelloResult[];
}

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

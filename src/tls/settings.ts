/**
 * What a server takes, best first: everything else it is set to refuse. The versions
 * follow from the suites.
 */
export interface TlsSettings {
  /** Code points. */
  readonly suites: readonly number[];
  /** IANA names. */
  readonly groups: readonly string[];
}

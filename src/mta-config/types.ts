import type { TlsSettings } from '../tls/index.js';

/** One or more settings with the reason for them, in one line of prose. */
export interface ConfigSetting {
  readonly why: string;
  /** As the file has them; none: only something to know. */
  readonly lines: readonly string[];
}

/** Settings that go to one place. */
export interface ConfigPart {
  readonly place: string;
  readonly settings: readonly ConfigSetting[];
}

/** What a mail server is told about TLS. */
export interface MailServerOptions {
  /** What it takes from others. */
  readonly tls: TlsSettings;
  /** Its name, as MX records have it. */
  readonly host: string;
  /** Files in PEM, one pair for each kind of key. */
  readonly certificates: readonly { readonly chain: string; readonly key: string }[];
  /** Such as `[3, 7]`; default the oldest that is known here. */
  readonly version?: readonly [number, number];
  /** What Exim was built with; default GnuTLS, as in Debian. */
  readonly library?: 'gnutls' | 'openssl';
  /** Where OpenSMTPD listens. */
  readonly listen?: readonly string[];
  /** Postfix: where Hermetic answers policy lookups, such as `inet:127.0.0.1:8461`. */
  readonly policies?: string;
  /** Postfix from 3.10 on: the socket of Hermetic that sessions are told to. */
  readonly sessions?: string;
}

/** One kind of mail server. */
export interface MailServer {
  /** The oldest version whose settings are known here. */
  readonly oldest: readonly [number, number];
  /** More than one certificate on a port. */
  readonly manyKeys: boolean;
  /**
   * Prints how many sessions that were logged would not have come about under the
   * settings.
   */
  readonly count: string;
  /** Looks at the text once it is in place, and takes it. */
  readonly apply: string;
  parts(
    options: MailServerOptions & { readonly version: readonly [number, number] },
  ): readonly ConfigPart[];
}

export function isFrom(version: readonly [number, number], major: number, minor: number): boolean {
  return version[0] > major || (version[0] === major && version[1] >= minor);
}

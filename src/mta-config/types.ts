import type { TlsSettings } from '../tls/index.js';

/** One or more settings with their reason. */
export interface ConfigSetting {
  readonly why: string;
  /** Lines of the configuration file. Empty: the reason is a remark only. */
  readonly lines: readonly string[];
}

/** Settings for one place of the configuration. */
export interface ConfigPart {
  readonly place: string;
  readonly settings: readonly ConfigSetting[];
}

/** The desired TLS settings of one mail server. */
export interface MailServerTlsOptions {
  /** TLS settings for mail that the server receives. */
  readonly tls: TlsSettings;
  /** Host name of the server, as in MX records. */
  readonly host: string;
  /** PEM files, one pair for each key type. */
  readonly certificates: readonly { readonly chain: string; readonly key: string }[];
  /** Version, such as `[3, 7]`. Default: the oldest supported version. */
  readonly version?: readonly [number, number];
  /** The TLS library that Exim was built with. Default: GnuTLS, as in Debian. */
  readonly library?: 'gnutls' | 'openssl';
  /** Addresses on which OpenSMTPD listens. */
  readonly listen?: readonly string[];
  /**
   * Postfix: the socket on which Hermetic answers policy lookups, such as
   * `inet:127.0.0.1:8461`.
   */
  readonly policies?: string;
  /** Postfix from 3.10 on: the socket to which Postfix reports TLS sessions. */
  readonly sessions?: string;
}

/** A mail server program and its settings. */
export interface MailServerKind {
  /** The oldest supported version. */
  readonly oldest: readonly [number, number];
  /** Whether one port can have several certificates. */
  readonly manyKeys: boolean;
  /**
   * A shell command that counts logged sessions which the settings would have prevented.
   */
  readonly count: string;
  /** A shell command that checks the configuration and activates it. */
  readonly apply: string;
  /** Returns the settings, grouped by place. */
  parts(
    options: MailServerTlsOptions & { readonly version: readonly [number, number] },
  ): readonly ConfigPart[];
}

/** Returns whether a version is `major.minor` or later. */
export function isAtLeast(
  version: readonly [number, number],
  major: number,
  minor: number,
): boolean {
  return version[0] > major || (version[0] === major && version[1] >= minor);
}

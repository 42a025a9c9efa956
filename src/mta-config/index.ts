/**
 * TLS settings for mail servers: Postfix, Exim and OpenSMTPD.
 *
 * A mail server needs settings in both directions. When it receives, it offers STARTTLS
 * with TLS 1.2 and 1.3, forward secrecy and its certificates (RFC 9325); it must not
 * require TLS of every client (RFC 3207 §4). When it sends, it uses DANE if TLSA records
 * are validated (RFC 7672) and asks Hermetic for the MTA-STS policy of each domain (RFC
 * 8461). The settings depend on the version of the mail server and on its TLS library.
 *
 * `mailServerConfig` returns the settings as data, each with its reason;
 * `formatMailServerConfig` prints them as lines to paste. Both functions are pure: they
 * neither read nor write files. Certificates and TLSA records are the task of `publish`.
 *
 * @example
 * ```ts
 * const parts = mailServerConfig('postfix', {
 *   host: 'mx.example.com',
 *   tls: recommendedTls,
 *   certificates: [],
 * });
 * console.log(formatMailServerConfig(parts, 80));
 * ```
 */
export {
  formatMailServerConfig,
  mailServerConfig,
  mailServers,
  type ConfigPart,
  type ConfigSetting,
  type MailServerName,
  type MailServerTlsOptions,
} from './mail-server-config.js';

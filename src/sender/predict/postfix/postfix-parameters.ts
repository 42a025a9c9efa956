import { known, unknown, type Fact, type SettingSource } from '../sender-model.js';
import { expandValue } from './expand-value.js';
import type { ParsedParameters } from './parse-parameters.js';

/**
 * Defaults of the parameters that decide how mail is sent (postconf(5), Postfix 3.4 to
 * 3.11).
 */
const defaults: Readonly<Record<string, string>> = {
  compatibility_level: '0',
  config_directory: '/etc/postfix',
  content_filter: '',
  default_transport: 'smtp',
  default_database_type: 'hash',
  defer_transports: '',
  disable_dns_lookups: 'no',
  ignore_mx_lookup_error: 'no',
  fallback_relay: '',
  inet_protocols: 'all',
  minimal_backoff_time: '300s',
  mydestination: '',
  parent_domain_matches_subdomains:
    'debug_peer_list, fast_flush_domains, mynetworks, permit_mx_backup_networks, qmqpd_authorized_clients, relay_domains, smtpd_access_maps',
  relay_domains: '',
  relay_transport: 'relay',
  relayhost: '',
  requiretls_enable: 'yes',
  sender_dependent_default_transport_maps: '',
  sender_dependent_relayhost_maps: '',
  smtp_always_send_ehlo: 'yes',
  smtp_discard_ehlo_keyword_address_maps: '',
  smtp_discard_ehlo_keywords: '',
  smtp_dns_reply_filter: '',
  smtp_dns_resolver_options: '',
  smtp_dns_support_level: '',
  smtp_enforce_tls: 'no',
  smtp_fallback_relay: '$fallback_relay',
  smtp_host_lookup: 'dns',
  smtp_mx_address_limit: '5',
  smtp_never_send_ehlo: 'no',
  smtp_reply_filter: '',
  smtp_requiretls_policy: '',
  smtp_tcp_port: 'smtp',
  smtp_tls_CAfile: '',
  smtp_tls_CApath: '',
  smtp_tls_ciphers: 'medium',
  smtp_tls_dane_insecure_mx_policy: '',
  smtp_tls_enforce_peername: 'yes',
  smtp_tls_exclude_ciphers: '',
  smtp_tls_fingerprint_cert_match: '',
  smtp_tls_mandatory_ciphers: 'medium',
  smtp_tls_mandatory_exclude_ciphers: '',
  smtp_tls_mandatory_protocols: '>=TLSv1',
  smtp_tls_per_site: '',
  smtp_tls_policy_maps: '',
  smtp_tls_protocols: '>=TLSv1',
  smtp_tls_secure_cert_match: 'nexthop, dot-nexthop',
  smtp_tls_servername: '',
  smtp_tls_trust_anchor_file: '',
  smtp_tls_verify_cert_match: 'hostname',
  smtp_tls_wrappermode: 'no',
  smtp_tlsrpt_enable: 'no',
  smtp_use_tls: 'no',
  tls_append_default_CA: 'no',
  tls_config_file: 'default',
  tls_config_name: '',
  tls_dane_digests: 'sha512 sha256',
  tls_eecdh_auto_curves: '',
  transport_maps: '',
  virtual_alias_domains: '$virtual_alias_maps',
  virtual_alias_maps: '',
  virtual_mailbox_domains: '$virtual_mailbox_maps',
  virtual_mailbox_maps: '',
};

/**
 * The parameters of the Postfix SMTP client: the options of its service in master.cf
 * override main.cf, and both override the defaults.
 */
export class PostfixParameters {
  readonly #parsed: ParsedParameters;
  readonly #service: ReadonlyMap<string, string>;

  /** @param service the service of master.cf that sends, such as `smtp/unix` */
  constructor(
    parsed: ParsedParameters,
    service: string,
    readonly version: string | undefined = parsed.parameters.get('mail_version'),
  ) {
    this.#parsed = parsed;
    this.#service = parsed.services.get(service) ?? new Map();
  }

  /** Returns the value of a parameter with its source. */
  value(name: string): Fact<string> {
    const written = this.#written(name);
    const source = this.source(name);
    if (written === undefined)
      return unknown(`this program does not know the default of ${name}`, source);
    const expanded = expandValue(written, (reference) => this.#written(reference));
    if (expanded.ok) return known(expanded.value, source);
    return unknown(`${name}: ${expanded.reason}`, source);
  }

  /** Returns whether the version of Postfix is known, and at least `major.minor`. */
  isVersionAtLeast(major: number, minor: number): boolean {
    return this.version !== undefined && isLevelAtLeast(this.version, major, minor);
  }

  /** Returns whether the configuration sets a parameter. */
  isSet(name: string): boolean {
    return this.#service.has(name) || this.#parsed.parameters.has(name);
  }

  /** Returns the line of a parameter; if it is not set, the default. */
  source(name: string): SettingSource {
    const line = `${name} = ${this.#written(name) ?? ''}`.trimEnd();
    return { setting: name, line, byDefault: !this.isSet(name) };
  }

  #written(name: string): string | undefined {
    return (
      this.#service.get(name) ??
      this.#parsed.parameters.get(name) ??
      (Object.hasOwn(defaults, name) ? defaults[name] : undefined)
    );
  }
}

/** Reads a boolean parameter: Postfix accepts only yes and no. */
export function readYes(value: Fact<string>): Fact<boolean> {
  if (!value.known) return value;
  const word = value.value.trim().toLowerCase();
  if (word === 'yes' || word === 'no') return known(word === 'yes', value.source);
  return unknown(`${value.source.setting} = ${value.value} is neither yes nor no`, value.source);
}

/**
 * Returns whether a compatibility level or version such as `3.11` is at least
 * `major.minor`.
 */
export function isLevelAtLeast(text: string, major: number, minor: number): boolean {
  const [, whole = '0', part = '0'] = /^(\d{1,6})(?:\.(\d{1,6}))?/.exec(text.trim()) ?? [];
  return Number(whole) > major || (Number(whole) === major && Number(part) >= minor);
}

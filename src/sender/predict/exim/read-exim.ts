import { assumedRoots, resolverFact, type ResolverState } from '../assumptions.js';
import {
  known,
  ascendingTlsVersions,
  unknown,
  type DaneUse,
  type Fact,
  type RequiredCertificate,
  type SenderModel,
  type SettingSource,
  type TlsRules,
  type TlsVersionName,
} from '../sender-model.js';
import { defaultAbilities, parseTlsLibrary, type TlsLibrary } from '../tls-library.js';
import { findEximRoute, type EximRoute } from './find-route.js';
import {
  coverageOf,
  parseEximOutput,
  type EximOptions,
  type EximOutput,
} from './parse-exim-output.js';

/** Input of {@link readExim}. */
export interface EximInput {
  /**
   * Output of `exim -d-all+tls -bV`, `exim -bP`, `exim -bP routers` and `exim -bP
   * transports`.
   */
  readonly text: string;
  /** The transport, if the routers do not determine it. */
  readonly transport?: string | undefined;
  readonly domain: string;
  readonly resolver?: ResolverState | undefined;
  /** Output of `openssl version -a`, then openssl.cnf, if Exim uses OpenSSL. */
  readonly tlsLibrary?: string | undefined;
}

/**
 * Reads the configuration of Exim as rules for sending. Pure. The function evaluates
 * options of the smtp transport (specification, chapters "The smtp transport" and
 * "Encrypted SMTP connections"); Exim 4.94 to 4.98.
 */
export function readExim(input: EximInput): SenderModel {
  const output = parseEximOutput(input.text);
  const route = findEximRoute(output, input);
  const options = new TransportOptions(route.transport, route.name);
  const library = parseTlsLibrary(`${input.text}\n${input.tlsLibrary ?? ''}`);
  const rules = rulesOf({ options, output, dnssec: route.dnssec, library });
  const resolver = resolverFact(input.resolver, rules);
  const { source } = options;
  const none: SettingSource = { setting: 'Exim', line: 'Exim does not support this feature' };
  return {
    program: 'exim',
    version: output.version,
    domain: input.domain,
    rules,
    fallback: options.flag('tls_tempfail_tryclear', (clear) =>
      clear
        ? { refused: 'plaintext', handshake: 'plaintext' }
        : { refused: 'defer', handshake: 'defer' },
    ),
    smartHost: openOption(options) ?? hostsOverride(options) ?? route.smartHost,
    fallbackRelay: fallbackHostsOf(options, route),
    families: familiesOf(output, source),
    requireTls: known('no', none),
    tlsReports: known('no', none),
    resolver: resolver.fact,
    destinations: [],
    assumptions: [
      ...route.assumptions,
      ...assumedRoots(rules),
      ...resolverLines(resolver),
      ...libraryLines(library),
    ],
    warnings: warningsOf(options),
  };
}

/** Host lists for which a transport refuses delivery, or delivers without TLS. */
const openLists = ['hosts_avoid_esmtp', 'hosts_require_auth', 'hosts_require_ocsp'];
/** Other options that can change a delivery, with the values that have no effect. */
const harmless: Readonly<Record<string, RegExp>> = {
  event_action: /^$/,
  port: /^(smtp|25)?$/,
  socks_proxy: /^$/,
};

/** Returns the first option of the transport that makes every cell unknown. */
function openOption(options: TransportOptions): Fact<never> | undefined {
  const value = (name: string): string => options.optional(name).value;
  const name =
    openLists.find((list) => coverageOf(value(list)) !== 'no') ??
    Object.keys(harmless).find((other) => !harmless[other]?.test(value(other)));
  if (name === undefined) return undefined;
  return unknown(`the prediction does not evaluate the option ${name}`, options.line(name));
}

/**
 * Returns the hosts of a transport with `hosts_override`, which replace the hosts of the
 * router.
 */
function hostsOverride(options: TransportOptions): SenderModel['smartHost'] | undefined {
  const hosts = options.optional('hosts');
  const isOverridden = options.optional('hosts_override').value === 'true';
  return isOverridden && hosts.value !== '' ? known(hosts.value, hosts.source) : undefined;
}

/** Returns the hosts that get mail after every host of the domain has failed. */
function fallbackHostsOf(
  options: TransportOptions,
  { router }: EximRoute,
): SenderModel['fallbackRelay'] {
  const hosts = options.optional('fallback_hosts');
  const value = router?.get('fallback_hosts') ?? hosts.value;
  return known(value === '' ? undefined : value, hosts.source);
}

/**
 * Returns the assumptions about the resolver. With DANE, glibc passes the AD bit to Exim
 * only with `options trust-ad`.
 */
function resolverLines({ assumptions }: ReturnType<typeof resolverFact>): readonly string[] {
  if (assumptions.length === 0) return [];
  return [...assumptions, '/etc/resolv.conf has "options trust-ad", which glibc 2.31 needs.'];
}

/**
 * Returns the assumption about GnuTLS: a file can change its priority NORMAL for every
 * program.
 */
function libraryLines(library: TlsLibrary | undefined): readonly string[] {
  if (library?.name !== 'GnuTLS') return [];
  return ['No file /etc/gnutls/config restricts GnuTLS.'];
}

/** The options of a transport, as facts. */
class TransportOptions {
  readonly #options: EximOptions | undefined;
  readonly #name: string;

  constructor(options: EximOptions | undefined, name: string) {
    this.#options = options;
    this.#name = name;
  }

  /** Returns the source of facts that no single option states. */
  get source(): SettingSource {
    return { setting: 'transport', line: `${this.#name}: driver = smtp` };
  }

  line(name: string): SettingSource {
    const value = this.#options?.get(name);
    return { setting: name, line: `${this.#name}: ${name} = ${value ?? ''}`.trimEnd() };
  }

  value(name: string): Fact<string> {
    const value = this.#options?.get(name);
    if (value !== undefined) return known(value, this.line(name));
    const missing = this.#options === undefined ? 'the transport' : name;
    return unknown(`the input does not show ${missing}: add exim -bP transports`, this.line(name));
  }

  /** Returns the value of an option that is empty by default. */
  optional(name: string): { readonly value: string; readonly source: SettingSource } {
    return { value: this.#options?.get(name) ?? '', source: this.line(name) };
  }

  /**
   * Returns whether a build of Exim supports an option: Exim prints every option that it
   * supports.
   */
  has(name: string): boolean {
    return this.#options?.has(name) ?? true;
  }

  hosts(name: string): Fact<boolean> {
    const value = this.value(name);
    if (!value.known) return value;
    const coverage = coverageOf(value.value);
    if (coverage !== 'unknown') return known(coverage === 'yes', value.source);
    return unknown(`the prediction does not evaluate ${name} = ${value.value}`, value.source);
  }

  flag<T>(name: string, to: (value: boolean) => T): Fact<T> {
    const value = this.value(name);
    return value.known ? known(to(value.value === 'true'), value.source) : value;
  }
}

/** The parts of the configuration from which the rules follow. */
interface RuleSources {
  readonly options: TransportOptions;
  readonly output: EximOutput;
  readonly dnssec: Fact<boolean>;
  readonly library: TlsLibrary | undefined;
}

function rulesOf({ options, output, dnssec, library }: RuleSources): TlsRules {
  const versions = versionsOf(options, output);
  const required = options.hosts('hosts_require_tls');
  return {
    tls: tlsOf(options, required),
    certificate: certificateOf(options, required),
    dane: daneOf(options, output, dnssec),
    mtaSts: known({ use: 'no' }, { setting: 'Exim', line: 'Exim does not support MTA-STS' }),
    versions,
    requiredVersions: versions,
    roots: rootsOf(options),
    serverName: serverNameOf(options),
    library: libraryOf(options, library),
  };
}

/**
 * Returns the abilities of the TLS library. The reader evaluates only the default list of
 * suites.
 */
function libraryOf(
  options: TransportOptions,
  library: TlsLibrary | undefined,
): TlsRules['library'] {
  const abilities = defaultAbilities(library, options.source);
  const ciphers = options.value('tls_require_ciphers');
  if (!ciphers.known) return { ...abilities, oldSuites: ciphers };
  // Keywords for versions and flags do not change the suites of NORMAL.
  const isDefault = ciphers.value
    .split(':')
    .every((item) => /^(NORMAL|[+!-]VERS-\S+|%\S+)?$/.test(item.trim()));
  if (isDefault) return abilities;
  const reason = `the prediction does not evaluate tls_require_ciphers = ${ciphers.value}`;
  return { ...abilities, oldSuites: unknown(reason, ciphers.source) };
}

function tlsOf(options: TransportOptions, required: Fact<boolean>): TlsRules['tls'] {
  const protocol = options.value('protocol');
  if (protocol.known && protocol.value !== 'smtp' && protocol.value !== '')
    return unknown(`protocol = ${protocol.value} is not STARTTLS`, protocol.source);
  const avoided = options.hosts('hosts_avoid_tls');
  if (!avoided.known) return avoided;
  if (avoided.value) return known('never', avoided.source);
  const mandatory = options.has('hosts_require_dane')
    ? options.hosts('hosts_require_dane')
    : avoided;
  if (!mandatory.known) return mandatory;
  if (!required.known) return required;
  return known(required.value ? 'required' : 'opportunistic', required.source);
}

/**
 * Returns the certificate that a delivery needs. If neither tls_verify_hosts nor
 * tls_try_verify_hosts is set, every certificate must be valid. A certificate that fails
 * ends the handshake, and tls_tempfail_tryclear then sends in plaintext.
 */
function certificateOf(
  options: TransportOptions,
  required: Fact<boolean>,
): Fact<RequiredCertificate> {
  const verified = options.hosts('tls_verify_hosts');
  if (!verified.known) return verified;
  const [must, tried] = ['tls_verify_hosts', 'tls_try_verify_hosts'].map((name) =>
    options.value(name),
  );
  if (tried && !tried.known) return tried;
  const neither = must?.known && must.value === '' && tried?.known && tried.value === '';
  if (!verified.value && !neither) return known({ kind: 'nothing' }, verified.source);
  const names = options.hosts('tls_verify_cert_hostnames');
  if (!names.known) return names;
  const clear = options.flag('tls_tempfail_tryclear', (value) => value);
  if (!clear.known) return clear;
  const strict = !clear.value || (required.known && required.value);
  return known(
    {
      kind: 'ca',
      names: [{ kind: names.value ? 'mx-host' : 'any' }],
      onFailure: strict ? 'defer' : 'plaintext',
    },
    verified.source,
  );
}

/**
 * Returns the use of DANE. Exim needs a build with DANE, `hosts_try_dane`, and DNSSEC
 * lookups by the router. DANE applies only to hosts that a signed MX RRset names (smtp.c,
 * `host->dnssec == DS_YES`).
 */
function daneOf(
  options: TransportOptions,
  { support }: EximOutput,
  dnssec: Fact<boolean>,
): Fact<DaneUse> {
  const source = options.line('hosts_try_dane');
  if (support !== undefined && !support.includes('DANE'))
    return known({ use: 'no' }, { setting: 'exim -bV', line: 'Exim was built without DANE' });
  if (!options.has('hosts_try_dane') && options.has('hosts_require_tls'))
    return known({ use: 'no' }, { setting: 'hosts_try_dane', line: 'Exim was built without DANE' });
  const mandatory = options.hosts('hosts_require_dane');
  if (!mandatory.known) return mandatory;
  const tried = options.hosts('hosts_try_dane');
  if (!tried.known) return tried;
  if (!mandatory.value && !tried.value) return known({ use: 'no' }, source);
  const avoided = options.hosts('hosts_avoid_tls');
  if (!avoided.known) return avoided;
  if (avoided.value) return unknown('hosts_avoid_tls excludes the TLS of DANE', avoided.source);
  if (!dnssec.known) return dnssec;
  const unusable = unusableBy(support);
  if (mandatory.value)
    // tlsa_lookup and smtp_setup_conn return FAIL, so the message bounces.
    return known(
      { use: 'mandatory', insecureMx: 'ignore', unusable, missing: 'bounce' },
      mandatory.source,
    );
  if (!dnssec.value) return known({ use: 'no' }, dnssec.source);
  return known({ use: 'opportunistic', insecureMx: 'ignore', unusable }, tried.source);
}

/**
 * Returns the effect of TLSA records that are all unusable: with GnuTLS the delivery
 * continues under TLS, as RFC 7672 §2.2 requires; with OpenSSL it is deferred
 * (tls-openssl.c, `dane_tlsa_load`).
 */
function unusableBy(support: EximOutput['support']): 'encrypt' | 'defer' | 'unknown' {
  if (support?.includes('GnuTLS')) return 'encrypt';
  if (support?.includes('OpenSSL')) return 'defer';
  return 'unknown';
}

/**
 * Returns the TLS versions: a GnuTLS priority can exclude versions, and `openssl_options`
 * excludes them with OpenSSL.
 */
function versionsOf(
  options: TransportOptions,
  { main, support }: EximOutput,
): Fact<readonly TlsVersionName[]> {
  const ciphers = options.value('tls_require_ciphers');
  if (!ciphers.known) return ciphers;
  const openssl = main.get('openssl_options');
  if (openssl !== undefined || support?.includes('OpenSSL')) {
    const source = { setting: 'openssl_options', line: `openssl_options = ${openssl ?? ''}` };
    if (openssl === undefined) return unknown('the input does not show exim -bP', source);
    return known(withoutOpenSslOptions(openssl), source);
  }
  if (ciphers.value === '') return known(ascendingTlsVersions, ciphers.source);
  const versions = /[$]/.test(ciphers.value) ? undefined : gnuTlsVersions(ciphers.value);
  if (versions !== undefined) return known(versions, ciphers.source);
  return unknown(
    `the prediction does not evaluate tls_require_ciphers = ${ciphers.value}`,
    ciphers.source,
  );
}

function withoutOpenSslOptions(text: string): readonly TlsVersionName[] {
  const words = text.split(/\s+/);
  return ascendingTlsVersions.filter(
    (version) => !words.includes(`+no_${version.toLowerCase().replace('.', '_')}`),
  );
}

/** Keywords of GnuTLS that enable every version. */
const EVERY_VERSION = /^(NORMAL|PERFORMANCE|PFS|LEGACY|SECURE(128|192|256)?|%\S+)?$/;

/**
 * Returns the versions of a GnuTLS priority: `-VERS-TLS1.0`, `-VERS-ALL:+VERS-TLS1.2`.
 * `NONE` begins without any; this parser does not support other keywords, such as
 * `@SYSTEM` and `SUITEB128`.
 */
function gnuTlsVersions(priority: string): readonly TlsVersionName[] | undefined {
  const [first = '', ...rest] = priority.split(':').map((item) => item.trim());
  const isSigned = /^[+!-]/.test(first);
  if (!isSigned && first !== 'NONE' && !EVERY_VERSION.test(first)) return undefined;
  const enabled = new Set<string>(first === 'NONE' ? [] : ascendingTlsVersions);
  for (const item of isSigned ? [first, ...rest] : rest) {
    const [, sign, name] = /^([+!-])VERS-(.+)$/.exec(item) ?? [];
    if (sign === undefined || name === undefined) continue;
    const version = name === 'TLS1.0' ? 'TLSv1' : name.replace('TLS1', 'TLSv1');
    const named = /^(TLS-)?ALL$/.test(name) ? ascendingTlsVersions : [version];
    for (const each of named)
      if (sign === '+') enabled.add(each);
      else enabled.delete(each);
  }
  return ascendingTlsVersions.filter((version) => enabled.has(version));
}

function rootsOf(options: TransportOptions): TlsRules['roots'] {
  const certificates = options.value('tls_verify_certificates');
  if (!certificates.known) return certificates;
  return known(certificates.value === '' ? 'none' : 'some', certificates.source);
}

function serverNameOf(options: TransportOptions): TlsRules['serverName'] {
  const name = options.value('tls_sni');
  if (!name.known) return name;
  if (name.value === '') return known('none', name.source);
  return known(/^\$\{?host\}?$/.test(name.value) ? 'mx-host' : 'other', name.source);
}

function familiesOf({ main }: EximOutput, source: SettingSource): SenderModel['families'] {
  const disabled = main.get('disable_ipv6');
  if (disabled === undefined)
    return unknown('the input does not show disable_ipv6: add exim -bP', source);
  return known(disabled === 'true' ? 'ipv4' : 'both', {
    setting: 'disable_ipv6',
    line: `disable_ipv6 = ${disabled}`,
  });
}

function warningsOf(options: TransportOptions): readonly string[] {
  const required = options.hosts('hosts_require_tls');
  const certificate = certificateOf(options, required);
  if (!certificate.known || certificate.value.kind !== 'ca') return [];
  if (certificate.value.onFailure === 'defer') return [];
  return [
    'After a failed verification, Exim sends in plaintext: set hosts_require_tls with tls_verify_hosts, or no_tls_tempfail_tryclear.',
  ];
}

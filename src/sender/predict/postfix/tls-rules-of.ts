import {
  known,
  unknown,
  type AcceptedNames,
  type DaneUse,
  type Fact,
  type RequiredCertificate,
  type SettingSource,
  type StsUse,
  type TlsRules,
  type TlsVersionName,
} from '../sender-model.js';
import type { DestinationPolicy } from './destination-policies.js';
import { parseLevel, type SecurityLevel, type TlsPolicyEntry } from './parse-tls-policy.js';
import {
  hybridGroupOf,
  oldSuitesOf,
  oldVersionsOf,
  smallHelloOf,
  type TlsLibrary,
} from '../tls-library.js';
import { parseProtocols } from './parse-protocols.js';
import { isLevelAtLeast, readYes, type PostfixParameters } from './postfix-parameters.js';

/** The settings, policies and TLS library that determine the rules for one next hop. */
export interface RuleSources {
  readonly settings: PostfixParameters;
  readonly policy: DestinationPolicy;
  readonly mtaSts: Fact<StsUse>;
  readonly nextHop: string;
  readonly library: TlsLibrary | undefined;
}

/** Derives the rules for one next hop, as `policy_create` in smtp_tls_policy.c does. */
export function tlsRulesOf({ settings, policy, mtaSts, ...rest }: RuleSources): TlsRules {
  const { nextHop, library } = rest;
  const level = levelOf(settings, policy);
  const entry = policy.kind === 'entry' ? policy.entry : undefined;
  const source = policy.kind === 'entry' ? policy.source : level.source;
  return {
    tls: tlsOf(settings, policy, level),
    certificate: certificateOf({ settings, level, entry, source, nextHop }),
    dane: answersDane(mtaSts) ? daneByServer(settings) : daneOf(settings, level),
    mtaSts,
    versions: versionsOf(settings, 'smtp_tls_protocols', entry, source),
    requiredVersions: versionsOf(settings, 'smtp_tls_mandatory_protocols', entry, source),
    roots: rootsOf(settings, entry),
    serverName: serverNameOf(settings, entry, source),
    library: libraryOf(settings, entry, library),
  };
}

/**
 * Returns the level of the entry, else the level of main.cf, including obsolete
 * parameters.
 */
function levelOf(settings: PostfixParameters, policy: DestinationPolicy): Fact<SecurityLevel> {
  switch (policy.kind) {
    case 'entry':
      return known(policy.entry.level, policy.source);
    case 'unknown':
      return unknown(policy.reason, policy.source);
    case 'broken':
      return known('none', policy.source);
    case 'main':
      return mainLevel(settings);
  }
}

function mainLevel(settings: PostfixParameters): Fact<SecurityLevel> {
  const [perSite, maps] = ['smtp_tls_per_site', 'smtp_tls_policy_maps'].map((name) =>
    settings.value(name),
  );
  // Postfix reads the obsolete table only if the current table is not set.
  if (perSite && perSite.source.line !== 'smtp_tls_per_site =' && maps?.source.byDefault)
    return unknown(
      'smtp_tls_per_site is obsolete, and the prediction does not evaluate it: use smtp_tls_policy_maps',
      perSite.source,
    );
  if (!settings.isSet('smtp_tls_security_level')) return obsoleteLevel(settings);
  const written = settings.value('smtp_tls_security_level');
  if (!written.known) return written;
  const word = written.value.trim();
  if (word === '') return obsoleteLevel(settings);
  const level = parseLevel(word);
  if (level !== undefined) return known(level, written.source);
  return unknown(`${word} is not a security level of Postfix`, written.source);
}

/**
 * Returns the level if the configuration sets none: from smtp_enforce_tls and
 * smtp_use_tls, else the default of Postfix 3.11.
 */
function obsoleteLevel(settings: PostfixParameters): Fact<SecurityLevel> {
  const enforced = readYes(settings.value('smtp_enforce_tls'));
  if (!enforced.known) return enforced;
  if (enforced.value) {
    const peername = readYes(settings.value('smtp_tls_enforce_peername'));
    if (!peername.known) return peername;
    return known(peername.value ? 'verify' : 'encrypt', enforced.source);
  }
  const used = readYes(settings.value('smtp_use_tls'));
  if (!used.known) return used;
  if (used.value) return known('may', used.source);
  const compatibility = settings.value('compatibility_level');
  if (!compatibility.known) return compatibility;
  const source = { setting: 'smtp_tls_security_level', byDefault: true };
  const hasDefault =
    !settings.isSet('smtp_tls_security_level') && isLevelAtLeast(compatibility.value, 3, 11);
  // A level above every release, such as 9999, does not show the version.
  if (hasDefault && settings.version === undefined && isLevelAtLeast(compatibility.value, 4, 0))
    return unknown(
      'the default level depends on the version: state it with --server-version',
      compatibility.source,
    );
  if (hasDefault && (settings.version === undefined || settings.isVersionAtLeast(3, 11)))
    return known('may', { ...source, line: 'smtp_tls_security_level = may' });
  return known('none', { ...source, line: 'smtp_tls_security_level =' });
}

function tlsOf(
  settings: PostfixParameters,
  policy: DestinationPolicy,
  level: Fact<SecurityLevel>,
): TlsRules['tls'] {
  if (policy.kind === 'broken') return known('broken', policy.source);
  if (!level.known) return level;
  const hindrance = level.value === 'dane-only' ? hindranceOf(settings) : undefined;
  // Without DNSSEC lookups dane-only is a configuration error, and dane becomes may.
  if (hindrance !== undefined)
    return hindrance.known ? known('broken', hindrance.source) : hindrance;
  const wrapper = readYes(settings.value('smtp_tls_wrappermode'));
  if (!wrapper.known) return wrapper;
  if (wrapper.value)
    return unknown('smtp_tls_wrappermode speaks TLS without STARTTLS', wrapper.source);
  const { value, source } = level;
  if (value === 'none') return known('never', source);
  return known(value === 'may' || value === 'dane' ? 'opportunistic' : 'required', source);
}

interface CertificateSources {
  readonly settings: PostfixParameters;
  readonly level: Fact<SecurityLevel>;
  readonly entry: TlsPolicyEntry | undefined;
  readonly source: SettingSource;
  readonly nextHop: string;
}

function certificateOf(sources: CertificateSources): Fact<RequiredCertificate> {
  const { settings, level, entry, source } = sources;
  if (!level.known) return level;
  switch (level.value) {
    case 'fingerprint':
      return known({ kind: 'pinned' }, source);
    case 'verify':
    case 'secure': {
      const setting = `smtp_tls_${level.value}_cert_match`;
      const match = entry?.match ? known(entry.match.join(':'), source) : settings.value(setting);
      if (!match.known) return match;
      const names = match.value.split(/[\s,:]+/).filter((name) => name !== '');
      return known(
        { kind: 'ca', names: names.map(acceptedNames), onFailure: 'defer' },
        match.source,
      );
    }
    default:
      return known({ kind: 'nothing' }, source);
  }
}

/** Returns the keywords of `smtp_tls_secure_cert_match`. */
function acceptedNames(word: string): AcceptedNames {
  switch (word.toLowerCase()) {
    case 'hostname':
      return { kind: 'mx-host' };
    case 'nexthop':
      return { kind: 'domain', below: false };
    case 'dot-nexthop':
      return { kind: 'domain', below: true };
    default:
      return { kind: 'listed', names: [word.toLowerCase()] };
  }
}

/** Returns the conditions without which Postfix turns dane into may (`dane_init`). */
function daneOf(settings: PostfixParameters, level: Fact<SecurityLevel>): Fact<DaneUse> {
  if (!level.known) return level;
  if (level.value !== 'dane' && level.value !== 'dane-only')
    return known({ use: 'no' }, level.source);
  const hindrance = hindranceOf(settings);
  if (hindrance !== undefined)
    return hindrance.known ? known({ use: 'no' }, hindrance.source) : hindrance;
  const insecureMx = insecureMxOf(settings);
  if (!insecureMx.known) return insecureMx;
  if (level.value === 'dane-only')
    return known(
      { use: 'mandatory', insecureMx: 'ignore', unusable: 'defer', missing: 'defer' },
      level.source,
    );
  return known(
    { use: 'opportunistic', insecureMx: insecureMx.value, unusable: 'encrypt' },
    level.source,
  );
}

/**
 * Returns whether the policy server names the level dane for domains with TLSA records.
 */
function answersDane(mtaSts: Fact<StsUse>): boolean {
  return mtaSts.known && mtaSts.value.use === 'enforce' && mtaSts.value.withDane === 'dane-alone';
}

/**
 * Returns the use of DANE if the table answers level dane: Postfix validates by its own
 * settings.
 */
function daneByServer(settings: PostfixParameters): Fact<DaneUse> {
  const source = settings.source('smtp_tls_policy_maps');
  const hindrance = hindranceOf(settings);
  if (hindrance?.known)
    return unknown(
      'the table answers dane, but the settings of Postfix prevent DANE',
      hindrance.source,
    );
  if (hindrance !== undefined) return hindrance;
  return daneOf(settings, known('dane', source));
}

/**
 * Returns the first setting that prevents DANE; undefined if no setting prevents DANE.
 */
function hindranceOf(settings: PostfixParameters): Fact<true> | undefined {
  const support = settings.value('smtp_dns_support_level');
  if (!support.known) return support;
  if (support.value.trim().toLowerCase() !== 'dnssec') return known(true, support.source);
  const lookup = settings.value('smtp_host_lookup');
  if (!lookup.known) return lookup;
  if (!/\bdns\b/i.test(lookup.value)) return known(true, lookup.source);
  const ignored = readYes(settings.value('ignore_mx_lookup_error'));
  if (!ignored.known) return ignored;
  if (ignored.value) return known(true, ignored.source);
  const options = settings.value('smtp_dns_resolver_options');
  if (!options.known) return options;
  return /res_defnames|res_dnsrch/.test(options.value) ? known(true, options.source) : undefined;
}

/**
 * Returns the use of DANE after an unsigned MX answer. From 3.6 the default follows
 * smtp_tls_security_level, not the level of a policy entry.
 */
function insecureMxOf(settings: PostfixParameters): Fact<'ignore' | 'encrypt' | 'dane'> {
  const written = settings.value('smtp_tls_dane_insecure_mx_policy');
  if (!written.known) return written;
  const word = written.value.trim().toLowerCase();
  if (word === '') {
    const main = settings.isSet('smtp_tls_security_level')
      ? settings.value('smtp_tls_security_level')
      : known('', written.source);
    if (!main.known) return main;
    return known(main.value.trim().toLowerCase() === 'dane' ? 'dane' : 'ignore', written.source);
  }
  if (word === 'dane' || word === 'encrypt') return known(word, written.source);
  if (word === 'may') return known('ignore', written.source);
  return unknown(`smtp_tls_dane_insecure_mx_policy = ${word} is not known`, written.source);
}

function versionsOf(
  settings: PostfixParameters,
  setting: string,
  entry: TlsPolicyEntry | undefined,
  source: SettingSource,
): Fact<readonly TlsVersionName[]> {
  const written =
    entry?.protocols === undefined ? settings.value(setting) : known(entry.protocols, source);
  if (!written.known) return written;
  const versions = parseProtocols(written.value);
  if (versions !== undefined) return known(versions, written.source);
  return unknown(`the prediction does not evaluate ${setting} = ${written.value}`, written.source);
}

/**
 * Returns the CAs of CAfile, CApath and the system, or the trust anchors that replace the
 * CAs.
 */
function rootsOf(
  settings: PostfixParameters,
  entry: TlsPolicyEntry | undefined,
): TlsRules['roots'] {
  for (const name of ['smtp_tls_trust_anchor_file', 'smtp_tls_CAfile', 'smtp_tls_CApath']) {
    const path = settings.value(name);
    if (!path.known) return path;
    if (path.value !== '') return known('some', path.source);
  }
  const appended = readYes(settings.value('tls_append_default_CA'));
  if (!appended.known) return appended;
  if (entry?.tafile || appended.value) return known('some', appended.source);
  return known('none', settings.source('smtp_tls_CAfile'));
}

function serverNameOf(
  settings: PostfixParameters,
  entry: TlsPolicyEntry | undefined,
  source: SettingSource,
): TlsRules['serverName'] {
  const name =
    entry?.servername === undefined
      ? settings.value('smtp_tls_servername')
      : known(entry.servername, source);
  if (!name.known) return name;
  const word = name.value.trim().toLowerCase();
  if (word === '') return known('none', name.source);
  return known(word === 'hostname' ? 'mx-host' : 'other', name.source);
}

/**
 * Returns the abilities that Postfix and its library decide together. A lower bound such
 * as `>=TLSv1` overrides MinProtocol of openssl.cnf; exclusions do not. Postfix sets the
 * security level of OpenSSL: 1 if it authenticates the server, else 0 (tls_client.c).
 * Without ML-KEM in its list of groups the ClientHello is small.
 */
function libraryOf(
  settings: PostfixParameters,
  entry: TlsPolicyEntry | undefined,
  library: TlsLibrary | undefined,
): TlsRules['library'] {
  const source = settings.source('smtp_tls_protocols');
  const isBounded = ['smtp_tls_protocols', 'smtp_tls_mandatory_protocols'].every((name) => {
    const value = settings.value(name);
    if (!settings.isSet(name)) return settings.isVersionAtLeast(3, 6);
    return value.known && value.value.trim().startsWith('>=');
  });
  const groups = settings.value('tls_eecdh_auto_curves');
  const isListed = settings.isSet('tls_eecdh_auto_curves')
    ? groups.known && groups.value.trim() !== '' && !/mlkem|kyber/i.test(groups.value)
    : settings.isVersionAtLeast(3, 2) && !settings.isVersionAtLeast(3, 11);
  const isOpen = groups.known && /mlkem|kyber/i.test(groups.value);
  const byGroups = isOpen ? undefined : library;
  return {
    oldVersions: isBounded
      ? known(true, source)
      : oldVersionsOf(library, { level: 0, isBounded }, source),
    oldVersionsVerified: oldVersionsOf(library, { level: 1, isBounded }, source),
    oldSuites: oldSuitesByGrade(settings, entry, library),
    smallHello: isListed ? known(true, groups.source) : smallHelloOf(byGroups, groups.source),
    hybridGroup: isListed ? known(false, groups.source) : hybridGroupOf(byGroups, groups.source),
  };
}

/** Exclusions that leave AES with static RSA and SHA-1 in the list of suites. */
const HARMLESS =
  /^(aNULL|eNULL|NULL|ADH|AECDH|EXP|EXPORT|LOW|DES|3DES|RC2|RC4|IDEA|SEED|MD5|PSK|SRP|DSS|aDSS|CAMELLIA|ARIA|CHACHA20|kDH\w?|DH|DHE|EDH|kEDH|kECDH\w?|aECDH|aDH)$/;

/**
 * Returns whether suites with static RSA remain. Every cipher grade of Postfix but `null`
 * has AES with static RSA (postconf(5), tls_high_cipherlist). The reader does not
 * evaluate custom lists and other exclusions.
 */
function oldSuitesByGrade(
  settings: PostfixParameters,
  entry: TlsPolicyEntry | undefined,
  library: TlsLibrary | undefined,
): Fact<boolean> {
  const lists = ['tls_high_cipherlist', 'tls_medium_cipherlist'];
  const own = lists.find((name) => settings.isSet(name));
  if (own !== undefined)
    return unknown(`the prediction does not evaluate ${own}`, settings.source(own));
  const grades = ['smtp_tls_ciphers', 'smtp_tls_mandatory_ciphers'];
  const exclusions = ['smtp_tls_exclude_ciphers', 'smtp_tls_mandatory_exclude_ciphers'];
  for (const name of [...grades, ...exclusions]) {
    const value = settings.value(name);
    if (!value.known) return value;
    const words = value.value.split(/[\s,:]+/).filter((word) => word !== '');
    const isPlain = grades.includes(name)
      ? words.every((word) => /^(export|low|medium|high)$/i.test(word))
      : words.every((word) => HARMLESS.test(word));
    if (!isPlain)
      return unknown(`the prediction does not evaluate ${name} = ${value.value}`, value.source);
  }
  if (entry?.suites !== undefined)
    return unknown(
      `the prediction does not evaluate ${entry.suites}`,
      settings.source('smtp_tls_policy_maps'),
    );
  return oldSuitesOf(library, { level: 1 }, settings.source('smtp_tls_ciphers'));
}

import {
  known,
  openLibrary,
  unknown,
  type Fact,
  type SettingSource,
  type TlsRules,
  type TlsVersionName,
} from './sender-model.js';

/**
 * The TLS library of a sender, as programs of its machine print it. A fact that the text
 * does not show is undefined, and leads to `cannot-tell`.
 */
export interface TlsLibrary {
  readonly name: 'OpenSSL' | 'LibreSSL' | 'GnuTLS';
  readonly version: string;
  /** Security level of OpenSSL for programs that set none (SSL_CTX_set_security_level(3)). */
  readonly securityLevel: number | undefined;
  /** MinProtocol of openssl.cnf; `none` if the file sets no minimum. */
  readonly minimum: TlsVersionName | 'none' | undefined;
  /** Groups or Curves of openssl.cnf; empty if the file sets none. */
  readonly groups: string | undefined;
  readonly source: SettingSource;
}

/** Maximum octets of the text that the parser reads. */
const MAX_TEXT = 1_000_000;

/**
 * Splits the output of several programs into the configuration of the mail server and the
 * description of its TLS library, which begins with the line of a version:
 * `postconf -T run-version` or `openssl version -a`, then openssl.cnf.
 */
export function splitTlsLibrary(text: string): {
  readonly text: string;
  readonly tlsLibrary: string;
} {
  const at = text.search(/^(?:OpenSSL|LibreSSL) \d/m);
  return at < 0
    ? { text, tlsLibrary: '' }
    : { text: text.slice(0, at), tlsLibrary: text.slice(at) };
}

/**
 * Parses the version lines of OpenSSL, LibreSSL and `exim -bV`, the build options of
 * `openssl version -a`, and openssl.cnf. Undefined without a version. Pure.
 */
export function parseTlsLibrary(text: string): TlsLibrary | undefined {
  const read = text.slice(0, MAX_TEXT);
  const exim =
    /Library version: (GnuTLS|OpenSSL): Compile: [^\n]*\n\s*Runtime: (?:OpenSSL )?(\d+\.\d+\.\d+)/.exec(
      read,
    );
  const printed = [...read.matchAll(/^(OpenSSL|LibreSSL) (\d+\.\d+\.\d+)/gm)];
  const [, name, version] = exim ?? printed[0] ?? [];
  if (name === undefined || version === undefined) return undefined;
  const source = { setting: 'TLS library', line: `the TLS library ${name} ${version}` };
  const openssl = printed.find(([, , other]) => other === version);
  const base = { name: name as TlsLibrary['name'], version, source };
  // Build options and a configuration of another library prove nothing about this
  // library.
  if (name !== 'OpenSSL' || (printed.length > 0 && openssl === undefined))
    return { ...base, securityLevel: undefined, minimum: undefined, groups: undefined };
  return { ...base, ...opensslFacts(read) };
}

type OpensslFacts = Pick<TlsLibrary, 'securityLevel' | 'minimum' | 'groups'>;

function opensslFacts(text: string): OpensslFacts {
  const built = /-DOPENSSL_TLS_SECURITY_LEVEL=([0-5])/.exec(text)?.[1];
  const compiled = built === undefined ? undefined : Number(built);
  const defaults = systemDefaults(text);
  if (defaults === undefined)
    return { securityLevel: undefined, minimum: undefined, groups: undefined };
  const level = /@SECLEVEL=([0-5])/.exec(defaults.get('cipherstring') ?? '')?.[1];
  const minimum = defaults.get('minprotocol');
  return {
    securityLevel: level === undefined ? compiled : Number(level),
    minimum: minimum === undefined ? 'none' : versionNamed(minimum),
    groups: defaults.get('groups') ?? defaults.get('curves') ?? '',
  };
}

function versionNamed(word: string): TlsLibrary['minimum'] {
  switch (word.toLowerCase()) {
    case 'none':
    case 'sslv3':
      return 'none';
    case 'tlsv1':
    case 'tlsv1.0':
      return 'TLSv1';
    case 'tlsv1.1':
      return 'TLSv1.1';
    case 'tlsv1.2':
      return 'TLSv1.2';
    case 'tlsv1.3':
      return 'TLSv1.3';
    default:
      return undefined;
  }
}

/**
 * Returns the section of openssl.cnf that applies to every program (config(5), "SSL
 * Configuration"): openssl_conf, then ssl_conf, then system_default. Undefined without a
 * file, or if the file includes another file.
 */
function systemDefaults(text: string): ReadonlyMap<string, string> | undefined {
  const sections = new Map<string, Map<string, string>>();
  let current = new Map<string, string>();
  sections.set('', current);
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*/, '').trim();
    if (/^\.include\b/.test(line)) return undefined;
    const head = /^\[\s*([^\]]*?)\s*\]$/.exec(line)?.[1];
    if (head !== undefined) {
      current = sections.get(head) ?? new Map<string, string>();
      sections.set(head, current);
      continue;
    }
    const [, name = '', value = ''] = /^([\w.]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name !== '') current.set(name.toLowerCase(), value.trim());
  }
  if (sections.size === 1) return undefined;
  let section = sections.get('');
  for (const name of ['openssl_conf', 'ssl_conf', 'system_default']) {
    const next = section?.get(name);
    if (next === undefined) return new Map();
    section = sections.get(next);
  }
  return section ?? new Map();
}

/** The use of a library by one program. */
export interface LibraryUse {
  /** The security level that the program sets; undefined: the level of the library. */
  readonly level?: number | undefined;
  /** The program sets a lowest version, which overrides openssl.cnf. */
  readonly isBounded?: boolean | undefined;
}

/**
 * Returns whether handshakes with TLS 1.0 and 1.1 succeed, if the program enables these
 * versions.
 */
export function oldVersionsOf(
  library: TlsLibrary | undefined,
  { level = library?.securityLevel, isBounded = false }: LibraryUse,
  fallback: SettingSource,
): Fact<boolean> {
  if (library === undefined) return openLibrary(fallback).oldVersions;
  const { source, name } = library;
  // Priority NORMAL of GnuTLS enables every version of TLS.
  if (name === 'GnuTLS') return isGnuTlsKnown(library) ? known(true, source) : open(library);
  if (name === 'LibreSSL') return open(library);
  const { minimum } = library;
  if (!isBounded && minimum !== undefined && minimum !== 'none' && minimum !== 'TLSv1')
    return known(false, { ...source, line: `${source.line}: MinProtocol = ${minimum}` });
  // "TLS 1.0 and TLS 1.1 no longer work at security level 1" (OpenSSL 3.0, CHANGES).
  if (isAtLeast(library, 3, 0) && level !== undefined && level > 0)
    return known(false, { ...source, line: `${source.line} at security level ${level}` });
  if (!isBounded && minimum === undefined)
    return unknown('the result depends on openssl.cnf of the sender', source);
  if (level === undefined || (level > 1 && !isAtLeast(library, 3, 0)))
    return unknown('the result depends on the security level of OpenSSL', source);
  return known(true, source);
}

/**
 * Returns whether the library offers suites with static RSA and CBC, if the program does
 * not exclude them.
 */
export function oldSuitesOf(
  library: TlsLibrary | undefined,
  { level = library?.securityLevel }: LibraryUse,
  fallback: SettingSource,
): Fact<boolean> {
  if (library === undefined) return openLibrary(fallback).oldSuites;
  const { source, name } = library;
  if (name === 'GnuTLS') return isGnuTlsKnown(library) ? known(true, source) : open(library);
  if (name === 'LibreSSL' || isAtLeast(library, 4, 0)) return open(library);
  if (level === undefined)
    return unknown('the result depends on the security level of OpenSSL', source);
  // Level 3 requires forward secrecy (SSL_CTX_set_security_level(3)).
  return known(level < 3, { ...source, line: `${source.line} at security level ${level}` });
}

/**
 * Returns whether the ClientHello has no key share of ML-KEM, and so fits into one
 * packet. OpenSSL sends the share by default from 3.5 on; GnuTLS has the group and does
 * not enable it.
 */
export function smallHelloOf(
  library: TlsLibrary | undefined,
  fallback: SettingSource,
): Fact<boolean> {
  if (library === undefined) return openLibrary(fallback).smallHello;
  const { source, name, groups } = library;
  if (name === 'GnuTLS') return isGnuTlsKnown(library) ? known(true, source) : open(library);
  if (name === 'LibreSSL') return open(library);
  if (!isAtLeast(library, 3, 5)) return known(true, source);
  if (groups === undefined)
    return unknown('the result depends on openssl.cnf of the sender', source);
  if (groups === '') return known(false, source);
  return /mlkem|kyber/i.test(groups)
    ? unknown(`the prediction does not evaluate Groups = ${groups}`, source)
    : known(true, { ...source, line: `Groups = ${groups}` });
}

/** Returns every ability of a library that a program uses without settings of its own. */
export function defaultAbilities(
  library: TlsLibrary | undefined,
  fallback: SettingSource,
): TlsRules['library'] {
  const oldVersions = oldVersionsOf(library, {}, fallback);
  return {
    oldVersions,
    oldVersionsVerified: oldVersions,
    oldSuites: oldSuitesOf(library, {}, fallback),
    smallHello: smallHelloOf(library, fallback),
    hybridGroup: hybridGroupOf(library, fallback),
  };
}

/** Returns whether the ClientHello offers X25519MLKEM768 (RFC 10024). */
export function hybridGroupOf(
  library: TlsLibrary | undefined,
  fallback: SettingSource,
): Fact<boolean> {
  const small = smallHelloOf(library, fallback);
  return small.known ? known(!small.value, small.source) : small;
}

/**
 * Returns whether the version is GnuTLS 3.6 to 3.8: priority NORMAL has TLS 1.0, static
 * RSA and no hybrid group.
 */
function isGnuTlsKnown(library: TlsLibrary): boolean {
  return isAtLeast(library, 3, 6) && !isAtLeast(library, 3, 9);
}

function isAtLeast({ version }: TlsLibrary, major: number, minor: number): boolean {
  const [first = 0, second = 0] = version.split('.').map(Number);
  return first > major || (first === major && second >= minor);
}

function open({ source, name, version }: TlsLibrary): Fact<never> {
  return unknown(`this program does not know the defaults of ${name} ${version}`, source);
}

import { enclosed, splitOutsideBraces } from './braces.js';

/** TLS security levels of Postfix (postconf(5), smtp_tls_security_level). */
export const securityLevels = [
  'none',
  'may',
  'encrypt',
  'dane',
  'dane-only',
  'fingerprint',
  'verify',
  'secure',
] as const;
export type SecurityLevel = (typeof securityLevels)[number];

/** Returns the level of a word; letter case does not matter. */
export function parseLevel(word: string): SecurityLevel | undefined {
  return securityLevels.find((level) => level === word.toLowerCase());
}

/** An entry of `smtp_tls_policy_maps`. */
export interface TlsPolicyEntry {
  readonly level: SecurityLevel;
  /** Names or fingerprints of the attributes `match`. */
  readonly match?: readonly string[] | undefined;
  readonly protocols?: string | undefined;
  readonly servername?: string | undefined;
  /** The attribute `ciphers` or `exclude`, which changes the suites. */
  readonly suites?: string | undefined;
  /** A trust anchor of its own replaces the CAs of main.cf. */
  readonly tafile?: boolean;
}

/** An entry, or the fault for which Postfix defers the mail with "configuration problem". */
export type ParsedTlsPolicy =
  | { readonly ok: true; readonly entry: TlsPolicyEntry }
  | { readonly ok: false; readonly fault: string };

/** Attributes with one value; the others may be repeated. */
const single = ['ciphers', 'protocols', 'servername', 'exclude'];
/** Attributes without an effect on a prediction. */
const other = [
  'ciphers',
  'exclude',
  'connection_reuse',
  'enable_rpk',
  'policy_ttl',
  'policy_type',
  'policy_domain',
  'policy_string',
  'mx_host_pattern',
  'policy_failure',
];

/**
 * Parses the right-hand side of a policy entry (postconf(5), smtp_tls_policy_maps): the
 * level, then `name=value` or `{ name = value }`. Any fault makes Postfix defer the mail.
 */
export function parseTlsPolicy(text: string): ParsedTlsPolicy {
  const [word, ...attributes] = splitOutsideBraces(text);
  if (word === undefined) return fault('the entry is empty');
  const level = parseLevel(word);
  if (level === undefined) return fault(`${word} is not a security level`);
  if (level === 'none') return { ok: true, entry: { level } };
  const seen = new Map<string, string[]>();
  for (const attribute of attributes) {
    const pair = attribute.startsWith('{') ? enclosed(attribute) : attribute;
    const [, written = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/s.exec(pair ?? '') ?? [];
    const name = written.toLowerCase();
    const wrong = faultOf(level, name, value, seen);
    if (wrong !== undefined) return fault(wrong === '' ? `${attribute} is not name=value` : wrong);
    seen.set(name, [...(seen.get(name) ?? []), value]);
  }
  return { ok: true, entry: entryOf(level, seen) };
}

function fault(text: string): ParsedTlsPolicy {
  return { ok: false, fault: text };
}

/** Returns the fault of one attribute; an empty text if it is not an attribute at all. */
function faultOf(
  level: SecurityLevel,
  name: string,
  value: string,
  seen: ReadonlyMap<string, unknown>,
): string | undefined {
  if (name === '') return '';
  if (single.includes(name) && seen.has(name)) return `${name} is set twice`;
  if (name === 'match') {
    if (value === '') return 'match is empty';
    return ['fingerprint', 'verify', 'secure'].includes(level)
      ? undefined
      : `match is not allowed with ${level}`;
  }
  if (name === 'tafile') {
    if (value === '') return 'tafile is empty';
    return level === 'verify' || level === 'secure'
      ? undefined
      : `tafile is not allowed with ${level}`;
  }
  if (name === 'servername' && !/^[A-Za-z0-9_.-]+$/.test(value))
    return `servername ${value} is not a host name`;
  if (name === 'protocols' || name === 'servername' || other.includes(name)) return undefined;
  return `${name} is not an attribute`;
}

function entryOf(
  level: SecurityLevel,
  seen: ReadonlyMap<string, readonly string[]>,
): TlsPolicyEntry {
  const separator = level === 'fingerprint' ? '|' : ':';
  const match = seen.get('match')?.flatMap((value) => value.split(separator));
  return {
    level,
    match,
    protocols: seen.get('protocols')?.[0],
    servername: seen.get('servername')?.[0],
    suites: ['ciphers', 'exclude'].find((name) => seen.has(name)),
    tafile: seen.has('tafile'),
  };
}

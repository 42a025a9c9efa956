import { assumedRoots, resolverFact, type ResolverState } from '../assumptions.js';
import {
  known,
  ascendingTlsVersions,
  unknown,
  type DestinationRules,
  type Fact,
  type SenderModel,
  type SettingSource,
  type TlsRules,
  type TlsVersionName,
} from '../sender-model.js';
import { defaultAbilities, parseTlsLibrary, type TlsLibrary } from '../tls-library.js';
import { parseSmtpdConf, type ParsedSmtpdConf, type SmtpdLine } from './parse-smtpd-conf.js';

/** Input of {@link readOpenSmtpd}. */
export interface OpenSmtpdInput {
  /** smtpd.conf. */
  readonly text: string;
  readonly domain: string;
  readonly version?: string | undefined;
  readonly resolver?: ResolverState | undefined;
  /** Output of `openssl version -a`, then openssl.cnf. */
  readonly tlsLibrary?: string | undefined;
}

/** An action that relays mail, as its options describe it. */
interface Relay {
  readonly source: SettingSource;
  readonly host: string | undefined;
  readonly tls: 'opportunistic' | 'required' | 'never' | 'smtps';
  readonly verify: boolean;
  readonly protocols: string | undefined;
  readonly ciphers: string | undefined;
  /** The reason why the route or TLS is not known. */
  readonly open: string | undefined;
}

/**
 * Reads smtpd.conf as rules for sending. Pure. OpenSMTPD supports neither DANE nor
 * MTA-STS, and falls back to plaintext at once (mta_session.c, MTA_DOWNGRADE_PLAIN).
 */
export function readOpenSmtpd(input: OpenSmtpdInput): SenderModel {
  const conf = parseSmtpdConf(input.text);
  const relays = relaysOf(conf);
  const chosen = chooseRelay(conf, relays, input.domain);
  const library = parseTlsLibrary(input.tlsLibrary ?? '');
  const build = { version: input.version, library };
  const rules = rulesOf(chosen, build);
  const resolver = resolverFact(input.resolver, rules);
  const none: SettingSource = {
    setting: 'OpenSMTPD',
    line: 'OpenSMTPD does not support this feature',
  };
  return {
    program: 'opensmtpd',
    version: input.version,
    domain: input.domain,
    rules,
    fallback: known({ refused: 'plaintext', handshake: 'plaintext' }, chosen.source),
    smartHost: smartHostOf(chosen),
    fallbackRelay: known(undefined, none),
    families: familiesOf(conf),
    requireTls: known('no', none),
    tlsReports: known('no', none),
    resolver: resolver.fact,
    destinations: destinationsOf(conf, relays, build),
    assumptions: [...openMatches(conf), ...assumedRoots(rules), ...resolver.assumptions],
    warnings: conf.missing.map(
      (what) => `The input does not contain ${what}, so the prediction ignores it.`,
    ),
  };
}

/**
 * Returns the address families, which `mta limit inet4` or `inet6` restricts; otherwise
 * both.
 */
function familiesOf({ lines }: ParsedSmtpdConf): SenderModel['families'] {
  // Versions before 6.4 used the reverse word order.
  const limits = lines.filter(({ words: [first, second] }) =>
    ['mta limit', 'limit mta'].includes(`${first?.text} ${second?.text}`),
  );
  const found = limits.filter(({ words }) => words.some(({ text }) => /^inet[46]$/.test(text)));
  const [first, ...others] = found;
  if (first === undefined)
    return known('both', { setting: 'mta limit', line: 'no mta limit', byDefault: true });
  const source = { setting: 'mta limit', line: first.text };
  const words = first.words.map(({ text }) => text);
  if (others.length > 0 || words.includes('for'))
    return unknown('the prediction does not evaluate limits by domain', source);
  return known(words.includes('inet4') ? 'ipv4' : 'ipv6', source);
}

/** Returns the relay of every line `action NAME relay ...`, by name. */
function relaysOf({ lines }: ParsedSmtpdConf): ReadonlyMap<string, Relay> {
  const relays = new Map<string, Relay>();
  for (const line of lines) {
    const [directive, name, method] = line.words;
    if (directive?.text !== 'action' || method?.text !== 'relay' || name === undefined) continue;
    relays.set(name.text, parseRelay(line));
  }
  return relays;
}

/** Options with one argument that do not change TLS or the route. */
const plainOptions = [
  'helo',
  'helo-src',
  'pki',
  'mail-from',
  'src',
  'auth',
  'ttl',
  'user',
  'filter',
];

function parseRelay(line: SmtpdLine): Relay {
  let [host, protocols, ciphers, open]: (string | undefined)[] = [];
  let [tls, verify]: [Relay['tls'], boolean] = ['opportunistic', true];
  const words = line.words.slice(3);
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]?.text ?? '';
    const argument = words[index + 1]?.text;
    if (word === 'tls') {
      tls = 'required';
      if (argument === 'no-verify') [verify, index] = [false, index + 1];
    } else if (word === 'host') [host, index] = [argument, index + 1];
    else if (word === 'protocols') [protocols, index] = [argument, index + 1];
    else if (word === 'ciphers') [ciphers, index] = [argument, index + 1];
    else if (word === 'ca' || plainOptions.includes(word)) index += 1;
    else if (word !== 'srs') open ??= `the prediction does not evaluate the option ${word}`;
  }
  const scheme = /^([a-z+]+):\/\//.exec(host ?? '')?.[1];
  if (scheme === 'smtp+tls') tls = 'required';
  else if (scheme === 'smtp+notls') tls = 'never';
  else if (scheme === 'smtps') tls = 'smtps';
  else if (scheme !== undefined && scheme !== 'smtp')
    open ??= `the prediction does not evaluate ${scheme}://`;
  const source = { setting: 'action', line: line.text };
  return { source, host, tls, verify, protocols, ciphers, open };
}

/** The domains of a directive; `*` in a name stands for any text. */
interface NamedDomains {
  readonly names: readonly string[];
  readonly isNegated: boolean;
}

/** A directive `match`: the domains that it applies to, and its action. */
interface Match {
  readonly line: SmtpdLine;
  /** Undefined if the directive rejects the mail. */
  readonly action: string | undefined;
  /** The conditions of the directive besides the domain, such as `auth from any`. */
  readonly sources: string;
  /** `any` for other domains, `other` if they are not evaluated. */
  readonly domains: 'any' | 'local' | 'other' | NamedDomains;
}

function matchesOf(conf: ParsedSmtpdConf): readonly Match[] {
  const tables = tablesOf(conf);
  return conf.lines.flatMap((line) => {
    if (line.words[0]?.text !== 'match') return [];
    const texts = line.words.map(({ text }) => text);
    const isReject = texts.at(-1) === 'reject';
    const at = isReject ? texts.length - 1 : texts.lastIndexOf('action');
    if (at < 0) return [];
    const { domains, before, after } = domainsOf(texts.slice(1, at), tables);
    // Local mail is the default.
    const sources = [...before, ...after]
      .join(' ')
      .replace(/\bfrom local\b/, '')
      .trim();
    return [{ line, action: isReject ? undefined : texts[at + 1], domains, sources }];
  });
}

/** Returns the names of each `table NAME { ... }`, by `<NAME>`. */
function tablesOf({ lines }: ParsedSmtpdConf): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, readonly string[]>();
  for (const { words } of lines) {
    const [directive, name = '', ...rest] = words.map(({ text }) => text);
    const list = directive === 'table' ? listIn(rest) : undefined;
    if (list !== undefined && !list.names.includes('=')) tables.set(`<${name}>`, list.names);
  }
  return tables;
}

/**
 * Returns the names of a list in braces at the start of words, and the number of its
 * words.
 */
function listIn(
  words: readonly string[],
): { readonly names: readonly string[]; readonly length: number } | undefined {
  const end = words.indexOf('}');
  if (words[0] !== '{' || end < 0) return undefined;
  const names = words.slice(1, end).filter((word) => word !== ',');
  return { names: names.map((name) => name.toLowerCase()), length: end + 1 };
}

/** The domains of a directive, and the words of its other conditions. */
interface MatchedDomains {
  readonly domains: Match['domains'];
  readonly before: readonly string[];
  readonly after: readonly string[];
}

function domainsOf(
  words: readonly string[],
  tables: ReadonlyMap<string, readonly string[]>,
): MatchedDomains {
  const at = words.indexOf('for');
  if (at < 0) return { domains: 'local', before: words, after: [] };
  const isNegated = words[at - 1] === '!';
  const before = words.slice(0, isNegated ? at - 1 : at);
  const until = (length: number, domains: Match['domains']): MatchedDomains => ({
    domains,
    before,
    after: words.slice(at + 1 + length),
  });
  const rest = words.slice(at + 1);
  // smtpd.conf(5) puts the negation before "for", and also accepts it after "for".
  const inner = rest[0] === '!' ? 1 : 0;
  const [kind, name = ''] = rest.slice(inner);
  const not = isNegated !== (inner === 1);
  if (kind === 'any' || kind === 'local') return until(inner + 1, not ? 'other' : kind);
  const list = listIn(rest.slice(inner + 1));
  const names = list?.names ?? (name.startsWith('<') ? tables.get(name) : [name.toLowerCase()]);
  const length = inner + 1 + (list?.length ?? 1);
  if (kind !== 'domain' || name === 'regex' || names === undefined || name.startsWith('$'))
    return until(length, 'other');
  return until(length, { names, isNegated: not });
}

/** Returns the directives with unknown domains, which may match the mail. */
function openMatches(conf: ParsedSmtpdConf): readonly string[] {
  return matchesOf(conf)
    .filter(({ domains }) => domains === 'other')
    .map(({ line }) => `"${line.text}" does not handle the mail.`);
}

/**
 * Returns the relay of mail to the domain: the first directive that names the domain, or
 * earlier directives for any domain. If several actions relay the mail, depending on the
 * source of the mail, the relay is unknown.
 */
function chooseRelay(
  conf: ParsedSmtpdConf,
  relays: ReadonlyMap<string, Relay>,
  domain: string,
): Relay {
  const matches = deciding(matchesOf(conf), domain);
  const names = [...new Set(matches.flatMap(({ action }) => action ?? []))];
  const found = names.flatMap((name) => relays.get(name) ?? []);
  const [first, ...others] = found;
  const open = (reason: string, source: SettingSource): Relay => ({
    source,
    host: undefined,
    tls: 'opportunistic',
    verify: false,
    protocols: undefined,
    ciphers: undefined,
    open: reason,
  });
  if (conf.missing.length > 0)
    return open(`${conf.missing.join(', ')} is not part of the input`, {
      setting: 'include',
      line: conf.missing[0] ?? '',
    });
  if (first === undefined)
    return open(`no action relays mail to ${domain}`, {
      setting: 'match',
      line: matches[0]?.line.text ?? 'no match rule for other domains',
    });
  if (others.some((other) => !isSame(other, first)))
    return open('the action depends on the source of a message', {
      setting: 'match',
      line: `actions ${names.join(', ')}`,
    });
  return first;
}

function takes(domains: Match['domains'], domain: string): boolean {
  if (typeof domains === 'string') return domains === 'any';
  return domains.names.some((name) => isPatternOf(name, domain)) !== domains.isNegated;
}

/** Returns whether a domain matches a name in which `*` stands for any text. */
function isPatternOf(name: string, domain: string): boolean {
  const [first = '', ...parts] = name.split('*');
  if (parts.length === 0) return first === domain;
  const last = parts.pop() ?? '';
  if (!domain.startsWith(first) || domain.length < first.length + last.length) return false;
  let rest = domain.slice(first.length, domain.length - last.length);
  for (const part of parts) {
    const at = rest.indexOf(part);
    if (at < 0) return false;
    rest = rest.slice(at + part.length);
  }
  return domain.endsWith(last);
}

/**
 * Returns the first directive of each source of mail; the directive for every source ends
 * the search.
 */
function deciding(all: readonly Match[], domain: string): readonly Match[] {
  const found = new Map<string, Match>();
  for (const match of all) {
    if (!takes(match.domains, domain) || found.has(match.sources)) continue;
    found.set(match.sources, match);
    if (match.sources === 'from any') break;
  }
  return [...found.values()];
}

function isSame(left: Relay, right: Relay): boolean {
  return (['host', 'tls', 'verify', 'protocols', 'ciphers', 'open'] as const).every(
    (key) => left[key] === right[key],
  );
}

function smartHostOf({ host, open, source }: Relay): SenderModel['smartHost'] {
  if (open !== undefined) return unknown(open, source);
  return known(host, source);
}

/** The program and its TLS library. */
interface Build {
  readonly version: string | undefined;
  readonly library: TlsLibrary | undefined;
}

function rulesOf(relay: Relay, build: Build): TlsRules {
  const { version } = build;
  const { source, tls, verify, open } = relay;
  const none: SettingSource = {
    setting: 'OpenSMTPD',
    line: 'OpenSMTPD does not support this feature',
  };
  const versions = versionsOf(relay);
  return {
    tls: tlsOf(relay),
    certificate:
      tls === 'required' && verify
        ? known({ kind: 'ca', names: [{ kind: 'mx-host' }], onFailure: 'defer' }, source)
        : known({ kind: 'nothing' }, source),
    dane: known({ use: 'no' }, none),
    mtaSts: known({ use: 'no' }, none),
    versions,
    requiredVersions: versions,
    library: libraryOf(relay, build),
    roots: known('some', { ...source, line: open ?? 'the CAs of the system' }),
    serverName: serverNameBy(version, source),
  };
}

/**
 * Returns the name that the sender sends in SNI: libtls names the host from version 7.0
 * on; earlier versions send no SNI.
 */
function serverNameBy(version: string | undefined, source: SettingSource): TlsRules['serverName'] {
  const major = /^\d{1,3}/.exec(version ?? '')?.[0];
  if (major === undefined)
    return unknown('SNI depends on the version: state it with --server-version', source);
  return known(Number(major) >= 7 ? 'mx-host' : 'none', source);
}

/**
 * Returns the abilities of the TLS library. Before 7.0 the default suites are
 * `HIGH:!aNULL:!MD5`; the suites of later versions and of the option `ciphers` are
 * unknown.
 */
function libraryOf({ ciphers, source }: Relay, { version, library }: Build): TlsRules['library'] {
  const abilities = defaultAbilities(library, source);
  const isOld = /^[56]\./.test(version ?? '');
  if (ciphers === undefined && isOld) return abilities;
  const reason = `the suites of ${ciphers ?? 'this version of OpenSMTPD'} are not known`;
  return { ...abilities, oldSuites: unknown(reason, source) };
}

function tlsOf({ tls, open, source }: Relay): TlsRules['tls'] {
  if (open !== undefined) return unknown(open, source);
  if (tls === 'smtps') return unknown('smtps speaks TLS without STARTTLS', source);
  return known(tls, source);
}

function versionsOf({ protocols, source }: Relay): Fact<readonly TlsVersionName[]> {
  if (protocols === undefined) return known(['TLSv1.2', 'TLSv1.3'], source);
  const words = protocols.split(/[\s,:]+/).map((word) => word.toLowerCase());
  if (words.includes('secure') || words.includes('default'))
    return known(['TLSv1.2', 'TLSv1.3'], source);
  if (words.some((word) => !/^tlsv1(\.[0-3])?$/.test(word)))
    return unknown(`the prediction does not evaluate protocols ${protocols}`, source);
  return known(
    ascendingTlsVersions.filter((version) => words.includes(version.toLowerCase())),
    source,
  );
}

/** Returns the domains whose mail another action relays. */
function destinationsOf(
  conf: ParsedSmtpdConf,
  relays: ReadonlyMap<string, Relay>,
  build: Build,
): readonly DestinationRules[] {
  return matchesOf(conf).flatMap(({ line, action, domains }) => {
    const relay = relays.get(action ?? '');
    if (relay === undefined || typeof domains === 'string' || domains.isNegated) return [];
    return domains.names.map((destination) => ({
      destination,
      rules: rulesOf(relay, build),
      source: { setting: 'match', line: line.text },
    }));
  });
}

import {
  known,
  unknown,
  type DestinationRules,
  type Fact,
  type SenderModel,
  type StsUse,
  type TlsFallback,
} from '../sender-model.js';
import { policyServerUse, unnamedServer, type PolicyServer } from './policy-servers.js';
import { findPostfixRoute } from './find-route.js';
import type { ReadTable } from './lookup-tables.js';
import { parseParameters, type ParsedParameters } from './parse-parameters.js';
import { DestinationPolicies } from './destination-policies.js';
import { isLevelAtLeast, PostfixParameters, readYes } from './postfix-parameters.js';
import { assumedRoots, resolverFact, type ResolverState } from '../assumptions.js';
import { parseTlsLibrary, type TlsLibrary } from '../tls-library.js';
import { tlsRulesOf, type RuleSources } from './tls-rules-of.js';

/** Input of {@link readPostfix} besides the parameters. */
export interface PostfixInput {
  /** Output of `postconf -n`, optionally with that of `postconf -M`, or main.cf. */
  readonly text: string;
  readonly readTable: ReadTable;
  /** Domain of the recipients. */
  readonly domain: string;
  /** The program behind a socketmap or tcp table; it is never derived from the address. */
  readonly policyServer?: PolicyServer | undefined;
  readonly version?: string | undefined;
  /** Whether the resolver validates DNSSEC, if the operator states it. */
  readonly resolver?: ResolverState | undefined;
  /** Output of `postconf -T run-version` and `openssl version -a`, then openssl.cnf. */
  readonly tlsLibrary?: string | undefined;
}

/**
 * Reads the parameters of Postfix as rules for sending. Pure: tables come from
 * `readTable`. Facts that the input does not determine stay unknown.
 */
export function readPostfix(input: PostfixInput): SenderModel {
  const parsed = parseParameters(input.text);
  const routes = findPostfixRoute(new PostfixParameters(parsed, ''), input, parsed.programs);
  const settings = new PostfixParameters(parsed, `${routes.service}/unix`, input.version);
  const { version } = settings;
  const policies = new DestinationPolicies(settings, input.readTable, input.policyServer);
  const nextHop = routes.nextHop ?? input.domain;
  const { keys } = policies;
  const mtaSts = stsOf(policies, input, nextHop, settings);
  const library = libraryOf(settings, input);
  const common = { settings, mtaSts, library };
  const rules = tlsRulesOf({ ...common, policy: policies.find(nextHop), nextHop });
  const resolver = resolverFact(input.resolver, rules);
  return {
    program: 'postfix',
    version,
    domain: input.domain,
    rules,
    fallback: fallbackOf(settings),
    smartHost: openSetting(settings) ?? withoutMx(settings) ?? routes.smartHost,
    fallbackRelay: fallbackRelayOf(settings),
    families: familiesOf(settings),
    requireTls: requireTlsOf(settings, version),
    tlsReports: reportsOf(settings),
    resolver: resolver.fact,
    destinations: destinationsOf(policies, keys, common),
    assumptions: [
      ...assumptionsOf(parsed, settings),
      ...routes.assumptions,
      ...assumedRoots(rules),
      ...resolver.assumptions,
    ],
    warnings: [...warningsOf(parsed, settings), ...policies.warnings(keys)],
  };
}

/**
 * Settings that change the session with every server, or whether mail is sent at all. The
 * reader does not evaluate these settings; only the values listed here have no effect on
 * a prediction.
 */
const harmless: Readonly<Record<string, RegExp>> = {
  defer_transports: /^$/,
  smtp_always_send_ehlo: /^yes$/i,
  smtp_discard_ehlo_keyword_address_maps: /^$/,
  smtp_discard_ehlo_keywords: /^(?!.*(starttls|requiretls))/i,
  smtp_dns_reply_filter: /^$/,
  smtp_mx_address_limit: /^(0|[2-9]|\d{2,})$/,
  smtp_never_send_ehlo: /^no$/i,
  smtp_reply_filter: /^$/,
  smtp_tcp_port: /^(smtp|25)$/,
  tls_dane_digests: /\bsha256\b/i,
};

/** Returns the first setting that makes every cell unknown. */
function openSetting(settings: PostfixParameters): Fact<never> | undefined {
  for (const [name, pattern] of Object.entries(harmless)) {
    const value = settings.value(name);
    if (!value.known) return value;
    if (!pattern.test(value.value.trim()))
      return unknown(`the prediction does not evaluate the setting ${name}`, value.source);
  }
  return undefined;
}

/**
 * Returns an unknown fact if DNS is off: without DNS the SMTP client looks up no MX
 * records, so the hosts are not known.
 */
function withoutMx(settings: PostfixParameters): Fact<never> | undefined {
  const support = settings.value('smtp_dns_support_level');
  if (!support.known) return undefined;
  const reason = 'the SMTP client looks up no MX records';
  const level = support.value.trim().toLowerCase();
  if (level === 'disabled') return unknown(reason, support.source);
  const disabled = readYes(settings.value('disable_dns_lookups'));
  if (level === '' && (!disabled.known || disabled.value)) return unknown(reason, disabled.source);
  return undefined;
}

/** Returns the servers that receive mail if no host of the domain accepts it. */
function fallbackRelayOf(settings: PostfixParameters): SenderModel['fallbackRelay'] {
  const relay = settings.value('smtp_fallback_relay');
  if (!relay.known) return relay;
  return known(relay.value.trim() === '' ? undefined : relay.value, relay.source);
}

/**
 * Returns the TLS library, unless another file than openssl.cnf configures it (Postfix
 * 3.9).
 */
function libraryOf(settings: PostfixParameters, input: PostfixInput): TlsLibrary | undefined {
  const file = settings.value('tls_config_file');
  const section = settings.value('tls_config_name');
  const isDefault = file.known && /^(default)?$/.test(file.value.trim());
  if (!isDefault || !section.known || section.value.trim() !== '') return undefined;
  return parseTlsLibrary(input.tlsLibrary ?? '');
}

function stsOf(
  policies: DestinationPolicies,
  { policyServer }: PostfixInput,
  nextHop: string,
  settings: PostfixParameters,
): Fact<StsUse> {
  const source = settings.source('smtp_tls_policy_maps');
  if (!policies.hasServer(nextHop)) return known({ use: 'no' }, source);
  if (policyServer !== undefined) return known(policyServerUse[policyServer], source);
  return unknown(unnamedServer, source);
}

/**
 * Reads the rules of destinations that the policy tables list. The rules apply to mail to
 * that next hop, by any route.
 */
function destinationsOf(
  policies: DestinationPolicies,
  keys: readonly string[],
  common: Pick<RuleSources, 'settings' | 'mtaSts' | 'library'>,
): readonly DestinationRules[] {
  return keys.map((destination) => {
    const policy = policies.find(destination);
    return {
      destination,
      rules: tlsRulesOf({ ...common, policy, nextHop: destination }),
      source:
        policy.kind === 'entry' ? policy.source : common.settings.source('smtp_tls_policy_maps'),
    };
  });
}

/**
 * Returns the fallback to plaintext. At level may, Postfix ignores a refused STARTTLS.
 * After a failed handshake, Postfix uses plaintext only once the message has waited for
 * minimal_backoff_time (smtp.h, PLAINTEXT_FALLBACK_OK_AFTER_STARTTLS_FAILURE).
 */
function fallbackOf(settings: PostfixParameters): Fact<TlsFallback> {
  const delay = settings.value('minimal_backoff_time');
  if (!delay.known) return delay;
  const [, number = '', unit = 's'] = /^(\d{1,9})([smhdw]?)$/.exec(delay.value.trim()) ?? [];
  const seconds = { s: 1, '': 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[unit];
  if (number === '' || seconds === undefined)
    return unknown(`minimal_backoff_time = ${delay.value} is not a time`, delay.source);
  return known(
    { refused: 'plaintext', handshake: 'later', delaySeconds: Number(number) * seconds },
    delay.source,
  );
}

function familiesOf(settings: PostfixParameters): SenderModel['families'] {
  const protocols = settings.value('inet_protocols');
  if (!protocols.known) return protocols;
  const words = protocols.value.split(/[\s,]+/).filter((word) => word !== '');
  const all = words.includes('all');
  const [v4, v6] = [all || words.includes('ipv4'), all || words.includes('ipv6')];
  if (v4 && v6) return known('both', protocols.source);
  if (v4 || v6) return known(v4 ? 'ipv4' : 'ipv6', protocols.source);
  return unknown(`inet_protocols = ${protocols.value} is not a list of families`, protocols.source);
}

/**
 * Returns the use of REQUIRETLS, which Postfix 3.11 enforces for external domains by
 * default (REQUIRETLS_README).
 */
function requireTlsOf(
  settings: PostfixParameters,
  version: string | undefined,
): SenderModel['requireTls'] {
  const source = settings.source('requiretls_enable');
  if (version !== undefined && !isLevelAtLeast(version, 3, 11))
    return known('no', { ...source, line: `Postfix ${version} does not support this feature` });
  const enabled = readYes(settings.value('requiretls_enable'));
  if (!enabled.known) return enabled;
  if (!enabled.value) return known('no', source);
  if (version === undefined)
    return unknown(
      'REQUIRETLS needs Postfix 3.11: state the version with --server-version',
      source,
    );
  if (!settings.isSet('smtp_requiretls_policy')) return known('enforce', source);
  const policy = settings.value('smtp_requiretls_policy');
  if (!policy.known) return policy;
  const words: readonly string[] = policy.value.trim().split(/[\s,]+/);
  const [word] = words;
  if (words.length > 1 || word === undefined)
    return unknown(
      'the prediction does not evaluate the list of smtp_requiretls_policy',
      policy.source,
    );
  if (word === 'enforce') return known('enforce', policy.source);
  if (word === 'disable') return known('no', policy.source);
  if (/^opportunistic/.test(word)) return known('weakened', policy.source);
  return unknown(
    `the prediction does not evaluate smtp_requiretls_policy = ${word}`,
    policy.source,
  );
}

function reportsOf(settings: PostfixParameters): SenderModel['tlsReports'] {
  const enabled = readYes(settings.value('smtp_tlsrpt_enable'));
  if (!enabled.known) return enabled;
  return known(enabled.value ? 'yes' : 'no', enabled.source);
}

function assumptionsOf(parsed: ParsedParameters, settings: PostfixParameters): readonly string[] {
  const assumptions: string[] = [];
  if (parsed.services.size === 0)
    assumptions.push('master.cf sets no parameter of the SMTP client; postconf -M would show it.');
  const filter = settings.value('content_filter');
  if (filter.known && filter.value !== '')
    assumptions.push(`The content filter ${filter.value} returns the mail to this server.`);
  return assumptions;
}

function warningsOf(parsed: ParsedParameters, settings: PostfixParameters): readonly string[] {
  const warnings = parsed.unread.map(
    (line) => `This line sets no parameter and was ignored: ${line}`,
  );
  const level = settings.value('smtp_tls_security_level');
  const dns = settings.value('smtp_dns_support_level');
  const isDane = level.known && /^dane(-only)?$/i.test(level.value.trim());
  if (isDane && dns.known && dns.value !== 'dnssec')
    warnings.push(
      `smtp_tls_security_level = ${level.value} has no effect: smtp_dns_support_level is not dnssec.`,
    );
  const maps = settings.value('smtp_tls_policy_maps');
  if (settings.isSet('smtp_tls_per_site') && maps.known && maps.value !== '')
    warnings.push('smtp_tls_per_site is ignored because smtp_tls_policy_maps is set.');
  return warnings;
}

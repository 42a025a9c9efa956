import {
  known,
  unknown,
  type DestinationRules,
  type Fact,
  type SenderModel,
  type SettingSource,
  type StsUse,
  type TlsFallback,
} from '../sender-model.js';
import { policyServerUse, type PolicyServer } from './policy-servers.js';
import { openTable, parseTableList, type ReadTable } from './lookup-tables.js';
import { parseParameters, type ParsedParameters } from './parse-parameters.js';
import { DestinationPolicies } from './destination-policies.js';
import { isLevelAtLeast, PostfixSettings, readYes } from './postfix-settings.js';
import { assumedRoots, resolverFact, type ResolverState } from '../assumptions.js';
import { parseTlsLibrary } from '../tls-library.js';
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
  /** Whether the resolver validates DNSSEC, where the operator states it. */
  readonly resolver?: ResolverState | undefined;
  /** Output of `postconf -T run-version` and `openssl version -a`, then openssl.cnf. */
  readonly tlsLibrary?: string | undefined;
}

/**
 * Reads the parameters of Postfix as rules for sending. Pure: tables come from
 * `readTable`. Nothing that the input leaves open is guessed.
 */
export function readPostfix(input: PostfixInput): SenderModel {
  const parsed = parseParameters(input.text);
  const { service, transportHop } = transportOf(parsed);
  const settings = new PostfixSettings(parsed, service, input.version);
  const { version } = settings;
  const routes = readRoutes(settings, input, { transportHop, programs: parsed.programs });
  const policies = new DestinationPolicies(settings, input.readTable, input.policyServer);
  const nextHop = routes.nextHop ?? input.domain;
  const { keys } = policies;
  const mtaSts = stsOf(policies, input, nextHop, settings);
  const library = parseTlsLibrary(input.tlsLibrary ?? '');
  const common = { settings, mtaSts, library };
  const rules = tlsRulesOf({ ...common, policy: policies.find(nextHop), nextHop });
  const resolver = resolverFact(input.resolver, rules);
  return {
    program: 'postfix',
    version,
    domain: input.domain,
    rules,
    fallback: fallbackOf(settings),
    smartHost: routes.smartHost,
    families: familiesOf(settings),
    requireTls: requireTlsOf(settings, version),
    tlsReports: reportsOf(settings),
    resolver: resolver.fact,
    destinations: destinationsOf(policies, keys, common),
    assumptions: [...assumptionsOf(parsed), ...assumedRoots(rules), ...resolver.assumptions],
    warnings: [...warningsOf(parsed, settings), ...policies.warnings(keys)],
  };
}

/** `default_transport` names a service of master.cf, and may name the next hop. */
function transportOf(parsed: ParsedParameters): { service: string; transportHop: string } {
  const settings = new PostfixSettings(parsed, '');
  const transport = settings.value('default_transport');
  const [service = 'smtp', ...hop] = (transport.known ? transport.value : 'smtp').split(':');
  return { service: `${service}/unix`, transportHop: hop.join(':') };
}

/** Facts of master.cf and default_transport for the route. */
interface RouteFacts {
  readonly transportHop: string;
  readonly programs: ReadonlyMap<string, string>;
}

/** The services smtp and relay are SMTP clients, as are those that master.cf calls so. */
function isSmtpClient(service: string, programs: ReadonlyMap<string, string>): boolean {
  const program = programs.get(`${service}/unix`);
  if (program !== undefined) return program === 'smtp';
  return service === 'smtp' || service === 'relay';
}

interface Routes {
  readonly smartHost: Fact<string | undefined>;
  /** The next hop where it is not the domain. */
  readonly nextHop?: string;
}

/** Finds the server that takes the mail: relayhost, default_transport, transport_maps. */
function readRoutes(
  settings: PostfixSettings,
  { domain, readTable }: PostfixInput,
  { transportHop, programs }: RouteFacts,
): Routes {
  const mapped = routeByMap(settings, domain, readTable);
  if (mapped !== undefined) return mapped;
  const transport = settings.value('default_transport');
  const relay = settings.value('relayhost');
  if (!transport.known) return { smartHost: transport };
  const service = transport.value.split(':', 1)[0] ?? '';
  if (!isSmtpClient(service, programs))
    return {
      smartHost: unknown(`the transport ${service} is not the SMTP client`, transport.source),
    };
  if (transportHop !== '') return hopTo(transportHop, transport.source);
  if (!relay.known) return { smartHost: relay };
  if (relay.value !== '') return hopTo(relay.value, relay.source);
  return bySender(settings) ?? { smartHost: known(undefined, relay.source) };
}

function hopTo(nextHop: string, source: SettingSource): Routes {
  return { smartHost: known(nextHop, source), nextHop };
}

/** The entry of transport_maps for the domain (transport(5)). */
function routeByMap(
  settings: PostfixSettings,
  domain: string,
  readTable: ReadTable,
): Routes | undefined {
  const maps = settings.value('transport_maps');
  if (!maps.known) return { smartHost: maps };
  const tables = parseTableList(maps.value).map((table) => openTable(table, readTable));
  for (const key of [...domainKeys(domain), '*'])
    for (const table of tables) {
      const answer = table.lookup(key);
      if (answer.kind === 'missing') continue;
      if (answer.kind !== 'found') return { smartHost: unknown(answer.reason, maps.source) };
      const [, service = '', hop = ''] = /^([^:]*):?(.*)$/s.exec(answer.value) ?? [];
      const line = `${answer.key} ${answer.value}`;
      const source = { setting: 'transport_maps', line };
      if (service !== '' && service !== 'smtp' && service !== 'relay')
        return { smartHost: unknown(`the transport ${service} is not the SMTP client`, source) };
      if (hop !== '') return hopTo(hop, source);
      if (service !== '') return { smartHost: known(undefined, source) };
      return undefined;
    }
  return undefined;
}

/** The domain, and its parents with a leading dot. */
export function domainKeys(domain: string): readonly string[] {
  const keys = [domain];
  for (let dot = domain.indexOf('.', 1); dot >= 0; dot = domain.indexOf('.', dot + 1))
    keys.push(domain.slice(dot));
  return keys;
}

/** Routes that depend on the sender of a message cannot be foretold. */
function bySender(settings: PostfixSettings): Routes | undefined {
  for (const name of [
    'sender_dependent_relayhost_maps',
    'sender_dependent_default_transport_maps',
  ]) {
    const value = settings.value(name);
    if (!value.known) return { smartHost: value };
    if (value.value !== '')
      return { smartHost: unknown('the route depends on the sender of a message', value.source) };
  }
  return undefined;
}

function stsOf(
  policies: DestinationPolicies,
  { policyServer }: PostfixInput,
  nextHop: string,
  settings: PostfixSettings,
): Fact<StsUse> {
  const source = settings.source('smtp_tls_policy_maps');
  if (!policies.hasServer(nextHop)) return known({ use: 'no' }, source);
  if (policyServer !== undefined) return known(policyServerUse[policyServer], source);
  return unknown(
    'the program that answers the table is not part of the configuration: name it with --policy-server',
    source,
  );
}

/**
 * Reads the rules of destinations that the policy tables list. The rules are those of mail
 * to that next hop, by any route.
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
 * A refused STARTTLS is ignored at level may. A failed handshake leads to plaintext only
 * once the message has waited for minimal_backoff_time (smtp.h,
 * PLAINTEXT_FALLBACK_OK_AFTER_STARTTLS_FAILURE).
 */
function fallbackOf(settings: PostfixSettings): Fact<TlsFallback> {
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

function familiesOf(settings: PostfixSettings): SenderModel['families'] {
  const protocols = settings.value('inet_protocols');
  if (!protocols.known) return protocols;
  const words = protocols.value.split(/[\s,]+/).filter((word) => word !== '');
  const all = words.includes('all');
  const [v4, v6] = [all || words.includes('ipv4'), all || words.includes('ipv6')];
  if (v4 && v6) return known('both', protocols.source);
  if (v4 || v6) return known(v4 ? 'ipv4' : 'ipv6', protocols.source);
  return unknown(`inet_protocols = ${protocols.value} is not a list of families`, protocols.source);
}

/** REQUIRETLS_README: Postfix 3.11 enforces it for external domains by default. */
function requireTlsOf(
  settings: PostfixSettings,
  version: string | undefined,
): SenderModel['requireTls'] {
  const source = settings.source('requiretls_enable');
  if (version !== undefined && !isLevelAtLeast(version, 3, 11)) return known('no', source);
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
    return unknown('the list of smtp_requiretls_policy is not evaluated', policy.source);
  if (word === 'enforce') return known('enforce', policy.source);
  if (word === 'disable') return known('no', policy.source);
  if (/^opportunistic/.test(word)) return known('weakened', policy.source);
  return unknown(`smtp_requiretls_policy = ${word} is not evaluated`, policy.source);
}

function reportsOf(settings: PostfixSettings): SenderModel['tlsReports'] {
  const enabled = readYes(settings.value('smtp_tlsrpt_enable'));
  if (!enabled.known) return enabled;
  return known(enabled.value ? 'yes' : 'no', enabled.source);
}

function assumptionsOf(parsed: ParsedParameters): readonly string[] {
  if (parsed.services.size > 0) return [];
  return ['master.cf sets no parameter of the SMTP client; postconf -M would show it.'];
}

function warningsOf(parsed: ParsedParameters, settings: PostfixSettings): readonly string[] {
  const warnings = parsed.unread.map((line) => `Not a parameter, so not read: ${line}`);
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

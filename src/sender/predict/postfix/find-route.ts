import {
  known,
  unknown,
  type Fact,
  type SenderModel,
  type SettingSource,
} from '../sender-model.js';
import { splitOutsideBraces } from './braces.js';
import { openTable, parseTableList, type ReadTable } from './lookup-tables.js';
import type { PostfixParameters } from './postfix-parameters.js';

/** The route of mail to one domain. */
export interface PostfixRoute {
  /** The service of master.cf that sends the mail: its options override main.cf. */
  readonly service: string;
  readonly smartHost: SenderModel['smartHost'];
  /** The next hop if it is not the domain. */
  readonly nextHop?: string;
}

/** The recipients, and the tables that route them. */
interface Recipients {
  readonly domain: string;
  readonly readTable: ReadTable;
}

/** Lists of domains with local delivery on the server. */
const localLists = ['mydestination', 'virtual_alias_domains', 'virtual_mailbox_domains'];

/**
 * Finds the service and server that receive the mail (ADDRESS_CLASS_README):
 * transport_maps before the transport of the class of the domain.
 */
export function findPostfixRoute(
  settings: PostfixParameters,
  recipients: Recipients,
  programs: ReadonlyMap<string, string>,
): PostfixRoute & { readonly assumptions: readonly string[] } {
  const { domain } = recipients;
  const lists = [...localLists, 'relay_domains'];
  const listed = new Map(lists.map((name) => [name, isListed(settings, name, recipients)]));
  const local = localLists.find((name) => listed.get(name) === 'yes');
  let setting = 'default_transport';
  if (listed.get('relay_domains') === 'yes') setting = 'relay_transport';
  const byClass = local === undefined ? routeByDefault(settings, setting) : stays(settings, local);
  const route = mappedRoute(settings, recipients) ?? byClass;
  const open = lists.filter((name) => listed.get(name) === 'unknown');
  return {
    ...checkClient(route, programs),
    assumptions: open.map((name) => `The tables of ${name} do not list ${domain}.`),
  };
}

function stays(settings: PostfixParameters, list: string): PostfixRoute {
  const reason = `${list} lists the domain, so its mail stays on the server`;
  return { service: 'smtp', smartHost: unknown(reason, settings.source(list)) };
}

/**
 * Returns whether a list names a domain; `unknown` if that depends on an unreadable
 * table.
 */
function isListed(
  settings: PostfixParameters,
  list: string,
  { domain, readTable }: Recipients,
): 'yes' | 'no' | 'unknown' {
  const value = settings.value(list);
  if (!value.known) return 'unknown';
  const keys = keysOf(settings, list, domain);
  let found: 'no' | 'unknown' = 'no';
  for (const written of splitOutsideBraces(value.value)) {
    const item = written.replace(/^!/, '');
    const [table] = /[:/]/.test(item) ? parseTableList(item) : [];
    const answers = keys.map((key) => table && openTable(table, readTable).lookup(key).kind);
    if (keys.includes(item.toLowerCase()) || answers.includes('found'))
      return item === written ? 'yes' : 'no';
    if (answers.includes('unknown')) found = 'unknown';
  }
  return found;
}

/**
 * Returns whether a service is an SMTP client: it runs the program smtp in master.cf, or
 * is named smtp or relay if the program is not known.
 */
function isSmtpClient(service: string, programs: ReadonlyMap<string, string>): boolean {
  const program = programs.get(`${service}/unix`);
  if (program !== undefined) return program === 'smtp';
  return service === 'smtp' || service === 'relay';
}

/**
 * Returns a route with an unknown smart host if its service is not the SMTP client,
 * because the rules of the client do not apply to other services.
 */
function checkClient(route: PostfixRoute, programs: ReadonlyMap<string, string>): PostfixRoute {
  const { service, smartHost } = route;
  if (!smartHost.known || isSmtpClient(service, programs)) return route;
  let reason = `the transport ${service} is not the SMTP client`;
  if (programs.size === 0)
    reason = `the program of the transport ${service} is not known: add postconf -M`;
  return { service, smartHost: unknown(reason, smartHost.source) };
}

/**
 * Returns the transport of a class of domains; if the transport names no host, relayhost
 * applies.
 */
function routeByDefault(settings: PostfixParameters, setting: string): PostfixRoute {
  const transport = settings.value(setting);
  if (!transport.known) return { service: 'smtp', smartHost: transport };
  const { service, hop } = splitTransport(transport.value);
  if (hop !== '') return { service, ...hopTo(hop, transport.source) };
  const relay = settings.value('relayhost');
  if (!relay.known) return { service, smartHost: relay };
  if (relay.value !== '') return { service, ...hopTo(relay.value, relay.source) };
  return { service, smartHost: bySender(settings) ?? known(undefined, relay.source) };
}

/** Splits `transport:nexthop`. */
function splitTransport(value: string): { readonly service: string; readonly hop: string } {
  const colon = value.indexOf(':');
  if (colon < 0) return { service: value, hop: '' };
  return { service: value.slice(0, colon), hop: value.slice(colon + 1) };
}

function hopTo(nextHop: string, source: SettingSource): Omit<PostfixRoute, 'service'> {
  if (nextHop === '') return { smartHost: known(undefined, source) };
  return { smartHost: known(nextHop, source), nextHop };
}

/** The local part of the messages of a test, for tables that match whole addresses. */
const LOCAL_PART = 'test';

/**
 * Returns the entry of transport_maps for the domain (transport(5)). Postfix matches
 * patterns only with the whole address. If the transport is empty, the transport of the
 * domain's class applies.
 */
function mappedRoute(
  settings: PostfixParameters,
  { domain, readTable }: Recipients,
): PostfixRoute | undefined {
  const maps = settings.value('transport_maps');
  if (!maps.known) return { service: 'smtp', smartHost: maps };
  const tables = parseTableList(maps.value).map((table) => openTable(table, readTable));
  const address = `${LOCAL_PART}@${domain}`;
  for (const key of [address, ...keysOf(settings, 'transport_maps', domain), '*'])
    for (const table of tables) {
      if (table.isPattern && key !== address) continue;
      const answer = table.lookup(key);
      if (answer.kind === 'missing') continue;
      if (answer.kind !== 'found')
        return { service: 'smtp', smartHost: unknown(answer.reason, maps.source) };
      const { service, hop } = splitTransport(answer.value);
      const source = { setting: 'transport_maps', line: `${answer.key} ${answer.value}` };
      if (service !== '') return { service, ...hopTo(hop, source) };
      // An empty result does not change the route.
      if (hop === '') return undefined;
      const { service: byDefault } = routeByDefault(settings, 'default_transport');
      return { service: byDefault, ...hopTo(hop, source) };
    }
  return undefined;
}

/**
 * Returns the domain and its parents, as one list or table matches them: with a leading
 * dot, unless parent_domain_matches_subdomains names the list.
 */
function keysOf(settings: PostfixParameters, list: string, domain: string): readonly string[] {
  const parents = settings.value('parent_domain_matches_subdomains');
  const isPlain = parents.known && parents.value.split(/[\s,]+/).includes(list);
  const keys = [domain];
  for (let dot = domain.indexOf('.', 1); dot >= 0; dot = domain.indexOf('.', dot + 1))
    keys.push(domain.slice(isPlain ? dot + 1 : dot));
  return keys;
}

/** Returns an unknown fact if the route may depend on the sender of a message. */
function bySender(settings: PostfixParameters): Fact<never> | undefined {
  for (const name of [
    'sender_dependent_relayhost_maps',
    'sender_dependent_default_transport_maps',
  ]) {
    const value = settings.value(name);
    if (!value.known) return value;
    if (value.value !== '')
      return unknown('the route depends on the sender of a message', value.source);
  }
  return undefined;
}

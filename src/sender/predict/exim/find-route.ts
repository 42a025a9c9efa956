import { known, unknown, type Fact, type SettingSource } from '../sender-model.js';
import { coverageOf, type EximOptions, type EximOutput } from './parse-exim-output.js';

/** The way of outgoing mail through routers and transports. */
export interface EximRoute {
  /** Name of the transport; of a router if it leads to none. */
  readonly name: string;
  readonly transport: EximOptions | undefined;
  readonly router?: EximOptions;
  readonly smartHost: Fact<string | undefined>;
  /** Whether the router asks for DNSSEC with its MX and address lookups. */
  readonly dnssec: Fact<boolean>;
  readonly assumptions: readonly string[];
}

/** Router drivers that lead to other machines by the domain. */
const remoteDrivers = ['dnslookup', 'manualroute', 'queryprogram'];

/**
 * Finds the transport that takes mail to other domains. A router for particular domains
 * is assumed not to take the recipient, and named as an assumption.
 */
export function findRoute(output: EximOutput, named: string | undefined): EximRoute {
  const routers = [...output.routers].filter(([, options]) =>
    remoteDrivers.includes(options.get('driver') ?? ''),
  );
  if (named !== undefined) return byTransport(output, named, routers);
  if (output.routers.size === 0) return withoutRouters(output);
  const general = routers.filter(([, options]) => isGeneral(options.get('domains') ?? ''));
  const [first] = general;
  const assumptions = routers
    .filter((router) => !general.includes(router))
    .map(
      ([name, options]) =>
        `The router ${name} (domains = ${options.get('domains') ?? ''}) does not handle the mail.`,
    );
  if (first === undefined)
    return nowhere('no router for other domains was found', 'exim -bP routers');
  const [name, options] = first;
  const condition = preconditions.find((option) => isConditional(options.get(option)));
  if (condition !== undefined)
    return nowhere(
      `${condition} of the router ${name} is not evaluated: name the transport with --transport`,
      `${name}: ${condition} = ${options.get(condition) ?? ''}`,
    );
  const transportName = options.get('transport') ?? '';
  const source = { setting: name, line: `${name}: driver = ${options.get('driver') ?? ''}` };
  return {
    name: transportName,
    transport: smtpTransport(output, transportName),
    router: options,
    smartHost: requiredDnssec(options, name) ?? smartHostOf(options, source),
    dnssec: dnssecOf(options, name),
    assumptions,
  };
}

/** Options by which a router takes only some messages to its domains. */
const preconditions = [
  'condition',
  'senders',
  'local_parts',
  'local_part_prefix',
  'local_part_suffix',
  'require_files',
  'check_local_user',
  'verify_only',
];

/** Whether a precondition is set; a flag that is off has the value `false`. */
function isConditional(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'false';
}

/** A condition that every other domain meets: none, or the negation of local lists. */
function isGeneral(domains: string): boolean {
  const items = domains.split(':').map((item) => item.trim());
  return items.every((item) => item === '' || item === '*' || item.startsWith('!'));
}

function smtpTransport(output: EximOutput, name: string): EximOptions | undefined {
  const options = output.transports.get(name);
  return options?.get('driver') === 'smtp' ? options : undefined;
}

function smartHostOf(options: EximOptions, source: SettingSource): EximRoute['smartHost'] {
  switch (options.get('driver')) {
    case 'dnslookup':
      return known(undefined, source);
    case 'manualroute': {
      const name = ['route_list', 'route_data'].find((option) => options.get(option));
      const value = name === undefined ? '' : (options.get(name) ?? '');
      const line = `${source.setting}: ${name ?? 'route_list'} = ${value}`;
      if (value === '' || value.includes('$'))
        return unknown('the route of the router is not evaluated', { ...source, line });
      return known(value.replace(/^\*\s+/, ''), { ...source, line });
    }
    default:
      return unknown('the router asks a program for the route', source);
  }
}

/** A router that requires DNSSEC defers mail to every unsigned domain. */
function requiredDnssec(options: EximOptions, router: string): Fact<never> | undefined {
  const setting = 'dnssec_require_domains';
  const value = options.get(setting) ?? '';
  if (coverageOf(value) === 'no') return undefined;
  const source = { setting, line: `${router}: ${setting} = ${value}` };
  return unknown(`${setting} defers mail to unsigned domains, and is not evaluated`, source);
}

function dnssecOf(options: EximOptions, router: string): Fact<boolean> {
  const value = options.get('dnssec_request_domains');
  const setting = 'dnssec_request_domains';
  const source = { setting, line: `${router}: ${setting} = ${value ?? ''}`.trimEnd() };
  if (value === undefined) return unknown('the input does not show dnssec_request_domains', source);
  const coverage = coverageOf(value);
  if (coverage !== 'unknown') return known(coverage === 'yes', source);
  return unknown(`${setting} = ${value} is not evaluated`, source);
}

/** A transport that the operator names; its router is the first that leads to it. */
function byTransport(
  output: EximOutput,
  name: string,
  routers: readonly (readonly [string, EximOptions])[],
): EximRoute {
  const [router] = routers.filter(([, options]) => options.get('transport') === name);
  const open = withoutRouters(output, name);
  if (router === undefined) return open;
  const [routerName, options] = router;
  const required = requiredDnssec(options, routerName);
  return {
    ...open,
    router: options,
    dnssec: dnssecOf(options, routerName),
    smartHost: required ?? open.smartHost,
  };
}

/** Without routers a single smtp transport is that of outgoing mail. */
function withoutRouters(output: EximOutput, named?: string): EximRoute {
  const names = [...output.transports.keys()].filter(
    (name) => smtpTransport(output, name) !== undefined && (named ?? name) === name,
  );
  const [name, ...others] = names;
  if (name === undefined) return nowhere('no smtp transport was found', 'exim -bP transports');
  if (others.length > 0)
    return nowhere(
      `several smtp transports (${names.slice(0, 5).join(', ')}): add exim -bP routers, or --transport`,
      'exim -bP transports',
    );
  const source = { setting: 'routers', line: 'exim -bP routers: not part of the input' };
  return {
    name,
    transport: smtpTransport(output, name),
    smartHost: known(undefined, source),
    dnssec: unknown(
      'dnssec_request_domains is an option of the router: add exim -bP routers',
      source,
    ),
    assumptions: [`Outgoing mail uses the transport ${name}, and no smart host.`],
  };
}

function nowhere(reason: string, line: string): EximRoute {
  const source = { setting: 'exim', line };
  return {
    name: 'exim',
    transport: undefined,
    smartHost: unknown(reason, source),
    dnssec: unknown(reason, source),
    assumptions: [],
  };
}

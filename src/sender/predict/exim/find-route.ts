import { known, unknown, type Fact, type SettingSource } from '../sender-model.js';
import { coverageOf, routes, type EximOptions, type EximOutput } from './parse-exim-output.js';

/** The route of outgoing mail through routers and transports. */
export interface EximRoute {
  /** Name of the transport, or of the router if it selects no transport. */
  readonly name: string;
  readonly transport: EximOptions | undefined;
  readonly router?: EximOptions;
  readonly smartHost: Fact<string | undefined>;
  /** Whether the router asks for DNSSEC with its MX and address lookups. */
  readonly dnssec: Fact<boolean>;
  readonly assumptions: readonly string[];
}

/** Router drivers that route mail to other hosts by the domain. */
const remoteDrivers = ['dnslookup', 'manualroute', 'queryprogram'];

/** The transport that the operator names, and the domain of the recipients. */
export interface RouteQuestion {
  readonly transport?: string | undefined;
  readonly domain: string;
}

/**
 * Finds the transport that delivers mail to a domain. A router with unevaluated domains
 * is assumed not to handle the recipient; the prediction lists this assumption.
 */
export function findEximRoute(output: EximOutput, { transport, domain }: RouteQuestion): EximRoute {
  const routers = [...output.routers].filter(([, options]) =>
    remoteDrivers.includes(options.get('driver') ?? ''),
  );
  if (transport !== undefined) return byTransport(output, transport, routers);
  if (output.routers.size === 0) return withoutRouters(output);
  const assumptions: string[] = [];
  for (const [name, options] of routers) {
    const domains = options.get('domains') ?? '';
    const coverage = routes(domains, domain);
    if (coverage === 'yes') return { ...byRouter(output, name, options), assumptions };
    if (coverage === 'unknown')
      assumptions.push(`The router ${name} (domains = ${domains}) does not handle the mail.`);
  }
  return nowhere('no router for other domains was found', 'exim -bP routers');
}

/** Returns the route that one router determines. */
function byRouter(output: EximOutput, name: string, options: EximOptions): EximRoute {
  const condition = preconditions.find((option) => isConditional(options.get(option)));
  if (condition !== undefined)
    return nowhere(
      `the prediction does not evaluate ${condition} of the router ${name}: name the transport with --transport`,
      `${name}: ${condition} = ${options.get(condition) ?? ''}`,
    );
  const transportName = options.get('transport') ?? '';
  const source = { setting: name, line: `${name}: driver = ${options.get('driver') ?? ''}` };
  return {
    name: transportName,
    transport: smtpTransport(output, transportName),
    router: options,
    smartHost: openOption(options, name) ?? smartHostOf(options, source),
    dnssec: dnssecOf(output, options, name),
    assumptions: [],
  };
}

/** Options by which a router handles only some messages to its domains. */
const preconditions = [
  'condition',
  'senders',
  'local_parts',
  'local_part_prefix',
  'local_part_suffix',
  'require_files',
  'check_local_user',
  'verify_only',
  // The router handles a copy, and the next router handles the message.
  'unseen',
];

/** Returns whether a precondition is set; a flag that is off has the value `false`. */
function isConditional(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== 'false';
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
        return unknown('the prediction does not evaluate the route of the router', {
          ...source,
          line,
        });
      return known(value.replace(/^\*\s+/, ''), { ...source, line });
    }
    default:
      return unknown('the router asks a program for the route', source);
  }
}

/**
 * Returns the options of a router that change the hosts of a domain, and are not
 * evaluated.
 */
function openOption(options: EximOptions, router: string): Fact<never> | undefined {
  const open = (setting: string, reason: string): Fact<never> => {
    const line = `${router}: ${setting} = ${options.get(setting) ?? ''}`;
    return unknown(`${setting} ${reason}, and the prediction does not evaluate it`, {
      setting,
      line,
    });
  };
  if (coverageOf(options.get('dnssec_require_domains') ?? '') !== 'no')
    return open('dnssec_require_domains', 'defers mail to unsigned domains');
  // Exim tries hosts of SRV records before those of MX records.
  if (options.get('check_srv')) return open('check_srv', 'uses SRV records');
  return undefined;
}

/**
 * Returns whether the router asks for DNSSEC in its lookups. The main options can prevent
 * such lookups, and treat a failed lookup as an absent name.
 */
function dnssecOf({ main }: EximOutput, options: EximOptions, router: string): Fact<boolean> {
  for (const setting of ['dns_dnssec_ok', 'dns_use_edns0'])
    if (main.get(setting) === '0') return known(false, { setting, line: `${setting} = 0` });
  const ignored = main.get('dns_again_means_nonexist') ?? '';
  if (coverageOf(ignored) !== 'no') {
    const setting = 'dns_again_means_nonexist';
    const source = { setting, line: `${setting} = ${ignored}` };
    return unknown(
      `${setting} hides failed lookups, and the prediction does not evaluate it`,
      source,
    );
  }
  const value = options.get('dnssec_request_domains');
  const setting = 'dnssec_request_domains';
  const source = { setting, line: `${router}: ${setting} = ${value ?? ''}`.trimEnd() };
  if (value === undefined) return unknown('the input does not show dnssec_request_domains', source);
  const coverage = coverageOf(value);
  if (coverage !== 'unknown') return known(coverage === 'yes', source);
  return unknown(`the prediction does not evaluate ${setting} = ${value}`, source);
}

/**
 * Returns a transport that the operator names; its router is the first router that uses
 * the transport.
 */
function byTransport(
  output: EximOutput,
  name: string,
  routers: readonly (readonly [string, EximOptions])[],
): EximRoute {
  const [router] = routers.filter(([, options]) => options.get('transport') === name);
  const open = withoutRouters(output, name);
  if (router === undefined) return open;
  const [routerName, options] = router;
  return {
    ...open,
    router: options,
    dnssec: dnssecOf(output, options, routerName),
    smartHost: openOption(options, routerName) ?? open.smartHost,
  };
}

/**
 * Returns the route of a configuration without routers, in which a single smtp transport
 * sends all outgoing mail.
 */
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

import { HermeticError, parseDomain, type Name } from '../../base/index.js';
import { chooseResolver, type Resolver, type ResolverChoice } from '../../dns/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { nodeNetwork, type Network } from '../../net/index.js';
import { builtinTrustStore } from '../../tls/index.js';
import type { TrustStore } from '../../x509/index.js';
import { collect, DEFAULT_BUDGET, type CollectOptions } from './collect.js';
import { grade } from '../grade/grade.js';
import { baseline } from '../profiles/baseline.js';
import { goalsOf } from '../profiles/goals.js';
import { ConnectionLimiter } from '../probes/connection-limiter.js';
import type { OptOut } from '../probes/opt-out.js';
import { reachOf } from '../reach.js';
import type { Profile } from '../profiles/profile.js';

/** Options of {@link check}. Every field has a default. */
export interface CheckOptions
  extends
    Omit<
      CollectOptions,
      'network' | 'resolver' | 'trustStore' | 'mx' | 'control' | 'goals' | 'manners'
    >,
    ResolverChoice {
  readonly network?: Network;
  /** Default: the roots that come with Node. */
  readonly trustStore?: TrustStore;
  readonly mx?: string;
  readonly control?: string;
  readonly profile?: Profile;
  /** Hosts and addresses that are never contacted: see {@link parseOptOut}. */
  readonly optOut?: OptOut;
}

/**
 * Checks the mail TLS of a domain.
 * @throws HermeticError for a text that is not a domain name; rejects with
 * `signal.reason` when aborted. Faults of peers are part of the result.
 */
export async function check(domainName: string, options: CheckOptions = {}): Promise<CheckResult> {
  return grade(await collect(nameOf(domainName), collectOptions(options)), options.profile);
}

/**
 * Maximum TCP connections to one address at depth `inventory`: enough for a server with
 * every suite.
 */
const INVENTORY_BUDGET = 150;

/** Fills in every default: depth `verdict`, profile `baseline`. */
export function collectOptions(options: CheckOptions): CollectOptions {
  const {
    network = nodeNetwork(),
    mx,
    control,
    profile = baseline,
    depth = 'verdict',
    optOut,
    ...rest
  } = options;
  const goals = goalsOf(profile, depth);
  const questions = depth === 'inventory' ? INVENTORY_BUDGET : DEFAULT_BUDGET;
  const budget = rest.budget ?? questions + (rest.senders?.length ?? 0);
  return {
    reach: reachOf(rest.address, rest.upstreams),
    ...rest,
    depth,
    goals,
    budget,
    manners: new ConnectionLimiter({ budget, optOut }),
    network,
    trustStore: options.trustStore ?? builtinTrustStore(),
    resolver: withoutBlame(
      chooseResolver(options, { network, roots: options.trustStore, clock: rest.clock }),
    ),
    mx: mx === undefined ? undefined : nameOf(mx),
    control: control === undefined ? undefined : nameOf(control),
  };
}

/**
 * Returns a resolver that reports no zone as bogus because of a fault of this machine,
 * such as an outdated trust anchor or a wrong clock. The state of the zone is then
 * unknown.
 */
function withoutBlame(resolver: Resolver): Resolver {
  return {
    ask: async (...question) => {
      const answer = await resolver.ask(...question);
      const isOwnFault = answer.dnssec === 'bogus' && answer.failure?.blame === 'local';
      return isOwnFault ? { ...answer, dnssec: 'indeterminate' } : answer;
    },
    health: () => resolver.health(),
  };
}

/**
 * Parses the domain name that an operator typed. Throws HermeticError for an invalid one.
 */
export function nameOf(text: string): Name {
  const parsed = parseDomain(text);
  if (parsed.ok) return parsed.value;
  const { code, detail } = parsed.failure;
  throw new HermeticError(
    code,
    `${text === '' ? 'the empty text' : text}: ${detail || 'not a domain name'}`,
    {
      fix: 'Give the part after the @ of a mail address, such as example.com.',
    },
  );
}

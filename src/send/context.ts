import { hostname } from 'node:os';
import { HermeticError, steadyTime, systemClock, type Clock, type Name } from '../base/index.js';
import { chooseResolver, type Resolver, type ResolverChoice } from '../dns/index.js';
import {
  createStsSource,
  fetchPolicy,
  memoryStsCache,
  type StsCache,
  type StsEntry,
  type StsSource,
} from '../mta-sts/index.js';
import { guarded, nodeNetwork, type Network } from '../net/index.js';
import type { DecideOptions } from '../tls-policy/index.js';
import { builtinTrustStore } from '../tls/index.js';
import type { TrustStore } from '../x509/index.js';

/** Options of a sender. The defaults suit a mail server on the Internet. */
export interface SenderOptions extends Omit<DecideOptions, 'tlsRequiredNo'>, ResolverChoice {
  readonly network?: Network;
  /**
   * True to refuse private and special addresses of mail and policy hosts, if other
   * parties choose the recipients. Default false.
   */
  readonly publicOnly?: boolean;
  /** Trusted root certificates. Default: the roots that come with Node. */
  readonly trustStore?: TrustStore;
  /**
   * The cache of MTA-STS policies. Default: a cache in memory, which is empty after every
   * start. An on-path attacker can then suppress the discovery of policies (RFC 8461
   * §10.2); `stsStore` avoids this.
   */
  readonly stsCache?: StsCache;
  readonly clock?: Clock;
  /** The host name in EHLO. Default: the name of the machine. */
  readonly helo?: string;
  readonly smtpPort?: number;
  readonly httpsPort?: number;
  /** Timeout in milliseconds for each reply of a mail server. Default 60 000. */
  readonly timeoutMs?: number;
  /**
   * Timeout in milliseconds for one fetch of a policy. Default 60 000 (RFC 8461 §3.3).
   */
  readonly fetchTimeoutMs?: number;
  /** Maximum number of addresses that are tried for one message. Default 10. */
  readonly maxAttempts?: number;
  /**
   * Returns a random number from 0 to 1. MX hosts of equal preference are tried in random
   * order (RFC 5321 §5.1).
   */
  random?(): number;
  /** Receives a cached policy in force whose refresh fails repeatedly. */
  onWarning?(stsEntry: StsEntry): void;
}

/** The options of a sender, with every default filled in. */
export interface SendContext extends DecideOptions {
  readonly network: Network;
  readonly resolver: Resolver;
  readonly stsSource: StsSource;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  /** Returns milliseconds since 1970, unaffected by corrections of the wall clock. */
  readonly now: () => number;
  readonly helo: string;
  readonly smtpPort: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly random: () => number;
}

/**
 * Fills in the defaults and connects resolver, policy cache and network.
 *
 * @throws HermeticError `send-helo-invalid`
 */
export function sendContext(options: SenderOptions): SendContext {
  const {
    clock = systemClock,
    trustStore = builtinTrustStore(),
    fetchTimeoutMs = 60_000,
    httpsPort = 443,
    helo = ownName(),
  } = options;
  if (!/^(\[[0-9A-Fa-f:.IPv]+\]|[A-Za-z0-9.-]+)$/.test(helo))
    throw new HermeticError('send-helo-invalid', `helo: ${helo} is not a host name`, {
      fix: 'Set the name that this machine sends in EHLO.',
    });
  const localNetwork = options.network ?? nodeNetwork();
  const network = options.publicOnly ? guarded(localNetwork) : localNetwork;
  // The operator's own resolver often has a private address, so its network is not
  // guarded.
  const resolver = chooseResolver(options, {
    network: localNetwork,
    clock,
    roots: options.trustStore,
  });
  const now = steadyTime(clock);
  const stsSource = createStsSource({
    resolver,
    cache: options.stsCache ?? memoryStsCache({ now }),
    now,
    fetch: (domain: Name, signal: AbortSignal) =>
      fetchPolicy({
        network,
        resolver,
        domain,
        anchors: trustStore,
        validationTime: clock.now(),
        port: httpsPort,
        timeoutMs: fetchTimeoutMs,
        signal,
      }),
    onWarning: (stsEntry: StsEntry) => options.onWarning?.(stsEntry),
  });
  return {
    ...decideOptions(options),
    network,
    resolver,
    stsSource,
    trustStore,
    clock,
    now,
    helo,
    smtpPort: options.smtpPort ?? 25,
    timeoutMs: options.timeoutMs ?? 60_000,
    maxAttempts: options.maxAttempts ?? 10,
    random: options.random ?? Math.random,
  };
}

function decideOptions({
  dane,
  mtaSts,
  daneSuffices,
  daneWithInsecureMx,
  require,
  observe,
  exemptions,
}: SenderOptions): DecideOptions {
  return { dane, mtaSts, daneSuffices, daneWithInsecureMx, require, observe, exemptions };
}

/**
 * Returns the name of the machine for EHLO, if it is fully qualified: many servers refuse
 * other EHLO names (RFC 5321 §4.1.4).
 */
function ownName(): string {
  const hostName = hostname();
  return /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(hostName) ? hostName : 'localhost.localdomain';
}

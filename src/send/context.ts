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

/** Options of a sender. Each has a default that suits a mail server on the Internet. */
export interface SenderOptions extends Omit<DecideOptions, 'tlsRequiredNo'>, ResolverChoice {
  readonly network?: Network;
  /**
   * Refuse private and special addresses of mail and policy hosts: for senders that serve
   * others. Default false.
   */
  readonly publicOnly?: boolean;
  /** Default: the roots that come with Node. */
  readonly trustStore?: TrustStore;
  /**
   * The cache of MTA-STS policies. Default: in memory, so that every start is a first
   * contact, which an on-path attacker can suppress (RFC 8461 §10.2). See `stsStore`.
   */
  readonly stsCache?: StsCache;
  readonly clock?: Clock;
  /** Name in EHLO. Default: that of the machine. */
  readonly helo?: string;
  readonly smtpPort?: number;
  readonly httpsPort?: number;
  /** Milliseconds for each step that waits for a mail server. Default 60 000. */
  readonly timeoutMs?: number;
  /** Milliseconds for one fetch of a policy. Default 60 000 (RFC 8461 §3.3). */
  readonly fetchTimeoutMs?: number;
  /** Maximum number of servers tried for one message. Default 10. */
  readonly maxAttempts?: number;
  /** A number from 0 to 1: equal MX hosts are tried in random order (RFC 5321 §5.1). */
  random?(): number;
  /** Called when the refresh of a policy in force fails repeatedly. */
  onWarning?(stsEntry: StsEntry): void;
}

/** Options with every default filled in. */
export interface SendContext extends DecideOptions {
  readonly network: Network;
  readonly resolver: Resolver;
  readonly stsSource: StsSource;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  /** Milliseconds since 1970 by a clock that no correction changes. */
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

/** RFC 5321 §4.1.4: many servers refuse an EHLO name that is not fully qualified. */
function ownName(): string {
  const hostName = hostname();
  return /^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(hostName) ? hostName : 'localhost.localdomain';
}

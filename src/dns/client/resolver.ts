import {
  BoundedMap,
  Name,
  ok,
  SingleFlight,
  systemClock,
  type Clock,
  type Failure,
  type Result,
} from '../../base/index.js';
import type { Network } from '../../net/index.js';
import { authenticate, builtinTrustStore, type ServerIdentity } from '../../tls/index.js';
import { dnssecFailures } from '../dnssec/failures.js';
import {
  rootAnchors,
  validate,
  type CachedZone,
  type ValidationLimits,
  type TrustAnchor,
} from '../dnssec/validate/index.js';
import type { DnsAnswer, AskOptions, Resolver, ResolverHealth } from '../types.js';
import type { Message } from '../wire/message.js';
import { Rcode, RRType } from '../wire/types-registry.js';
import { answerSize, recordSize, textSize } from './answer-size.js';
import { transportFailures } from './failures.js';
import {
  askUpstream,
  TlsConnectionPool,
  type QueryFlags,
  type SecureStream,
  type TransportOptions,
} from './transport.js';
import { answerByAd } from './trusted-ad.js';
import { isAnswer, unvalidatedAnswer } from './unvalidated-answer.js';
import type { Upstream } from './upstream.js';

/** The ports, upstreams and limits of a resolver. */
export interface ResolverOptions {
  readonly network: Network;
  /**
   * Upstream resolvers in order of preference. Further ones are queried when one fails or
   * returns a bogus answer.
   */
  readonly upstreams: readonly Upstream[];
  /** Default the root's. */
  readonly anchors?: readonly TrustAnchor[];
  readonly clock?: Clock;
  /**
   * Trust the upstream's AD bit instead of validating. Only for a resolver on this
   * machine or one reached by TLS.
   */
  readonly trustAd?: boolean;
  /** Timeout of one datagram, milliseconds. Default 2000. */
  readonly timeoutMs?: number;
  /** Datagrams to one upstream before it counts as failed. Default 2. */
  readonly attempts?: number;
  /**
   * Trust anchors for the certificates of `tls://` upstreams. Default: the roots of Node.
   */
  readonly roots?: ServerIdentity['anchors'];
  readonly limits?: Partial<ValidationLimits>;
  /**
   * Tolerance for the dates of DNSSEC signatures, seconds. Default: the value in
   * `limits`.
   */
  readonly clockSkew?: number;
  /**
   * Maximum number of cached answers, and of cached zones per upstream. Default 10 000.
   */
  readonly cacheSize?: number;
}

/** Octets of the answer cache, and of the zone cache of each upstream. */
const MAX_CACHED_OCTETS = 16_000_000;
/**
 * Octets of the largest answer that is cached. No key, policy or mail route is larger.
 */
const MAX_ANSWER_OCTETS = 8192;

type State = ResolverHealth['upstreams'][number]['state'];

/**
 * Milliseconds for which a failure is cached, so that repeated queries cannot force
 * repeated work (RFC 4035 §4.7).
 */
const FAILURE_KEPT = 5_000;

/** Milliseconds after which the validation test of a trusted resolver is repeated. */
const PROBE_KEPT = 3_600_000;

/** States that a later answer does not clear. */
const lasting: readonly State[] = ['strips-dnssec', 'does-not-validate', 'lies'];

/**
 * Creates a validating stub resolver with a cache. After a failure or a bogus answer of
 * one upstream, the next one is queried: a forging upstream gains nothing by answering
 * first.
 */
export function createResolver(options: ResolverOptions): Resolver {
  const { upstreams, anchors = rootAnchors, clock = systemClock, cacheSize = 10_000 } = options;
  const transport: TransportOptions = {
    network: options.network,
    secure: (connection, name, limits) => overTls(connection, name, limits),
    connections: new TlsConnectionPool(),
    timeoutMs: options.timeoutMs ?? 2_000,
    attempts: options.attempts ?? 2,
  };
  const limits =
    options.clockSkew === undefined
      ? options.limits
      : { ...options.limits, clockSkew: options.clockSkew };
  const answers = new BoundedMap<{ answer: DnsAnswer; until: number }>(cacheSize, {
    maximum: MAX_CACHED_OCTETS,
    weigh: ({ answer }) => answerSize(answer),
  });
  const zones = upstreams.map(
    () =>
      new BoundedMap<CachedZone>(cacheSize, {
        maximum: MAX_CACHED_OCTETS,
        weigh: ({ grounds }) => textSize(grounds),
      }),
  );
  const questions = new SingleFlight<DnsAnswer>();
  const exchanges = new SingleFlight<Result<Message>>();
  /** Upstreams whose last exchange failed. The others are queried first. */
  const troubled = new Set<Upstream>();
  const states = new Map<Upstream, State>(upstreams.map((upstream) => [upstream, 'untried']));
  /** The times until which an upstream is known to validate. */
  const validating = new Map<Upstream, number>();

  /** RFC 7858, authenticated by name (RFC 8310 §8.1). */
  const overTls: SecureStream = async (connection, serverName, limits) => {
    const made = await authenticate({
      connection,
      serverName,
      anchors: options.roots ?? builtinTrustStore(),
      validationTime: clock.now(),
      alpn: ['dot'],
      ...limits,
    });
    return made.ok ? ok(made.value.connection) : made;
  };

  async function resolve(
    name: Name,
    type: number,
    unproved: boolean,
    signal: AbortSignal,
  ): Promise<DnsAnswer> {
    let worst: DnsAnswer | undefined;
    let liar: Upstream | undefined;
    let stripping: { readonly upstream: Upstream; readonly failure: Failure } | undefined;
    for (const [index, upstream] of inOrder()) {
      // The AD bit counts only where the resolver was declared trusted (RFC 7672 §2.1.1
      // [7672-2.1.1-4]).
      const answer = await (options.trustAd
        ? viaAd(upstream, name, type, signal)
        : viaValidation(upstream, index, name, type, signal));
      if (answer.status !== 'failed') {
        if (liar && answer.dnssec === 'secure') states.set(liar, 'lies');
        return answer;
      }
      if (answer.dnssec === 'bogus') liar = upstream;
      const { failure } = answer;
      if (failure && /^dnssec-(stripped|not-validating)$/.test(failure.code))
        stripping = { upstream, failure };
      // Return the most specific failure: bogus before indeterminate.
      if (!worst || (worst.dnssec !== 'bogus' && answer.dnssec === 'bogus')) worst = answer;
    }
    if (unproved && stripping && worst?.dnssec !== 'bogus')
      return withoutProof(stripping.upstream, name, type, stripping.failure, signal);
    return worst ?? failed(name, type, transportFailures.make('dns-no-upstream'));
  }

  async function viaValidation(
    upstream: Upstream,
    index: number,
    name: Name,
    type: number,
    signal?: AbortSignal,
  ): Promise<DnsAnswer> {
    const answer = await validate({
      name,
      type,
      anchors,
      now: clock.now(),
      cache: zones[index],
      limits,
      fetch: async (asked, askedType) => {
        const message = await exchange(
          upstream,
          asked,
          askedType,
          { checkingDisabled: true, authenticData: false },
          signal,
        );
        if (message.ok) return { ok: true, message: message.value };
        return message;
      },
    });
    const suspect = answer.dnssec === 'bogus' || answer.failure?.code === 'dnssec-stripped';
    if (!suspect || !(await strips(upstream, name, signal))) return answer;
    note(upstream, 'strips-dnssec');
    return {
      ...answer,
      status: 'failed',
      dnssec: 'indeterminate',
      failure: dnssecFailures.make('dnssec-stripped', upstream.label),
    };
  }

  /**
   * Returns true if an upstream strips DNSSEC records. The zone of the trust anchor is
   * known to be signed, so an upstream that returns its keys without signatures strips
   * those of all zones.
   */
  async function strips(upstream: Upstream, name: Name, signal?: AbortSignal): Promise<boolean> {
    const above = anchors
      .filter(({ zone }) => name.isAtOrBelow(zone))
      .sort((left, right) => right.zone.labels.length - left.zone.labels.length);
    if (!above[0]) return false;
    const keys = await exchange(
      upstream,
      above[0].zone,
      RRType.DNSKEY,
      { checkingDisabled: true, authenticData: false },
      signal,
    );
    return (
      keys.ok &&
      isAnswer(keys.value) &&
      !keys.value.answers.some((record) => record.type === RRType.RRSIG)
    );
  }

  async function withoutProof(
    upstream: Upstream,
    name: Name,
    type: number,
    failure: Failure,
    signal: AbortSignal,
  ): Promise<DnsAnswer> {
    const message = await exchange(
      upstream,
      name,
      type,
      { checkingDisabled: true, authenticData: false },
      signal,
    );
    if (!message.ok) return failed(name, type, message.failure);
    if (!isAnswer(message.value)) return failed(name, type, failure);
    return { ...unvalidatedAnswer(name, type, message.value, 'indeterminate'), failure };
  }

  /**
   * Tests whether an upstream validates. Returns a failure if the AD bit is missing from
   * an answer on which every validator sets it (RFC 6840 §5.7).
   */
  async function doubtOf(upstream: Upstream, signal?: AbortSignal): Promise<Failure | undefined> {
    if ((validating.get(upstream) ?? 0) > clock.now()) return undefined;
    // AD is clear in the query: DO alone makes a validator set it, and a forwarder that
    // copies header bits does not.
    const message = await exchange(
      upstream,
      Name.root,
      RRType.NS,
      { checkingDisabled: false, authenticData: false },
      signal,
    );
    if (!message.ok) return message.failure;
    if (message.value.rcode === Rcode.NOERROR && message.value.authenticData) {
      validating.set(upstream, clock.now() + PROBE_KEPT);
      return undefined;
    }
    note(upstream, 'does-not-validate');
    return dnssecFailures.make('dnssec-not-validating', upstream.label);
  }

  /** Resolves by the AD bit of an upstream that passed the validation test. */
  async function viaAd(
    upstream: Upstream,
    name: Name,
    type: number,
    signal?: AbortSignal,
  ): Promise<DnsAnswer> {
    const doubt = await doubtOf(upstream, signal);
    if (doubt) return failed(name, type, doubt);
    const message = await exchange(
      upstream,
      name,
      type,
      { checkingDisabled: false, authenticData: true },
      signal,
    );
    if (!message.ok) return failed(name, type, message.failure);
    if (message.value.rcode !== Rcode.SERVFAIL) return answerByAd(name, type, message.value);
    const unchecked = await exchange(
      upstream,
      name,
      type,
      { checkingDisabled: true, authenticData: true },
      signal,
    );
    return answerByAd(name, type, message.value, unchecked.ok ? unchecked.value : undefined);
  }

  /**
   * Queries an upstream. Concurrent lookups need the same keys, so DS, DNSKEY and root
   * queries share one exchange.
   */
  async function exchange(
    upstream: Upstream,
    name: Name,
    type: number,
    flags: QueryFlags,
    signal?: AbortSignal,
  ): Promise<Result<Message>> {
    const key = `${upstream.label} ${Number(flags.checkingDisabled)} ${type} ${name.key}`;
    const question = (until?: AbortSignal): Promise<Result<Message>> =>
      askUpstream(upstream, name, type, flags, transport, until);
    const message = await (type === RRType.DS || type === RRType.DNSKEY || name.isRoot
      ? exchanges.run(key, question, signal)
      : question(signal));
    const refused = message.ok && message.value.rcode === Rcode.REFUSED;
    if (message.ok && !refused) troubled.delete(upstream);
    else troubled.add(upstream);
    const failed = message.ok
      ? undefined
      : message.failure.code === 'dns-tls-failed'
        ? 'tls-failed'
        : 'silent';
    note(upstream, failed ?? (refused ? 'refuses' : 'answers'));
    return message;
  }

  function inOrder(): readonly (readonly [number, Upstream])[] {
    const bad = (upstream: Upstream): boolean =>
      troubled.has(upstream) ||
      states.get(upstream) === 'lies' ||
      states.get(upstream) === 'strips-dnssec';
    return [...upstreams.entries()].sort(
      ([, upstream], [, b]) => Number(bad(upstream)) - Number(bad(b)),
    );
  }

  function note(upstream: Upstream, state: State): void {
    const known = states.get(upstream) as State;
    // A single failed query does not mark an upstream that has answered others.
    const once =
      known === 'answers' && (state === 'silent' || state === 'refuses' || state === 'tls-failed');
    if (!lasting.includes(known) && !once) states.set(upstream, state);
  }

  return {
    ask(
      name: Name,
      type: number,
      { signal, acceptUnvalidated = false }: AskOptions = {},
    ): Promise<DnsAnswer> {
      if (signal?.aborted) return Promise.reject(signal.reason as Error);
      const key = `${acceptUnvalidated ? 'unproved ' : ''}${type} ${name.key}`;
      const known = answers.get(key);
      const left = known ? known.until - clock.now() : 0;
      if (known && left > 0)
        return Promise.resolve({
          ...known.answer,
          ttl: Math.min(known.answer.ttl, Math.ceil(left / 1000)),
        });
      const work = async (shared: AbortSignal): Promise<DnsAnswer> => {
        const answer = await resolve(name, type, acceptUnvalidated, shared);
        if (recordSize(answer.records) > MAX_ANSWER_OCTETS) return answer;
        answers.set(key, {
          answer,
          until: clock.now() + (answer.status === 'failed' ? FAILURE_KEPT : answer.ttl * 1000),
        });
        return answer;
      };
      return questions.run(key, work, signal);
    },
    health: () => ({
      upstreams: upstreams.map((upstream) => ({
        label: upstream.label,
        state: states.get(upstream) as State,
      })),
    }),
  };
}

function failed(name: Name, type: number, failure: NonNullable<DnsAnswer['failure']>): DnsAnswer {
  return {
    question: { name, type },
    status: 'failed',
    dnssec: 'indeterminate',
    records: [],
    canonicalName: name,
    aliases: [],
    ttl: 0,
    failure,
  };
}

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

export interface ResolverOptions {
  readonly network: Network;
  /** In the order of preference; more are asked when one fails or its answer is bogus. */
  readonly upstreams: readonly Upstream[];
  /** Default the root's. */
  readonly anchors?: readonly TrustAnchor[];
  readonly clock?: Clock;
  /**
   * Believe the upstream's AD bit instead of validating: only for a resolver on this
   * machine or reached by TLS.
   */
  readonly trustAd?: boolean;
  /** Milliseconds for one datagram. Default 2000. */
  readonly timeoutMs?: number;
  /** Datagrams to one upstream. Default 2. */
  readonly attempts?: number;
  /**
   * Roots that the certificates of `tls://` upstreams lead to. Default those that come
   * with Node.
   */
  readonly roots?: ServerIdentity['anchors'];
  readonly limits?: Partial<ValidationLimits>;
  /**
   * Seconds by which a DNSSEC signature may miss its dates; from `limits` where it is not
   * given.
   */
  readonly clockSkew?: number;
  /** Answers and zones kept. Default 10 000. */
  readonly cacheSize?: number;
}

/** Octets of cached answers, and of the cached zones of each upstream. */
const MAX_CACHED_OCTETS = 16_000_000;
/**
 * Octets of the records of one answer that is cached: no key, policy or route is larger.
 */
const MAX_ANSWER_OCTETS = 8192;

type State = ResolverHealth['upstreams'][number]['state'];

/**
 * Milliseconds a failure is remembered, so that nobody can force work by asking again
 * (RFC 4035 §4.7).
 */
const FAILURE_KEPT = 5_000;

/** Milliseconds after which a trusted resolver is tried anew. */
const PROBE_KEPT = 3_600_000;

/** What no single answer takes back. */
const lasting: readonly State[] = ['strips-dnssec', 'does-not-validate', 'lies'];

/**
 * A validating stub resolver with cache. One bad upstream does not win by being first: on
 * a failure or a bogus answer the next one is asked.
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
  /** Upstreams whose last exchange failed: the others are asked first. */
  const troubled = new Set<Upstream>();
  const states = new Map<Upstream, State>(upstreams.map((upstream) => [upstream, 'untried']));
  /** Until when an upstream is known to validate. */
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
      // Of several failures the one that says most is told: bogus before could-not-tell.
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
   * The anchor's zone is known to exist and to be signed: a resolver that shows no signed
   * keys of it shows nobody's.
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
   * Why the AD bit of an upstream says nothing: it is missing from an answer that whoever
   * validates sets it on (RFC 6840 §5.7).
   */
  async function doubtOf(upstream: Upstream, signal?: AbortSignal): Promise<Failure | undefined> {
    if ((validating.get(upstream) ?? 0) > clock.now()) return undefined;
    // The bit is not set in the question: DO alone has a validator set it, and one that
    // merely copies questions does not.
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

  /** Takes the word of a resolver that was seen to validate. */
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
   * Questions that run at the same time need the same keys: each is asked once. What only
   * one of them asks is shared with it.
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
    // One question without an answer is that question's; a resolver that has answered
    // others is not at fault.
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

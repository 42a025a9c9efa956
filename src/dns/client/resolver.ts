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
import { standardAlgorithms } from '../dnssec/algorithms.js';
import { dnssecFailures } from '../dnssec/failures.js';
import { rememberSignatures } from '../dnssec/remember-signatures.js';
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
import { AnswerCache, type Resolved, type Stripping } from './answer-cache.js';
import { transportFailures } from './failures.js';
import { ConnectionPool, type SecureStream, type TransportOptions } from './stream-transport.js';
import { LimitedExchanges } from './limit-exchanges.js';
import { askUpstream, type QueryFlags, type UpstreamQuery } from './transport.js';
import { answerByAd } from './trusted-ad.js';
import { isAnswer, unvalidatedAnswer } from './unvalidated-answer.js';
import type { Upstream } from './upstream.js';

/** The network, the upstreams and the limits of a resolver. */
export interface ResolverOptions {
  readonly network: Network;
  /**
   * Upstream resolvers in order of preference. The resolver queries the next one if an
   * upstream fails or returns a bogus answer.
   */
  readonly upstreams: readonly Upstream[];
  /** DNSSEC trust anchors. Default: those of the root. */
  readonly anchors?: readonly TrustAnchor[];
  readonly clock?: Clock;
  /**
   * Whether to trust the upstream's AD bit instead of validating the answers. Set this
   * option only for a resolver on the same machine, or for a resolver with TLS.
   */
  readonly trustAd?: boolean;
  /** Timeout of one UDP query, milliseconds. Default 2000. */
  readonly timeoutMs?: number;
  /**
   * Maximum UDP queries to one upstream before the upstream is considered failed. Default
   * 2.
   */
  readonly attempts?: number;
  /**
   * Trust anchors for the certificates of `tls://` upstreams. Default: the roots of Node.
   */
  readonly roots?: ServerIdentity['anchors'];
  readonly limits?: Partial<ValidationLimits>;
  /**
   * Tolerance for the inception and expiration times of DNSSEC signatures, seconds.
   * Default: the value in `limits`.
   */
  readonly clockSkew?: number;
  /**
   * Maximum number of cached answers, and of cached zones per upstream. Default 10 000.
   */
  readonly cacheSize?: number;
  /**
   * Maximum memory of the cached answers, and of the cached zones per upstream, in
   * estimated octets. Default 32 000 000. A scan needs about 10 000 octets for each
   * distinct mail host.
   */
  readonly cacheOctets?: number;
}

/** Default of {@link ResolverOptions.cacheOctets}. */
const DEFAULT_CACHE_OCTETS = 32_000_000;
/** Maximum concurrent UDP exchanges of a resolver: each opens a socket. */
const MAX_DATAGRAMS = 500;
type State = ResolverHealth['upstreams'][number]['state'];

/** One question to an upstream. */
interface Question {
  readonly name: Name;
  readonly type: number;
}

/** Milliseconds for which the validation test of a trusted upstream remains valid. */
const VALIDATION_TEST_MS = 3_600_000;

/** States that a later successful answer does not clear. */
const lasting: readonly State[] = ['strips-dnssec', 'does-not-validate', 'forges'];

/** Flags of a query whose answer this resolver validates (RFC 6840 §5.9). */
const VALIDATING: QueryFlags = { checkingDisabled: true, authenticData: false };

/**
 * Creates a validating stub resolver with a cache. After a failure or a bogus answer of
 * one upstream, the resolver queries the next one, so a forged answer does not stop the
 * lookup.
 */
export function createResolver(options: ResolverOptions): Resolver {
  const resolver = new CachingResolver(options);
  return {
    ask: (domainName, recordType, asked) => resolver.ask(domainName, recordType, asked),
    health: () => resolver.health(),
  };
}

/**
 * Implementation of {@link createResolver}. Signatures prove data, denials and the
 * security status, unless the operator declared an upstream trusted.
 */
class CachingResolver {
  readonly #options: ResolverOptions;
  readonly #clock: Clock;
  readonly #anchors: readonly TrustAnchor[];
  readonly #limits: Partial<ValidationLimits> | undefined;
  readonly #algorithms = rememberSignatures(standardAlgorithms);
  readonly #transport: TransportOptions;
  readonly #answers: AnswerCache;
  /**
   * Zones with proved security status, by upstream: a proof from one upstream is not used
   * for another.
   */
  readonly #zones: ReadonlyMap<Upstream, BoundedMap<CachedZone>>;
  readonly #exchanges = new SingleFlight<Result<Message>>();
  /**
   * Upstreams whose last exchange failed. The resolver queries the other upstreams first.
   */
  readonly #failing = new Set<Upstream>();
  readonly #states: Map<Upstream, State>;
  /** For each upstream, the time at which the result of its validation test expires. */
  readonly #validatingUntil = new Map<Upstream, number>();
  #questions = 0;

  constructor(options: ResolverOptions) {
    const { upstreams, anchors = rootAnchors, clock = systemClock } = options;
    const { cacheSize = 10_000, cacheOctets = DEFAULT_CACHE_OCTETS } = options;
    this.#options = options;
    this.#clock = clock;
    this.#anchors = anchors;
    this.#limits = limitsOf(options);
    this.#transport = {
      network: new LimitedExchanges(options.network, MAX_DATAGRAMS),
      secure: (connection, name, limits) => this.#secure(connection, name, limits),
      connections: new ConnectionPool(),
      timeoutMs: options.timeoutMs ?? 2_000,
      attempts: options.attempts ?? 2,
    };
    this.#answers = new AnswerCache(cacheSize, cacheOctets, clock);
    const weight = { maximum: cacheOctets, weigh: ({ octets }: CachedZone) => octets };
    this.#zones = new Map(
      upstreams.map((upstream) => [upstream, new BoundedMap<CachedZone>(cacheSize, weight)]),
    );
    this.#states = new Map(upstreams.map((upstream) => [upstream, 'untried']));
  }

  /**
   * Returns the cached answer with its remaining TTL, or resolves the question.
   * Concurrent calls with the same question share one resolution.
   */
  ask(
    domainName: Name,
    recordType: number,
    { signal, acceptUnvalidated = false }: AskOptions = {},
  ): Promise<DnsAnswer> {
    const question = { name: domainName, type: recordType };
    const cacheKey = `${recordType} ${domainName.key}`;
    const resolved = this.#answers.get(cacheKey, signal, (shared) =>
      this.#resolve(question, shared),
    );
    if (!acceptUnvalidated) return resolved.then(({ answer }) => answer);
    return resolved.then(async ({ answer, stripping }) => {
      if (!stripping) return answer;
      const unvalidated = await this.#answers.get(
        `unvalidated ${cacheKey}`,
        signal,
        async (shared) => ({
          answer: await this.#resolveUnvalidated(stripping, question, shared),
        }),
      );
      return unvalidated.answer;
    });
  }

  /** Returns the state of each upstream as observed so far. */
  health(): ResolverHealth {
    return {
      questions: this.#questions,
      upstreams: this.#options.upstreams.map((upstream) => ({
        label: upstream.label,
        state: this.#states.get(upstream) as State,
      })),
    };
  }

  /**
   * Queries the upstreams in order until one of them returns an answer without a failure.
   */
  async #resolve(question: Question, abortSignal?: AbortSignal): Promise<Resolved> {
    let worst: DnsAnswer | undefined;
    let forging: Upstream | undefined;
    let stripping: Stripping | undefined;
    for (const upstream of this.#inOrder()) {
      // The AD bit is used only if the operator declared the resolver trusted
      // (RFC 7672 §2.1.1 [7672-2.1.1-4]).
      const dnsAnswer = await (this.#options.trustAd
        ? this.#resolveByAd(upstream, question, abortSignal)
        : this.#resolveByValidation(upstream, question, abortSignal));
      if (dnsAnswer.status !== 'failed') {
        if (forging && dnsAnswer.dnssec === 'secure') this.#states.set(forging, 'forges');
        return { answer: dnsAnswer };
      }
      if (dnsAnswer.dnssec === 'bogus') forging = upstream;
      const { failure } = dnsAnswer;
      if (failure && /^dnssec-(stripped|not-validating)$/.test(failure.code))
        stripping = { upstream, failure };
      // The most specific failure is returned: `bogus` has precedence over
      // `indeterminate`.
      if (!worst || (worst.dnssec !== 'bogus' && dnsAnswer.dnssec === 'bogus')) worst = dnsAnswer;
    }
    const answer = worst ?? failedAnswer(question, transportFailures.make('dns-no-upstream'));
    return { answer, stripping: answer.dnssec === 'bogus' ? undefined : stripping };
  }

  /**
   * Resolves and validates a question through one upstream. A bogus result may have a
   * cause outside the zone: if a resolver strips signatures, every signed zone appears
   * bogus. This method therefore tests the upstream before it reports a fault of the
   * zone.
   */
  async #resolveByValidation(
    upstream: Upstream,
    { name, type }: Question,
    abortSignal?: AbortSignal,
  ): Promise<DnsAnswer> {
    const dnsAnswer = await validate({
      name,
      type,
      anchors: this.#anchors,
      now: this.#clock.now(),
      cache: this.#zones.get(upstream),
      limits: this.#limits,
      algorithms: this.#algorithms,
      fetch: async (asked, askedType) => {
        const query = { name: asked, type: askedType, flags: VALIDATING };
        const message = await this.#exchange(upstream, query, abortSignal);
        if (message.ok) return { ok: true, message: message.value };
        return message;
      },
    });
    const suspect = dnsAnswer.dnssec === 'bogus' || dnsAnswer.failure?.code === 'dnssec-stripped';
    if (!suspect || !(await this.#stripsDnssec(upstream, name, abortSignal))) return dnsAnswer;
    this.#note(upstream, 'strips-dnssec');
    return {
      ...dnsAnswer,
      status: 'failed',
      dnssec: 'indeterminate',
      failure: dnssecFailures.make('dnssec-stripped', upstream.label),
    };
  }

  /**
   * Returns whether an upstream strips DNSSEC records. The zone of the trust anchor is
   * known to be signed. An upstream that returns the keys of that zone without signatures
   * strips the signatures of all zones.
   */
  async #stripsDnssec(
    upstream: Upstream,
    domainName: Name,
    abortSignal?: AbortSignal,
  ): Promise<boolean> {
    const [closest] = this.#anchors
      .filter(({ zone }) => domainName.isAtOrBelow(zone))
      .sort((left, right) => right.zone.labelCount - left.zone.labelCount);
    if (!closest) return false;
    const query = { name: closest.zone, type: RRType.DNSKEY, flags: VALIDATING };
    const keys = await this.#exchange(upstream, query, abortSignal);
    return (
      keys.ok &&
      isAnswer(keys.value) &&
      !keys.value.answers.some((resourceRecord) => resourceRecord.type === RRType.RRSIG)
    );
  }

  /** Returns the data of an upstream that strips DNSSEC, with status `indeterminate`. */
  async #resolveUnvalidated(
    { upstream, failure }: Stripping,
    question: Question,
    abortSignal?: AbortSignal,
  ): Promise<DnsAnswer> {
    const { name, type } = question;
    const message = await this.#exchange(upstream, { name, type, flags: VALIDATING }, abortSignal);
    if (!message.ok) return failedAnswer(question, message.failure);
    if (!isAnswer(message.value)) return failedAnswer(question, failure);
    return { ...unvalidatedAnswer(name, type, message.value, 'indeterminate'), failure };
  }

  /**
   * Tests whether an upstream validates. Returns a failure if the AD bit is missing from
   * an answer in which every validator sets it (RFC 6840 §5.7).
   */
  async #adBitDoubt(upstream: Upstream, abortSignal?: AbortSignal): Promise<Failure | undefined> {
    if ((this.#validatingUntil.get(upstream) ?? 0) > this.#clock.now()) return undefined;
    // The query has the AD bit clear and the DO bit set. A validator then sets AD, but a
    // forwarder that only copies header bits does not.
    const flags = { checkingDisabled: false, authenticData: false };
    const query = { name: Name.root, type: RRType.NS, flags };
    const message = await this.#exchange(upstream, query, abortSignal);
    if (!message.ok) return message.failure;
    if (message.value.rcode === Rcode.NOERROR && message.value.authenticData) {
      this.#validatingUntil.set(upstream, this.#clock.now() + VALIDATION_TEST_MS);
      return undefined;
    }
    this.#note(upstream, 'does-not-validate');
    return dnssecFailures.make('dnssec-not-validating', upstream.label);
  }

  /**
   * Resolves a question according to the AD bit of an upstream that passed the validation
   * test.
   */
  async #resolveByAd(
    upstream: Upstream,
    question: Question,
    abortSignal?: AbortSignal,
  ): Promise<DnsAnswer> {
    const doubt = await this.#adBitDoubt(upstream, abortSignal);
    if (doubt) return failedAnswer(question, doubt);
    const { name, type } = question;
    const ask = (checkingDisabled: boolean): Promise<Result<Message>> => {
      const flags = { checkingDisabled, authenticData: true };
      return this.#exchange(upstream, { name, type, flags }, abortSignal);
    };
    const message = await ask(false);
    if (!message.ok) return failedAnswer(question, message.failure);
    if (message.value.rcode !== Rcode.SERVFAIL) return answerByAd(name, type, message.value);
    const unchecked = await ask(true);
    return answerByAd(name, type, message.value, unchecked.ok ? unchecked.value : undefined);
  }

  /**
   * Queries an upstream. Concurrent lookups need the same records, so identical DS,
   * DNSKEY and root queries share one exchange.
   */
  async #exchange(
    upstream: Upstream,
    upstreamQuery: UpstreamQuery,
    abortSignal?: AbortSignal,
  ): Promise<Result<Message>> {
    const { name, type, flags } = upstreamQuery;
    const send = (until?: AbortSignal): Promise<Result<Message>> => {
      this.#questions++;
      return askUpstream(upstream, upstreamQuery, this.#transport, until);
    };
    const isShared = type === RRType.DS || type === RRType.DNSKEY || name.isRoot;
    const flightKey = (): string =>
      `${upstream.label} ${Number(flags.checkingDisabled)} ${type} ${name.key}`;
    const message = await (isShared
      ? this.#exchanges.run(flightKey(), send, abortSignal)
      : send(abortSignal));
    const state = stateAfter(message);
    if (state === 'answers') this.#failing.delete(upstream);
    else this.#failing.add(upstream);
    this.#note(upstream, state);
    return message;
  }

  /**
   * Starts DNS over TLS (RFC 7858) and authenticates the server by name (RFC 8310 §8.1).
   */
  readonly #secure: SecureStream = async (connection, serverName, limits) => {
    const authenticated = await authenticate({
      connection,
      serverName,
      anchors: this.#options.roots ?? builtinTrustStore(),
      validationTime: this.#clock.now(),
      alpn: ['dot'],
      ...limits,
    });
    if (authenticated.ok) return ok(authenticated.value.connection);
    return authenticated;
  };

  /** Returns the upstreams in the order of preference, with failing upstreams last. */
  #inOrder(): readonly Upstream[] {
    const isBad = (upstream: Upstream): boolean => {
      const state = this.#states.get(upstream);
      return this.#failing.has(upstream) || state === 'forges' || state === 'strips-dnssec';
    };
    return [...this.#options.upstreams].sort(
      (left, right) => Number(isBad(left)) - Number(isBad(right)),
    );
  }

  /** Records the observed state of an upstream for `health`. */
  #note(upstream: Upstream, state: State): void {
    const known = this.#states.get(upstream) as State;
    // One failed query does not mark an upstream as failed if it has answered other
    // queries.
    const isSingle =
      known === 'answers' && (state === 'silent' || state === 'refuses' || state === 'tls-failed');
    if (!lasting.includes(known) && !isSingle) this.#states.set(upstream, state);
  }
}

/** Returns the validation limits; `clockSkew` overrides the value in `limits`. */
function limitsOf({ limits, clockSkew }: ResolverOptions): Partial<ValidationLimits> | undefined {
  if (clockSkew === undefined) return limits;
  return { ...limits, clockSkew };
}

/** Returns the state of an upstream after one exchange. */
function stateAfter(message: Result<Message>): State {
  if (!message.ok) return message.failure.code === 'dns-tls-failed' ? 'tls-failed' : 'silent';
  if (message.value.rcode === Rcode.REFUSED) return 'refuses';
  return 'answers';
}

/**
 * Returns a failed answer without data. The `ttl` of the answer is 0: the cache applies
 * its own TTL to failures.
 */
function failedAnswer(question: Question, failure: Failure): DnsAnswer {
  return {
    question,
    status: 'failed',
    dnssec: 'indeterminate',
    records: [],
    canonicalName: question.name,
    aliases: [],
    ttl: 0,
    failure,
  };
}

import { systemClock, type Clock, type Name } from '../../base/index.js';
import type { Network } from '../../net/index.js';
import { rootAnchors, validate, type CachedZone, type Limits, type TrustAnchor } from '../dnssec/validate/index.js';
import type { Answer, AskOptions, Resolver, ResolverHealth } from '../types.js';
import { Rcode } from '../wire/types-registry.js';
import { BoundedMap } from './bounded-map.js';
import { transportFailures } from './failures.js';
import { askUpstream, type Secure, type TransportOptions } from './transport.js';
import { answerByAd } from './trusted-ad.js';
import type { Upstream } from './upstream.js';

export interface ResolverOptions {
  readonly network: Network;
  /** In the order of preference; more are asked when one fails or its answer is bogus. */
  readonly upstreams: readonly Upstream[];
  /** Default the root's. */
  readonly anchors?: readonly TrustAnchor[];
  readonly clock?: Clock;
  /** Believe the upstream's AD bit instead of validating: only for a resolver on this machine or reached by TLS. */
  readonly trustAd?: boolean;
  /** Milliseconds for one datagram. Default 2000. */
  readonly timeoutMs?: number;
  /** Datagrams to one upstream. Default 2. */
  readonly attempts?: number;
  /** Needed for `tls://` upstreams. */
  readonly secure?: Secure;
  readonly limits?: Partial<Limits>;
  /** Answers and zones kept. Default 10 000. */
  readonly cacheSize?: number;
}

type State = ResolverHealth['upstreams'][number]['state'];

/** Milliseconds a failure is remembered, so that nobody can force work by asking again (RFC 4035 §4.7). */
const FAILURE_KEPT = 5_000;

/** A validating stub resolver with cache. One bad upstream does not win by being first: on a failure or a bogus answer the next one is asked. */
export function createResolver(options: ResolverOptions): Resolver {
  const { upstreams, anchors = rootAnchors, clock = systemClock, cacheSize = 10_000 } = options;
  const transport: TransportOptions = {
    network: options.network,
    secure: options.secure,
    timeoutMs: options.timeoutMs ?? 2_000,
    attempts: options.attempts ?? 2,
  };
  const answers = new BoundedMap<{ answer: Answer; until: number }>(cacheSize);
  const zones = upstreams.map(() => new BoundedMap<CachedZone>(cacheSize));
  const inFlight = new Map<string, Promise<Answer>>();
  const states = new Map<Upstream, State>(upstreams.map((u) => [u, 'untried']));

  async function resolve(name: Name, type: number, signal?: AbortSignal): Promise<Answer> {
    let worst: Answer | undefined;
    let liar: Upstream | undefined;
    for (const [i, upstream] of upstreams.entries()) {
      const answer = await (options.trustAd ? viaAd(upstream, name, type, signal) : viaValidation(upstream, i, name, type, signal));
      if (answer.status !== 'failed') {
        if (liar && answer.dnssec === 'secure') states.set(liar, 'lies');
        return answer;
      }
      if (answer.dnssec === 'bogus') liar = upstream;
      // Of several failures the one that says most is told: bogus before could-not-tell.
      if (!worst || (worst.dnssec !== 'bogus' && answer.dnssec === 'bogus')) worst = answer;
    }
    return worst ?? failed(name, type, transportFailures.make('dns-no-upstream'));
  }

  async function viaValidation(upstream: Upstream, i: number, name: Name, type: number, signal?: AbortSignal): Promise<Answer> {
    const answer = await validate({
      name,
      type,
      anchors,
      now: clock.now(),
      cache: zones[i] as BoundedMap<CachedZone>,
      ...(options.limits ? { limits: options.limits } : {}),
      fetch: async (asked, askedType) => {
        const message = await askUpstream(upstream, asked, askedType, { checkingDisabled: true, authenticData: false }, transport, signal);
        note(upstream, message.ok ? (message.value.rcode === Rcode.REFUSED ? 'refuses' : 'answers') : 'silent');
        return message.ok ? { ok: true, message: message.value } : message;
      },
    });
    if (answer.failure?.code === 'dnssec-stripped') note(upstream, 'strips-dnssec');
    return answer;
  }

  async function viaAd(upstream: Upstream, name: Name, type: number, signal?: AbortSignal): Promise<Answer> {
    const message = await askUpstream(upstream, name, type, { checkingDisabled: false, authenticData: true }, transport, signal);
    note(upstream, message.ok ? 'answers' : 'silent');
    if (!message.ok) return failed(name, type, message.failure);
    if (message.value.rcode !== Rcode.SERVFAIL) return answerByAd(name, type, message.value);
    const unchecked = await askUpstream(upstream, name, type, { checkingDisabled: true, authenticData: true }, transport, signal);
    return answerByAd(name, type, message.value, unchecked.ok ? unchecked.value : undefined);
  }

  function note(upstream: Upstream, state: State): void {
    const known = states.get(upstream);
    if (known !== 'strips-dnssec' && known !== 'lies' && !(state === 'silent' && known === 'answers')) states.set(upstream, state);
  }

  return {
    ask(name: Name, type: number, { signal }: AskOptions = {}): Promise<Answer> {
      if (signal?.aborted) return Promise.reject(signal.reason as Error);
      const key = `${type} ${name.key}`;
      const known = answers.get(key);
      if (known && known.until > clock.now()) return Promise.resolve(known.answer);
      const running = inFlight.get(key);
      if (running) return running;
      const asked = resolve(name, type, signal).then((answer) => {
        answers.set(key, { answer, until: clock.now() + (answer.status === 'failed' ? FAILURE_KEPT : answer.ttl * 1000) });
        return answer;
      });
      inFlight.set(key, asked);
      const forget = (): void => void inFlight.delete(key);
      asked.then(forget, forget);
      return asked;
    },
    health: () => ({ upstreams: upstreams.map((u) => ({ label: u.label, state: states.get(u) as State })) }),
  };
}

function failed(name: Name, type: number, failure: NonNullable<Answer['failure']>): Answer {
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

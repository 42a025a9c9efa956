import { repeat, type Clock } from '../../../base/index.js';
import type { Connection, Network } from '../../../net/index.js';
import type { DomainDecision, NextHop } from '../../../tls-policy/index.js';
import { answerOf, type PostfixAnswer } from './answer-of.js';
import { nextHopOf } from './next-hop-key.js';
import { PreparedAnswers } from './prepared-answers.js';
import { probeResolver, type ProbeState } from './resolver-probe.js';
import { frame, serveSocketmap, type Malformed } from './serve-socketmap.js';
import type { PostfixSettings } from './settings.js';

export interface PostfixMapOptions {
  readonly settings: PostfixSettings;
  /** Resolves to the decision for a next hop. */
  decide(nextHop: NextHop): Promise<DomainDecision>;
  /** The network over which the probe queries the name servers of Postfix. */
  readonly network: Network;
  readonly clock: Clock;
  /**
   * Receives the first result of the probe of Postfix's resolver, and every changed
   * result.
   */
  onProbe?(probeState: ProbeState): void;
  onAnswer?(nextHop: NextHop, postfixAnswer: PostfixAnswer): void;
}

/** A running socketmap service. */
export interface PostfixMap {
  serve(connection: Connection): void;
  /** Resolves to the reply to one key, without framing. */
  lookup(cacheKey: string): Promise<string>;
  readonly counts: Readonly<Record<'known' | 'found' | 'busy' | 'broken' | 'kept', number>> & {
    readonly malformed: ReadonlyMap<Malformed, number>;
    /** Number of answers by the first word and the level of the reply. */
    readonly answers: ReadonlyMap<string, number>;
  };
  readonly validates: boolean;
  /**
   * Discards all prepared answers, after a policy on which answers depend was removed
   * from the cache.
   */
  clear(): void;
  stop(): void;
}

const negative = frame('NOTFOUND ');

/** Starts a socketmap service; resolves after the first probe of Postfix's resolver. */
export async function startPostfixMap(options: PostfixMapOptions): Promise<PostfixMap> {
  const { settings, clock, decide } = options;
  const malformed = new Map<Malformed, number>();
  const answers = new Map<string, number>();
  const stopping = new AbortController();
  let probe: ProbeState | undefined;

  const probeAgain = async (): Promise<void> => {
    const { file: resolvConf, trustRemote } = settings.resolver;
    const next = await probeResolver({ network: options.network, resolvConf, trustRemote });
    if (next.validates === probe?.validates) return;
    probe = next;
    prepared.clear();
    options.onProbe?.(next);
  };
  const prepare = async (lookupKey: string): Promise<{ reply: string; keepMs: number }> => {
    const nextHop = nextHopOf(lookupKey);
    if (!nextHop) return { reply: 'NOTFOUND ', keepMs: 3_600_000 };
    const postfixAnswer = answerOf(await decide(nextHop), {
      version: settings.version,
      validates: probe?.validates ?? false,
      whyNot: probe?.validates === false ? `${probe.says} (${probe.fix})` : undefined,
    });
    const kind = /^(OK \S+|\S+)/.exec(postfixAnswer.reply)?.[0] ?? '';
    answers.set(kind, (answers.get(kind) ?? 0) + 1);
    options.onAnswer?.(nextHop, postfixAnswer);
    return { reply: postfixAnswer.reply, keepMs: postfixAnswer.keep * 1000 };
  };
  const prepared = new PreparedAnswers({ prepare, clock, size: settings.cache });
  // The reply to a parent key is constant and not cached.
  const answer = (lookupKey: string): string | Promise<string> =>
    lookupKey.charCodeAt(0) === DOT ? negative : prepared.answer(lookupKey);

  if (settings.dane) {
    await probeAgain();
    const pauseMs = settings.resolver.everySeconds * 1000;
    void repeat(probeAgain, {
      clock,
      signal: stopping.signal,
      firstPauseMs: pauseMs,
      pauseMs,
      onError(error) {
        throw error;
      },
    });
  }
  return {
    serve: (connection) =>
      serveSocketmap(connection, {
        map: settings.map,
        answer,
        onMalformed: (why) => void malformed.set(why, (malformed.get(why) ?? 0) + 1),
      }),
    lookup: async (cacheKey) => {
      const framed = await answer(cacheKey);
      return framed.slice(framed.indexOf(':') + 1, -1);
    },
    get counts() {
      return { ...prepared.counts, kept: prepared.size, malformed, answers };
    },
    get validates() {
      return probe?.validates ?? false;
    },
    clear: () => prepared.clear(),
    stop: () => stopping.abort(new Error('stopped')),
  };
}

const DOT = 0x2e;

import { createHash } from 'node:crypto';
import {
  digestHtml,
  digestJson,
  digestSubject,
  digestText,
  dueDigest,
  markDigest,
  readDigest,
  type DigestSchedule,
  type DuePeriod,
  type WatchSettings,
} from '../../watch/index.js';
import type { JobContext } from '../service.js';
import { digestReceivers, type DigestReceiver } from './digest-receivers.js';

/** Milliseconds until a digest that a channel did not accept is sent again. */
const RETRY = 15 * 60_000;

/**
 * Sends each receiver its digests. The database stores the end of the period that the
 * last accepted digest covers. A digest that a channel did not accept is therefore sent
 * again. After a downtime, one digest covers all missed periods. After a crash between
 * sending and saving, a digest is repeated with the same Message-ID.
 */
export class DigestSender {
  readonly #settings: WatchSettings;
  readonly #jobContext: JobContext;
  readonly #receivers: readonly DigestReceiver[];
  /** Wall-clock time of the next attempt for each receiver that refused a digest. */
  readonly #retryAt = new Map<string, number>();

  constructor(
    settings: WatchSettings,
    jobContext: JobContext,
    receivers = digestReceivers(settings, jobContext),
  ) {
    this.#settings = settings;
    this.#jobContext = jobContext;
    this.#receivers = receivers;
  }

  /** Sends the digests that are due. Rejects if the database fails. */
  async round(): Promise<void> {
    const { digest: schedule } = this.#settings;
    if (!schedule) return;
    const { store, clock } = this.#jobContext;
    for (const receiver of this.#receivers) {
      const { channel } = receiver;
      const now = clock.now();
      if (this.#isPaused(channel, now)) continue;
      const due = dueDigest(store, channel, schedule, now);
      if (!due) continue;
      if ('began' in due) await markDigest(store, channel, due.began);
      else if (await this.#send(receiver, schedule, due))
        await markDigest(store, channel, due.until);
      else this.#retryAt.set(channel, now + RETRY);
    }
  }

  /**
   * Returns whether to wait before another attempt. A clock that was set back must not
   * stop the digests.
   */
  #isPaused(channel: string, now: number): boolean {
    const at = this.#retryAt.get(channel) ?? 0;
    return now < at && at <= now + RETRY;
  }

  async #send(
    { channel, domains, customer, send }: DigestReceiver,
    schedule: DigestSchedule,
    period: DuePeriod,
  ): Promise<boolean> {
    const { store, log } = this.#jobContext;
    const isConfined = customer !== undefined;
    const digest = await readDigest(store, { domains, isConfined, schedule, ...period });
    const fields = { channel, until: digest.until };
    try {
      const isAccepted = await send({
        id: digestId([...domains, ...(customer === undefined ? [] : [customer])], period),
        subject: digestSubject(digest),
        text: digestText(digest),
        html: digestHtml(digest),
        json: digestJson(digest),
      });
      if (isAccepted) log.info('watch-digest-sent', fields);
      else log.error('watch-digest-not-accepted', fields);
      return isAccepted;
    } catch (error) {
      log.error('watch-digest-not-accepted', { ...fields, error: (error as Error).message });
      return false;
    }
  }
}

/**
 * Returns an identifier that is the same for each attempt, and differs between periods
 * and sets of receivers.
 */
function digestId(readers: readonly string[], { until }: DuePeriod): string {
  const hash = createHash('sha256').update(JSON.stringify([until, ...readers]));
  return `watch-digest-${hash.digest('hex').slice(0, 32)}`;
}

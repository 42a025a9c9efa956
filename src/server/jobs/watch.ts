import { followSignals, mapConcurrent, repeat } from '../../base/index.js';
import { historyTables, recordHistory } from '../../check/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { reportTables } from '../../tls-rpt-receive/index.js';
import {
  alarmJson,
  alarmSubject,
  alarmText,
  awaitsConfirmation,
  forgetUnwatched,
  readWatch,
  recordCheck,
  repeatedId,
  sendAlarms,
  watchTables,
  type AlarmChannel,
  type WatchAlarm,
  type WatchScope,
  type WatchSettings,
} from '../../watch/index.js';
import { alertChannels } from '../alert-channels.js';
import type { JobCode, JobContext, Service } from '../service.js';
import { digestReceivers } from './digest-receivers.js';
import { DigestSender } from './watch-digest.js';
import { watchMetrics } from './watch-metrics.js';

const HOUR = 3_600_000;
/** Milliseconds between two searches for domains that are due. */
const TICK = 30_000;
/** Milliseconds until a check that confirms or refutes the previous one. */
const CONFIRM_AFTER = 10 * 60_000;
/**
 * Maximum fraction by which an interval is varied, so that domains are not all checked at
 * the same time.
 */
const JITTER = 0.1;
/** Maximum number of domains that are checked concurrently. */
const MAX_CONCURRENT = 4;
/**
 * Milliseconds after which an unfinished check is ended and recorded as one without a
 * result.
 */
const CHECK_TIMEOUT = 10 * 60_000;

/** Watches domains: checks each on an interval, and reports changes by mail and webhook. */
export const watchJob: JobCode<WatchSettings> = {
  tables: ({ digest }) => [watchTables, historyTables, ...(digest ? [reportTables] : [])],
  check: (settings, jobContext) => void digestReceivers(settings, jobContext),
  start(settings, jobContext): Service {
    const { store, clock, log } = jobContext;
    const stopping = new AbortController();
    const watcher = new Watcher(settings, jobContext, stopping.signal);
    const work = repeat(() => watcher.round(), {
      clock,
      signal: stopping.signal,
      pauseMs: TICK,
      onError: ({ message }) => log.error('watch-failed', { error: message }),
    });
    return {
      metrics: () => watchMetrics(readWatch(store)),
      async stop() {
        stopping.abort(new Error('stopped'));
        await work;
      },
    };
  },
};

/**
 * The watch of the domains of one configuration. All state is in the database: a reload
 * starts a second watcher while the first one finishes its checks, and each check reads
 * the state that the previous check wrote. `random`: numbers from 0 to 1, for the
 * intervals.
 */
export class Watcher {
  readonly #settings: WatchSettings;
  readonly #context: JobContext;
  readonly #signal: AbortSignal;
  readonly #channels: Readonly<Record<string, AlarmChannel>>;
  readonly #digests: DigestSender;
  /** Wall-clock time of the next check of each domain. */
  readonly #due = new Map<string, number>();
  readonly #random: () => number;
  #hasForgotten = false;

  constructor(
    settings: WatchSettings,
    jobContext: JobContext,
    abortSignal: AbortSignal,
    random: () => number = Math.random,
  ) {
    this.#settings = settings;
    this.#context = jobContext;
    this.#signal = abortSignal;
    this.#random = random;
    this.#channels = channelsOf(settings, jobContext);
    this.#digests = new DigestSender(settings, jobContext);
    const { domains: known } = readWatch(jobContext.store);
    for (const domainName of settings.domains) {
      const { lookedAt } = known[domainName] ?? {};
      // A restart keeps the time of the next check. A domain that was never checked is
      // due at once.
      this.#due.set(domainName, lookedAt === undefined ? 0 : lookedAt + this.#pause(domainName));
    }
  }

  /** Checks the domains that are due, and sends the pending alarms. */
  async round(): Promise<void> {
    const now = this.#context.clock.now();
    await this.#forgetUnwatched(now);
    const due = this.#settings.domains.filter((domainName) => this.#isDue(domainName, now));
    await mapConcurrent(due, MAX_CONCURRENT, (domainName) => this.#checkAndRecord(domainName));
    await this.#send();
    if (!this.#signal.aborted) await this.#digests.round();
  }

  /**
   * Ends the alarms of domains that the configuration no longer names, in the first round
   * only.
   */
  async #forgetUnwatched(now: number): Promise<void> {
    if (this.#hasForgotten) return;
    const { store, log } = this.#context;
    try {
      this.#note(await forgetUnwatched(store, this.#scope, now));
      this.#hasForgotten = true;
    } catch (error) {
      log.error('watch-failed', { error: (error as Error).message });
    }
  }

  get #scope(): WatchScope {
    return { domains: this.#settings.domains, channels: Object.keys(this.#channels) };
  }

  #note(watchAlarms: readonly WatchAlarm[]): void {
    for (const { kind, domain, rule, says } of watchAlarms)
      this.#context.log.warn('watch-alarm', { kind, domain, rule, says });
  }

  /**
   * Returns whether a check is due. A due time too far in the future is ignored, because
   * a clock that was set back must not stop the watch.
   */
  #isDue(domainName: string, now: number): boolean {
    const due = this.#due.get(domainName) ?? 0;
    return due <= now || due > now + 2 * this.#settings.everyHours * HOUR;
  }

  /**
   * Checks one domain, and stores the result and its alarms. If the write fails, the
   * result is lost.
   */
  async #checkAndRecord(domain: string): Promise<void> {
    if (this.#signal.aborted) return;
    const { store, clock, log } = this.#context;
    const began = clock.now();
    const checkResult = await this.#check(domain);
    if (this.#signal.aborted) return;
    const now = clock.now();
    const silent = isSilent(this.#settings, domain, now);
    const watchedCheck = { domain, result: checkResult, silent, began };
    try {
      const watchAlarms = await recordCheck(store, watchedCheck, this.#scope, now);
      log.info('watch-check', { domain, verdict: checkResult?.verdict ?? 'inconclusive' });
      this.#note(watchAlarms);
      if (checkResult) await store.write('watch', () => recordHistory(store, checkResult, now));
    } catch (error) {
      log.error('watch-failed', { domain, error: (error as Error).message });
    }
    // The next check is scheduled even after a failed write: otherwise a full disk would
    // make the daemon check without a pause.
    this.#due.set(domain, now + this.#pause(domain));
  }

  /** Returns the result of a check; undefined if the check itself failed. */
  async #check(domainName: string): Promise<CheckResult | undefined> {
    const { localNetwork, resolver, trustStore, clock, log } = this.#context;
    try {
      const { check } = await import('../../check/index.js');
      return await followSignals([this.#signal, AbortSignal.timeout(CHECK_TIMEOUT)], ({ signal }) =>
        check(domainName, {
          network: localNetwork,
          resolver,
          // The domains belong to the operator, so their hosts may have private
          // addresses.
          reach: 'any',
          trustStore,
          clock,
          signal,
        }),
      );
    } catch (error) {
      if (!this.#signal.aborted)
        log.error('watch-failed', { domain: domainName, error: (error as Error).message });
      return undefined;
    }
  }

  /**
   * Returns the milliseconds until the next check. The time is short if the next check
   * must confirm or refute the last one.
   */
  #pause(domainName: string): number {
    const every = this.#settings.everyHours * HOUR;
    const soon = awaitsConfirmation(readWatch(this.#context.store), domainName);
    return (soon ? CONFIRM_AFTER : every) * (1 - JITTER + 2 * JITTER * this.#random());
  }

  /** Sends pending alarms in every round, including alarms of an earlier process. */
  async #send(): Promise<void> {
    const { store, clock, log } = this.#context;
    for (const sending of await sendAlarms(store, this.#channels, () => clock.now())) {
      const { channel, accepted, alarms, error } = sending;
      const fields = { channel, alarms: alarms.length, error: error?.message };
      if (accepted) log.info('watch-alarm-sent', fields);
      else log.error('watch-alarm-not-accepted', fields);
    }
  }
}

/**
 * Returns the channels by name, each as a function that sends alarms as text and as JSON.
 */
function channelsOf(
  { notify }: WatchSettings,
  jobContext: JobContext,
): Readonly<Record<string, AlarmChannel>> {
  const entries = Object.entries(alertChannels(notify, jobContext)).map(
    ([channel, send]): readonly [string, AlarmChannel] => [
      channel,
      (watchAlarms) =>
        send({
          id: repeatedId(watchAlarms),
          subject: alarmSubject(watchAlarms),
          text: alarmText(watchAlarms),
          json: alarmJson(watchAlarms),
        }),
    ],
  );
  return Object.fromEntries(entries);
}

/**
 * Returns whether maintenance is announced for the domain at this time; the end is
 * exclusive.
 */
function isSilent({ silence }: WatchSettings, domainName: string, now: number): boolean {
  return silence.some(
    (one) =>
      one.domain === domainName && Date.parse(one.from) <= now && now < Date.parse(one.until),
  );
}

import { HermeticError, type Failure } from '../base/index.js';
import type { Store } from '../store/index.js';
import { buildReport, type Reporter } from './build-report.js';
import { countedPolicies, DAY, REPORTING } from './count-sessions.js';
import { destinationsOf } from './destinations.js';

const MINUTE = 60_000;
/**
 * Delay between the end of a day and its reports: events of the day may still be buffered
 * or in a feed.
 */
const SETTLE = 10 * MINUTE;
/**
 * The first pause between attempts, and the time after which the attempts end. Later
 * pauses are longer (RFC 8460 §5.5) [8460-5.5-1].
 */
const FIRST_PAUSE = 5 * MINUTE;
const TRY_FOR = DAY;
/**
 * Number of permanent refusals after which a URI is suspended, and the length of the
 * suspension.
 */
const MAX_REFUSALS = 3;
const SUSPENSION = 30 * DAY;
/** The retention period of delivery results, which `hermetic report preview` shows. */
const RETENTION = 10 * DAY;
/** Number of domains in one transaction. */
const BATCH_SIZE = 200;

/** The store, the reporter and the limits of an outbox. */
export interface OutboxOptions {
  readonly store: Store;
  readonly reporter: Reporter;
  /** Time in milliseconds over which the reports of a day are spread. Default 4 hours. */
  readonly spreadMs?: number;
  /** Maximum number of reports to one receiver on one UTC day [8460-7-6]. Default 10. */
  readonly perReceiver?: number;
  /** Higher limits for known receivers, by organisational domain. */
  readonly receivers?: Readonly<Record<string, number>>;
  /** Returns a random number from 0 to 1. */
  random(): number;
}

/** A report and one destination to deliver it to. */
export interface QueuedReport {
  readonly id: string;
  readonly domain: string;
  /** The midnight at which the reported day starts, in milliseconds since 1970. */
  readonly day: number;
  readonly body: string;
  readonly uri: string;
}

/** The result of one delivery attempt. A delivery that failed temporarily is retried. */
export type DeliverySettlement =
  { readonly delivered: true } | { readonly delivered: false; readonly failure: Failure };

/**
 * The queue of reports, which builds reports from the counts of a day and records their
 * delivery. Each step is one transaction. After a crash the same report may be delivered
 * again, but no session is counted twice.
 */
export class Outbox {
  readonly #options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /**
   * Builds the reports of all past days and schedules each for a random time
   * [8460-4.1-2]. Resolves to the number of reports.
   */
  async close(now: number): Promise<number> {
    for (let built = 0; ;) {
      const closed = await this.#options.store.write(REPORTING, () => this.#closeSome(now));
      built += closed;
      if (closed < BATCH_SIZE) return built;
    }
  }

  *#closeSome(now: number): Generator<void, number> {
    const finishedDays = this.#options.store
      .prepare<{ day: number; domain: string; record: string }>(
        'SELECT day, domain, record FROM send_report_domain WHERE day <= ? ORDER BY day, domain LIMIT ?',
      )
      .all(now - DAY - SETTLE, BATCH_SIZE);
    for (const { day, domain, record } of finishedDays) {
      this.#build(day, domain, record, now);
      yield;
    }
    return finishedDays.length;
  }

  #build(dayStart: number, domainName: string, record: string, now: number): void {
    const { store: stateStore, reporter, random, spreadMs = 4 * 60 * MINUTE } = this.#options;
    const unique = Math.floor(random() * 2 ** 48)
      .toString(16)
      .padStart(12, '0');
    const policies = countedPolicies(stateStore, dayStart, domainName);
    const { report, body } = buildReport({
      reporter,
      domain: domainName,
      day: dayStart,
      policies,
      unique,
    });
    if (!body.ok)
      throw new HermeticError(body.failure.code, `${domainName}: ${body.failure.detail}`);
    const reportId = report.reportId ?? '';
    stateStore
      .prepare('INSERT INTO send_report (id, day, domain, body) VALUES (?, ?, ?, ?)')
      .run(reportId, dayStart, domainName, body.value);
    const insert = stateStore.prepare(
      "INSERT INTO send_report_delivery (report, uri, queued_at, due_at, tries, state, detail) VALUES (?, ?, ?, ?, 0, ?, '')",
    );
    for (const { uri, receiver } of destinationsOf(record)) {
      const state = this.#admit(uri, receiver, now);
      insert.run(
        reportId,
        uri,
        now,
        state === 'waiting' ? now + Math.floor(random() * spreadMs) : null,
        state,
      );
    }
    for (const table of ['send_report_domain', 'send_report_count', 'send_report_failure'])
      stateStore
        .prepare(`DELETE FROM ${table} WHERE day = ? AND domain = ?`)
        .run(dayStart, domainName);
  }

  /**
   * Applies the limits of a receiver to one report. An admitted report counts towards the
   * daily limit of the receiver.
   */
  #admit(
    reportUri: string,
    receiver: string,
    now: number,
  ): 'waiting' | 'over-limit' | 'left-in-peace' {
    const { store, perReceiver = 10, receivers = {} } = this.#options;
    const refused = store
      .prepare<{ refusals: number; since: number }>(
        'SELECT refusals, since FROM send_report_refusal WHERE uri = ?',
      )
      .get(reportUri);
    if (refused && refused.refusals >= MAX_REFUSALS && now < refused.since + SUSPENSION)
      return 'left-in-peace';
    const today = Math.floor(now / DAY) * DAY;
    const given = store
      .prepare<{ reports: number }>(
        'SELECT reports FROM send_report_receiver WHERE receiver = ? AND day = ?',
      )
      .get(receiver, today);
    if ((given?.reports ?? 0) >= (receivers[receiver] ?? perReceiver)) return 'over-limit';
    store
      .prepare(
        `INSERT INTO send_report_receiver (receiver, day, reports) VALUES (?, ?, 1)
         ON CONFLICT (receiver, day) DO UPDATE SET reports = send_report_receiver.reports + 1`,
      )
      .run(receiver, today);
    return 'waiting';
  }

  /** Returns the deliveries that are due, the oldest first. */
  due(now: number, limit: number): readonly QueuedReport[] {
    return this.#options.store
      .prepare<QueuedReport>(
        `SELECT r.id AS id, r.domain AS domain, r.day AS day, r.body AS body, d.uri AS uri
         FROM send_report_delivery d JOIN send_report r ON r.id = d.report WHERE d.due_at <= ? ORDER BY d.due_at LIMIT ?`,
      )
      .all(now, limit);
  }

  /** Records the result of an attempt; resolves when the record is on the disk. */
  settle(
    { id, uri: reportUri }: Pick<QueuedReport, 'id' | 'uri'>,
    settled: DeliverySettlement,
    now: number,
  ): Promise<void> {
    const { store: stateStore } = this.#options;
    return stateStore.write(REPORTING, () => {
      const delivery = stateStore
        .prepare<{ tries: number; first_at: number | null }>(
          'SELECT tries, first_at FROM send_report_delivery WHERE report = ? AND uri = ?',
        )
        .get(id, reportUri);
      const firstAt = delivery?.first_at ?? now;
      const pause = FIRST_PAUSE * 2 ** (delivery?.tries ?? 0);
      const retryAt = now + pause;
      const state = stateAfter(settled, retryAt <= firstAt + TRY_FOR);
      const detail = settled.delivered
        ? ''
        : `${settled.failure.code} ${settled.failure.detail}`.trim();
      stateStore
        .prepare(
          'UPDATE send_report_delivery SET tries = tries + 1, first_at = ?, due_at = ?, state = ?, detail = ? WHERE report = ? AND uri = ?',
        )
        .run(firstAt, state === 'waiting' ? retryAt : null, state, detail, id, reportUri);
      if (settled.delivered)
        stateStore.prepare('DELETE FROM send_report_refusal WHERE uri = ?').run(reportUri);
      if (state === 'refused')
        stateStore
          .prepare(
            `INSERT INTO send_report_refusal (uri, refusals, since) VALUES (?, 1, ?)
             ON CONFLICT (uri) DO UPDATE SET refusals = send_report_refusal.refusals + 1, since = excluded.since`,
          )
          .run(reportUri, now);
    });
  }

  /** Returns the time of the next work: a delivery that is due, or the end of a day. */
  nextAt(now: number): number {
    const delivery = this.#options.store
      .prepare<{ at: number | null }>('SELECT min(due_at) AS at FROM send_report_delivery')
      .get();
    const dayEnds = Math.floor((now - SETTLE) / DAY) * DAY + DAY + SETTLE;
    return Math.max(now, Math.min(delivery?.at ?? Infinity, dayEnds));
  }

  /** Deletes old reports whose deliveries have ended, and old counts of the limits. */
  forget(now: number): Promise<void> {
    const { store: stateStore } = this.#options;
    return stateStore.write(REPORTING, () => {
      stateStore
        .prepare('DELETE FROM send_report_delivery WHERE due_at IS NULL AND queued_at < ?')
        .run(now - RETENTION);
      stateStore
        .prepare(
          'DELETE FROM send_report WHERE day < ? AND id NOT IN (SELECT report FROM send_report_delivery)',
        )
        .run(now - RETENTION);
      stateStore.prepare('DELETE FROM send_report_receiver WHERE day < ?').run(now - RETENTION);
      stateStore.prepare('DELETE FROM send_report_refusal WHERE since < ?').run(now - SUSPENSION);
    });
  }

  /** Returns the number of deliveries by state. */
  counts(): readonly (readonly [state: string, deliveries: number])[] {
    return this.#options.store
      .prepare<{ state: string; deliveries: number }>(
        'SELECT state, count(*) AS deliveries FROM send_report_delivery GROUP BY state ORDER BY state',
      )
      .all()
      .map(({ state, deliveries }) => [state, deliveries]);
  }
}

/** Returns the stored state of a delivery after an attempt. */
function stateAfter(
  settled: DeliverySettlement,
  mayRetry: boolean,
): 'delivered' | 'waiting' | 'given-up' | 'refused' {
  if (settled.delivered) return 'delivered';
  if (!settled.failure.temporary) return 'refused';
  return mayRetry ? 'waiting' : 'given-up';
}

import { repeat, type Clock } from '../base/index.js';
import type { QueuedReport, Outbox, DeliverySettlement } from './outbox.js';

/** The parts that the job connects. */
export interface ReportJobOptions {
  readonly outbox: Outbox;
  deliver(due: QueuedReport): Promise<DeliverySettlement>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onSettled?(due: QueuedReport, settled: DeliverySettlement): void;
  /** Called when a local error ended a round; the next round starts a minute later. */
  onError?(error: unknown): void;
}

const MINUTE = 60_000;
/** Concurrent deliveries. */
const MAX_CONCURRENT = 4;

/**
 * Builds the reports of past days, then makes one attempt at each delivery that is due.
 */
export async function reportRound({
  outbox,
  deliver,
  clock,
  onSettled,
}: Omit<ReportJobOptions, 'signal'>): Promise<void> {
  await outbox.close(clock.now());
  await outbox.forget(clock.now());
  for (;;) {
    const due = outbox.due(clock.now(), MAX_CONCURRENT);
    if (due.length === 0) return;
    await Promise.all(
      due.map(async (queuedReport) => {
        const settled = await deliver(queuedReport);
        await outbox.settle(queuedReport, settled, clock.now());
        onSettled?.(queuedReport, settled);
      }),
    );
  }
}

/** Runs rounds until aborted. */
export async function runReportJob(options: ReportJobOptions): Promise<void> {
  const { outbox, clock, signal } = options;
  const round = async (): Promise<number> => {
    await reportRound(options);
    // At most ten minutes, because the wall clock may be set.
    return Math.min(10 * MINUTE, Math.max(1000, outbox.nextAt(clock.now()) - clock.now()));
  };
  await repeat(round, {
    clock,
    signal,
    pauseMs: MINUTE,
    onError: (error) => options.onError?.(error),
  });
}

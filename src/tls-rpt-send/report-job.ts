import { repeat, type Clock } from '../base/index.js';
import type { QueuedReport, Outbox, DeliverySettlement } from './outbox.js';

/** The outbox, and the functions and clock that the job uses. */
export interface ReportJobOptions {
  readonly outbox: Outbox;
  deliver(due: QueuedReport): Promise<DeliverySettlement>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onSettled?(due: QueuedReport, settled: DeliverySettlement): void;
  /**
   * Receives the local error that ended a round. The next round starts a minute later.
   */
  onError?(error: unknown): void;
}

const MINUTE = 60_000;
/** Maximum number of concurrent deliveries. */
const MAX_CONCURRENT = 4;

/** Builds the reports of past days, then attempts each delivery that is due once. */
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

/** Runs rounds until `signal` is aborted. */
export async function runReportJob(options: ReportJobOptions): Promise<void> {
  const { outbox, clock, signal } = options;
  const round = async (): Promise<number> => {
    await reportRound(options);
    // The wait is at most ten minutes, because the operator may set the wall clock.
    return Math.min(10 * MINUTE, Math.max(1000, outbox.nextAt(clock.now()) - clock.now()));
  };
  await repeat(round, {
    clock,
    signal,
    pauseMs: MINUTE,
    onError: (error) => options.onError?.(error),
  });
}

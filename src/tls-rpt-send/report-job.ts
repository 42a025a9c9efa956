import type { Clock } from '../base/index.js';
import type { QueuedReport, Outbox, DeliverySettlement } from './outbox.js';

export interface ReportJobOptions {
  readonly outbox: Outbox;
  deliver(due: QueuedReport): Promise<DeliverySettlement>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  onSettled?(due: QueuedReport, settled: DeliverySettlement): void;
  /** Something of ours failed; the work goes on a minute later. */
  onError?(error: unknown): void;
}

const MINUTE = 60_000;
/** Reports on their way at one time. */
const MAX_CONCURRENT = 4;

/**
 * Everything that is to be done now: days that are over become reports, those whose time
 * has come are tried once.
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
      due.map(async (one) => {
        const settled = await deliver(one);
        await outbox.settle(one, settled, clock.now());
        onSettled?.(one, settled);
      }),
    );
  }
}

/** Rounds until aborted. */
export async function runReportJob(options: ReportJobOptions): Promise<void> {
  const { outbox, clock, signal } = options;
  const sleep = (ms: number): Promise<void> => clock.sleep(ms, signal).catch(() => undefined);
  while (!signal.aborted) {
    try {
      await reportRound(options);
      // At least now and then: the clock may be set.
      await sleep(Math.min(10 * MINUTE, Math.max(1000, outbox.nextAt(clock.now()) - clock.now())));
    } catch (error) {
      if (signal.aborted) return;
      options.onError?.(error);
      await sleep(MINUTE);
    }
  }
}

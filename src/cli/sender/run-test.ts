import { followSignals, mapConcurrent } from '../../base/index.js';
import {
  isSettled,
  judgeSender,
  type SenderCase,
  type SenderTestResult,
} from '../../sender/index.js';
import { OFFLINE_SLOT, openReceivers, type Receivers } from './open-receivers.js';
import { testMessage, type Submit } from './submit.js';

/** The sender under test, and the duration of the test. */
export interface SenderTestOptions {
  readonly cases?: readonly SenderCase[] | undefined;
  /** Opens the ports for other programs; see `openReceivers`. */
  readonly exposed: boolean;
  /** Submits the messages; undefined: the user sends them. */
  readonly submit?: ((receivers: Receivers) => Submit) | undefined;
  readonly from: string;
  /** Time limit of the whole test, milliseconds. */
  readonly durationMs: number;
  /** Milliseconds after the last sign of a case until its verdict is final. */
  readonly patienceMs: number;
  readonly withdrawAfterMs?: number | undefined;
  /** Maximum number of concurrent submissions. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Runs when the ports are open. */
  onOpen?(receivers: Receivers): void;
  /**
   * Reports the result after observations, at most every {@link REFRESH_MS}, and once a
   * second.
   */
  onProgress?(result: SenderTestResult): void;
}

/** Milliseconds between two evaluations of a running test. */
const REFRESH_MS = 200;

/**
 * Runs a test: opens the receivers, submits the messages, and evaluates the results until
 * every case has a result, the time is over or the signal aborts. Resolves to the last
 * evaluation.
 */
export function runSenderTest(options: SenderTestOptions): Promise<SenderTestResult> {
  // A signal of `AbortSignal.any` may lose its time limit (nodejs/node#57736).
  const limits = [options.signal, AbortSignal.timeout(options.durationMs)];
  return followSignals(limits, ({ signal }) => runUntil(signal, options));
}

/** Runs the test until `over` aborts, at the latest. */
async function runUntil(over: AbortSignal, options: SenderTestOptions): Promise<SenderTestResult> {
  const { cases, exposed, withdrawAfterMs, patienceMs } = options;
  const withdrawn = new Map<string, () => void>();
  const receivers = await openReceivers({
    ...(cases && { cases }),
    exposed,
    ...(withdrawAfterMs !== undefined && { withdrawAfterMs }),
    onWithdrawn: ({ id }) => withdrawn.get(id)?.(),
  });
  const judge = (): SenderTestResult =>
    judgeSender(receivers.recorder.observations, {
      now: new Date().toISOString(),
      cases: receivers.cases,
      patienceMs,
    });
  try {
    options.onOpen?.(receivers);
    const submit = options.submit?.(receivers);
    let handedOver = false;
    if (submit)
      void submitAll(receivers, submit, { ...options, signal: over, withdrawn }).then(
        () => (handedOver = true),
      );
    while (!over.aborted) {
      await pause(REFRESH_MS, over);
      const result = judge();
      options.onProgress?.(result);
      const started = result.cases.every(({ verdict }) => verdict !== 'not-started');
      if ((submit ? handedOver : started) && isSettled(result)) break;
    }
    return judge();
  } finally {
    await receivers.close();
  }
}

interface Submitting extends Pick<SenderTestOptions, 'from' | 'concurrency' | 'signal'> {
  /** Functions to call when the policy of a case is withdrawn. */
  readonly withdrawn: Map<string, () => void>;
}

/**
 * Submits one message for each case, and the second message of a case with two messages.
 */
async function submitAll(
  receivers: Receivers,
  submit: Submit,
  { from, concurrency, signal, withdrawn }: Submitting,
): Promise<void> {
  const { recorder } = receivers;
  // The case with two messages takes longest.
  const order = [...receivers.cases].sort(
    (left, right) => Number(right.withdrawn ?? false) - Number(left.withdrawn ?? false),
  );
  await mapConcurrent(order, concurrency, async (senderCase) => {
    const place = { senderCase, slot: OFFLINE_SLOT };
    const gone = new Promise<void>((resolve) => {
      withdrawn.set(senderCase.id, resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const messages = senderCase.withdrawn ? 2 : 1;
    for (let count = 1; count <= messages && !signal.aborted; count++) {
      if (count === 2) await gone;
      if (signal.aborted) return;
      const message = testMessage(senderCase, { from, now: new Date(), signal });
      const submission = await submit(message).catch((error: unknown) => ({
        ok: false as const,
        reason: error instanceof Error ? error.message : 'unknown',
      }));
      if (submission.ok) recorder.record(place, { kind: 'submitted', via: submission.via });
      else
        recorder.record(place, { kind: 'not-submitted', reason: submission.reason.slice(0, 500) });
    }
  });
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

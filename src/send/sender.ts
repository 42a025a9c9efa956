import { type DomainDecision, resolvePolicy } from '../tls-policy/index.js';
import { connectVia, type ConnectRequest, type ConnectResult } from './connect.js';
import { sendContext, type SenderOptions } from './context.js';
import { deliverVia, type Delivery, type Mail } from './deliver.js';

/** Somebody who sends mail and keeps what it learned: policies, DNS answers. */
export interface Sender {
  /** What must hold for a next hop, without opening any mail connection. */
  policy(nextHop: string, signal?: AbortSignal): Promise<DomainDecision>;
  /** An SMTP session with a next hop as decided, or why there is none. */
  connect(nextHop: string, request?: ConnectRequest): Promise<ConnectResult>;
  deliver(mail: Mail): Promise<Delivery>;
  /** Fetches anew the policies that are due. Resolves to their number. */
  refreshPolicies(signal?: AbortSignal): Promise<number>;
  /**
   * Does so until aborted: every minute what is due then, each domain at its own time of
   * the day.
   */
  keepFresh(signal: AbortSignal): Promise<void>;
}

const MINUTE = 60_000;

/**
 * Makes a sender. With `stsCache: stsStore(store)` it remembers policies beyond its own
 * life.
 */
export function createSender(options: SenderOptions = {}): Sender {
  const context = sendContext(options);
  const refreshPolicies = (signal?: AbortSignal): Promise<number> =>
    context.stsSource.refreshDue(signal);
  return {
    policy: (nextHop, signal) =>
      resolvePolicy(nextHop, { ...context, ...(signal ? { signal } : {}) }),
    connect: (nextHop, request) => connectVia(context, nextHop, request),
    deliver: (mail) => deliverVia(context, mail),
    refreshPolicies,
    async keepFresh(signal) {
      while (!signal.aborted) {
        const done = await refreshPolicies(signal).catch((error: unknown) =>
          stoppedOr(signal, error),
        );
        if (!done)
          await context.clock
            .sleep(MINUTE, signal)
            .catch((error: unknown) => stoppedOr(signal, error));
      }
    },
  };
}

/** {@link Sender.connect} once, with a sender of its own. */
export function connect(
  nextHop: string,
  options: SenderOptions & ConnectRequest = {},
): Promise<ConnectResult> {
  const { requireTls, tlsRequiredNo, signal, ...rest } = options;
  return createSender(rest).connect(nextHop, {
    ...(requireTls === undefined ? {} : { requireTls }),
    ...(tlsRequiredNo === undefined ? {} : { tlsRequiredNo }),
    ...(signal ? { signal } : {}),
  });
}

/** {@link Sender.deliver} once, with a sender of its own. */
export function deliver(mail: Mail, options: SenderOptions = {}): Promise<Delivery> {
  return createSender(options).deliver(mail);
}

/** Being told to stop is no failure. */
function stoppedOr(signal: AbortSignal, error: unknown): 0 {
  if (signal.aborted) return 0;
  throw error;
}

import { repeat } from '../base/index.js';
import { type DomainDecision, resolvePolicy } from '../tls-policy/index.js';
import { connectVia, type ConnectRequest, type ConnectResult } from './connect.js';
import { sendContext, type SenderOptions } from './context.js';
import { deliverVia, type Delivery, type Mail } from './deliver.js';

/** A sender of mail, with caches of DNS answers and MTA-STS policies. */
export interface Sender {
  /** Resolves to the decision for a next hop, without a mail connection. */
  policy(nextHop: string, abortSignal?: AbortSignal): Promise<DomainDecision>;
  /**
   * Opens an SMTP session with a next hop that meets the decision, or resolves to the
   * failure.
   */
  connect(nextHop: string, request?: ConnectRequest): Promise<ConnectResult>;
  /** Delivers a message to all its recipients. */
  deliver(mail: Mail): Promise<Delivery>;
  /**
   * Refreshes the cached policies that are due, before they expire (RFC 8461 §3.3).
   * Resolves to the number of fetches.
   */
  refreshPolicies(abortSignal?: AbortSignal): Promise<number>;
  /**
   * Refreshes policies until aborted. Every minute the policies that are due are fetched.
   * Each domain has its own time of day.
   */
  keepFresh(abortSignal: AbortSignal): Promise<void>;
}

const MINUTE = 60_000;

/**
 * Creates a sender. With `stsCache: stsStore(store)`, cached policies survive a restart.
 *
 * @throws HermeticError `send-helo-invalid`
 */
export function createSender(options: SenderOptions = {}): Sender {
  const context = sendContext(options);
  const refreshPolicies = (abortSignal?: AbortSignal): Promise<number> =>
    context.stsSource.refreshDue(abortSignal);
  return {
    policy: (nextHop, signal) => resolvePolicy(nextHop, { ...context, signal }),
    connect: (nextHop, request) => connectVia(context, nextHop, request),
    deliver: (mail) => deliverVia(context, mail),
    refreshPolicies,
    async keepFresh(abortSignal) {
      const round = async (): Promise<number> =>
        (await refreshPolicies(abortSignal)) ? 0 : MINUTE;
      await repeat(round, {
        clock: context.clock,
        signal: abortSignal,
        pauseMs: MINUTE,
        onError(error) {
          throw error;
        },
      });
    },
  };
}

/** Opens one session with a new sender; see {@link Sender.connect}. */
export function connect(
  nextHop: string,
  options: SenderOptions & ConnectRequest = {},
): Promise<ConnectResult> {
  const { requireTls, tlsRequiredNo, signal, ...rest } = options;
  return createSender(rest).connect(nextHop, {
    requireTls,
    tlsRequiredNo,
    signal,
  });
}

/** Delivers one message with a new sender; see {@link Sender.deliver}. */
export function deliver(mail: Mail, options: SenderOptions = {}): Promise<Delivery> {
  return createSender(options).deliver(mail);
}

import { steadyTime, type Clock } from '../../base/index.js';
import type { Resolver } from '../../dns/index.js';
import { createStsSource, fetchPolicy, type StsCache } from '../../mta-sts/index.js';
import type { Network } from '../../net/index.js';
import type { PolicyDeps } from '../../tls-policy/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { Config } from '../config/config.js';
import type { Log } from '../log.js';

export interface PolicySourceOptions {
  readonly settings: Config['policy'];
  readonly network: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  readonly stsCache: StsCache;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks for policies that are due to be fetched anew. */
const REFRESH_LOOK = 60_000;

/**
 * What every sender of the daemon decides by: one MTA-STS cache, refreshed in the
 * background, and the sender's choices.
 */
export function policySource({
  settings,
  network,
  resolver,
  trustStore,
  stsCache,
  clock,
  log,
  signal,
}: PolicySourceOptions): PolicyDeps {
  const now = steadyTime(clock);
  const stsSource = createStsSource({
    resolver,
    cache: stsCache,
    now,
    fetch: (domain, fetching) =>
      fetchPolicy({
        network,
        resolver,
        domain,
        anchors: trustStore,
        validationTime: clock.now(),
        signal: fetching,
      }),
    onWarning: ({ domain, failed }) =>
      log.warn('mta-sts-refresh-fails', {
        domain,
        times: failed?.count,
        code: failed?.failure.code,
        detail: failed?.failure.detail,
      }),
  });
  void refresh(async () => stsSource.refreshDue(signal), clock, signal, log);
  const { observe, daneWithInsecureMx, exemptions } = settings;
  return { resolver, stsSource, now, observe, daneWithInsecureMx, exemptions };
}

async function refresh(
  work: () => Promise<number>,
  clock: Clock,
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(REFRESH_LOOK, signal);
      await work();
    } catch (error) {
      if (!signal.aborted) log.error('mta-sts-refresh-broken', { error: (error as Error).message });
    }
  }
}

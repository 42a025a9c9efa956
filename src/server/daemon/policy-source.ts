import { repeat, steadyTime, type Clock } from '../../base/index.js';
import type { Resolver } from '../../dns/index.js';
import { createStsSource, fetchPolicy, type StsCache } from '../../mta-sts/index.js';
import type { Network } from '../../net/index.js';
import type { PolicyDeps } from '../../tls-policy/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { Config } from '../config/config.js';
import type { Log } from '../log.js';

/** The daemon's resources that the policy source uses. */
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

/** Milliseconds between two searches for policies that are due for a refresh. */
const REFRESH_INTERVAL = 60_000;

/**
 * Creates the policy source for the daemon's senders, and starts to refresh the MTA-STS
 * cache in the background. Policies are refreshed long before they expire, so that an
 * attacker must block every fetch for the whole max_age (RFC 8461 §10.2).
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
  const onError = (error: Error): void =>
    log.error('mta-sts-refresh-broken', { error: error.message });
  const refresh = (): Promise<number | void> => stsSource.refreshDue(signal).then(() => undefined);
  // The first pause lets the daemon start before it fetches policies.
  const [firstPauseMs, pauseMs] = [REFRESH_INTERVAL, REFRESH_INTERVAL];
  void repeat(refresh, { clock, signal, firstPauseMs, pauseMs, onError });
  const { observe, daneWithInsecureMx, exemptions } = settings;
  return { resolver, stsSource, now, observe, daneWithInsecureMx, exemptions };
}

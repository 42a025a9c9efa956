import { repeat } from '../../base/index.js';
import { createReceiver, lookupKeys, type Receiver } from '../../tls-rpt-receive/index.js';
import { MxHosts } from './report-hosts.js';
import type { JobContext } from '../service.js';

/** Milliseconds until the MX hosts of the domains are looked up again. */
const HOSTS_MS = 3_600_000;

/**
 * Returns the receiver of reports that programs submit through the API, with the limits
 * of the section `report`. The receiver and the job `report` share the tables, which also
 * hold the daily limits. Returns undefined without the section.
 */
export function reportIntake(jobContext: JobContext, signal: AbortSignal): Receiver | undefined {
  const { report, store, clock, resolver, log } = jobContext;
  if (!report) return undefined;
  const { domains, maxBytes, perMinute } = report;
  const mxHosts = new MxHosts();
  const refresh = (): Promise<void> => mxHosts.refresh(domains, jobContext, signal);
  const onError = (error: Error): void =>
    log.error('report-round-failed', { part: 'mx', error: error.message });
  void repeat(refresh, { clock, signal, pauseMs: HOSTS_MS, onError });
  return createReceiver({
    store,
    clock,
    domains,
    maxBytes,
    perMinute,
    hosts: () => mxHosts.names,
    keys: (name) => lookupKeys(resolver, name),
    onReceipt: (receipt, peer) => log.info('report-by-api', { peer, status: receipt.status }),
  });
}

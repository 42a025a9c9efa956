import { randomUUID } from 'node:crypto';
import { repeat } from '../../base/index.js';
import { check } from '../../check/index.js';
import {
  alertJson,
  alertSubject,
  alertText,
  pruneReports,
  readChecks,
  runAlerts,
  storeCheck,
  type ReportAlert,
  type ReportSettings,
} from '../../tls-rpt-receive/index.js';
import { alertChannels } from '../alert-channels.js';
import type { MxHosts } from './report-hosts.js';
import type { JobContext } from '../service.js';

const hour = 3_600_000;

/**
 * The periodic work next to receiving: domains are checked, so that reports can be
 * explained; changes are sent to the alert channels; old reports are deleted. The parts
 * of a round are independent: one that fails is logged, and the others run. Ends when
 * aborted.
 */
export async function reportRounds(
  settings: ReportSettings,
  house: JobContext,
  { signal, mxHosts }: { readonly signal: AbortSignal; readonly mxHosts: MxHosts },
): Promise<void> {
  const { clock, log } = house;
  const parts: Readonly<Record<string, () => unknown>> = {
    check: () => checkDomains(settings, house, signal),
    alerts: () => tellChanges(settings, house),
    prune: () => pruneReports(house.store, { now: clock.now(), keepDays: settings.keepDays }),
  };
  const onError = (error: Error, part = 'mx'): void =>
    log.error('report-round-failed', { part, error: error.message });
  const round = async (): Promise<void> => {
    // Not awaited: the rest must not wait for a slow resolver.
    void mxHosts.refresh(settings.domains, house, signal);
    for (const [part, run] of Object.entries(parts))
      await attempt(run, signal, (error) => onError(error, part));
  };
  await repeat(round, { clock, signal, pauseMs: hour, onError: (error) => onError(error) });
}

/** Runs one part. Its failure is reported, unless the whole round was aborted. */
async function attempt(
  run: () => unknown,
  signal: AbortSignal,
  onError: (error: Error) => void,
): Promise<void> {
  try {
    if (!signal.aborted) await run();
  } catch (error) {
    if (!signal.aborted) onError(error as Error);
  }
}

async function checkDomains(
  settings: ReportSettings,
  house: JobContext,
  signal: AbortSignal,
): Promise<void> {
  for (const domain of settings.checkHours === 0 ? [] : settings.domains)
    await attempt(
      () => checkDomain(domain, settings, house, signal),
      signal,
      (error) =>
        house.log.error('report-round-failed', { part: 'check', domain, error: error.message }),
    );
}

async function checkDomain(
  domain: string,
  { checkHours }: ReportSettings,
  { store, clock, localNetwork, resolver, trustStore, log }: JobContext,
  signal: AbortSignal,
): Promise<void> {
  if (readChecks(store, domain, clock.now() - checkHours * hour).length > 0) return;
  const result = await check(domain, {
    network: localNetwork,
    resolver,
    // The operator's own domains, which may have addresses of a private network.
    reach: 'any',
    trustStore,
    clock,
    signal,
  });
  await store.write('report', () => storeCheck(store, result));
  log.info('report-check', { domain, verdict: result.verdict });
}

async function tellChanges(
  { domains, alerts: wanted }: ReportSettings,
  house: JobContext,
): Promise<void> {
  if (!wanted) return;
  const { store, clock, log } = house;
  const channels = Object.fromEntries(
    Object.entries(alertChannels(wanted, house)).map(([channel, send]) => [
      channel,
      (alerts: readonly ReportAlert[]) =>
        send({
          id: randomUUID(),
          subject: alertSubject(alerts),
          text: alertText(alerts),
          json: alertJson(alerts),
        }),
    ]),
  );
  for (const { channel, received, alerts } of await runAlerts({
    store,
    now: clock.now(),
    domains,
    silenceHours: wanted.silenceHours,
    channels,
    onError: ({ domain, channel, error }) =>
      log.error('report-round-failed', {
        part: 'alerts',
        domain,
        channel,
        error: error.message,
      }),
  })) {
    if (!received) log.error('report-alert-not-received', { channel, alerts: alerts.length });
    else
      for (const { kind, domain, says } of alerts)
        log.warn('report-alert', { channel, kind, domain, says });
  }
}

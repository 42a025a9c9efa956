import { randomUUID } from 'node:crypto';
import { repeat } from '../../base/index.js';
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
import type { ReportSessions } from './report-sessions.js';
import type { JobContext } from '../service.js';

const hour = 3_600_000;

/** The objects of the job that a round updates, and the signal that ends the rounds. */
interface RoundParts {
  readonly signal: AbortSignal;
  readonly mxHosts: MxHosts;
  readonly sessions: ReportSessions;
}

/**
 * Repeats the periodic work of the job until the signal aborts. A round adds up the
 * sessions for the metrics, checks domains so that reports can be explained, sends
 * changes to the alert channels, and deletes old reports. The parts of a round are
 * independent: if one fails, the failure is logged and the others still run.
 */
export async function reportRounds(
  settings: ReportSettings,
  jobContext: JobContext,
  { signal, mxHosts, sessions }: RoundParts,
): Promise<void> {
  const { clock, log } = jobContext;
  const parts: Readonly<Record<string, () => unknown>> = {
    metrics: () => sessions.refresh([...settings.domains, ...mxHosts.names], jobContext, signal),
    check: () => checkDomains(settings, jobContext, signal),
    alerts: () => tellChanges(settings, jobContext),
    prune: () => pruneReports(jobContext.store, { now: clock.now(), keepDays: settings.keepDays }),
  };
  const onError = (error: Error, part = 'mx'): void =>
    log.error('report-round-failed', { part, error: error.message });
  const round = async (): Promise<void> => {
    // The round does not await these lookups: the other parts must not wait for a slow
    // resolver.
    void mxHosts.refresh(settings.domains, jobContext, signal);
    for (const [part, run] of Object.entries(parts))
      await attempt(run, signal, (error) => onError(error, part));
  };
  await repeat(round, { clock, signal, pauseMs: hour, onError: (error) => onError(error) });
}

/**
 * Runs one part of a round. Passes its failure to `onError`, unless the signal has
 * aborted.
 */
async function attempt(
  run: () => unknown,
  abortSignal: AbortSignal,
  onError: (error: Error) => void,
): Promise<void> {
  try {
    if (!abortSignal.aborted) await run();
  } catch (error) {
    if (!abortSignal.aborted) onError(error as Error);
  }
}

async function checkDomains(
  settings: ReportSettings,
  jobContext: JobContext,
  abortSignal: AbortSignal,
): Promise<void> {
  for (const domainName of settings.checkHours === 0 ? [] : settings.domains)
    await attempt(
      () => checkDomain(domainName, settings, jobContext, abortSignal),
      abortSignal,
      (error) =>
        jobContext.log.error('report-round-failed', {
          part: 'check',
          domain: domainName,
          error: error.message,
        }),
    );
}

async function checkDomain(
  domainName: string,
  { checkHours }: ReportSettings,
  { store, clock, localNetwork, resolver, trustStore, log }: JobContext,
  signal: AbortSignal,
): Promise<void> {
  if (readChecks(store, domainName, clock.now() - checkHours * hour).length > 0) return;
  const { check } = await import('../../check/index.js');
  const checkResult = await check(domainName, {
    network: localNetwork,
    resolver,
    // The operator's own domains, which may have addresses of a private network.
    reach: 'any',
    trustStore,
    clock,
    signal,
  });
  await store.write('report', () => storeCheck(store, checkResult));
  log.info('report-check', { domain: domainName, verdict: checkResult.verdict });
}

async function tellChanges(
  { domains, alerts: wanted }: ReportSettings,
  jobContext: JobContext,
): Promise<void> {
  if (!wanted) return;
  const { store, clock, log } = jobContext;
  const channels = Object.fromEntries(
    Object.entries(alertChannels(wanted, jobContext)).map(([channel, send]) => [
      channel,
      (reportAlerts: readonly ReportAlert[]) =>
        send({
          id: randomUUID(),
          subject: alertSubject(reportAlerts),
          text: alertText(reportAlerts),
          json: alertJson(reportAlerts),
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

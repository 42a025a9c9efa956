import { randomUUID } from 'node:crypto';
import { repeat } from '../../base/index.js';
import { check } from '../../check/index.js';
import { deliver } from '../../send/index.js';
import {
  alertJson,
  alertSubject,
  alertText,
  postWebhook,
  pruneReports,
  readChecks,
  runAlerts,
  storeCheck,
  type ReportAlert,
  type ReportSettings,
} from '../../tls-rpt-receive/index.js';
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
  const { webhook, mail } = wanted;
  type Channel = (alerts: readonly ReportAlert[]) => Promise<boolean>;
  const channels: Record<string, Channel> = {};
  if (webhook !== undefined)
    channels['webhook'] = (alerts) =>
      postWebhook(webhook, alertJson(alerts), { ...house, anchors: house.trustStore });
  if (mail) channels['mail'] = (alerts) => sendMail(mail, alerts, house);
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
    if (!received) log.error('report-alert-not-heard', { channel, alerts: alerts.length });
    else
      for (const { kind, domain, says } of alerts)
        log.warn('report-alert', { channel, kind, domain, says });
  }
}

async function sendMail(
  { from, to, server, port }: NonNullable<NonNullable<ReportSettings['alerts']>['mail']>,
  alerts: readonly ReportAlert[],
  house: JobContext,
): Promise<boolean> {
  const { clock, localNetwork, resolver, trustStore } = house;
  const lines = [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${alertSubject(alerts)}`,
    `Message-ID: <${randomUUID()}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    `Date: ${new Date(clock.now()).toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    'Auto-Submitted: auto-generated',
    '',
    ...(Buffer.from(alertText(alerts))
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
    '',
  ];
  const mail = { from: '', to: [to], message: Buffer.from(lines.join('\r\n')), via: `[${server}]` };
  const { recipients } = await deliver(mail, {
    network: localNetwork,
    resolver,
    trustStore,
    clock,
    smtpPort: port,
  });
  return recipients.every(({ status }) => status === 'delivered');
}

import { randomUUID } from 'node:crypto';
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
  type Alert,
  type ReportSettings,
} from '../../report/index.js';
import type { MxHosts } from './report-hosts.js';
import type { House } from '../service.js';

const hour = 3_600_000;

/** What is done beside receiving: domains checked, so that reports can be explained; changes told; old reports forgotten. Ends when aborted. */
export async function reportRounds(
  settings: ReportSettings,
  house: House,
  { signal, mxHosts }: { readonly signal: AbortSignal; readonly mxHosts: MxHosts },
): Promise<void> {
  const { clock, log } = house;
  while (!signal.aborted) {
    // Beside the rest, which need not wait for a slow resolver.
    void mxHosts.refresh(settings.domains, house, signal);
    try {
      await checkDomains(settings, house, signal);
      await tellChanges(settings, house);
      await pruneReports(house.store, { now: clock.now(), keepDays: settings.keepDays });
    } catch (error) {
      if (!signal.aborted) log.error('report-round-failed', { error: (error as Error).message });
    }
    await clock.sleep(hour, signal).catch(() => undefined);
  }
}

async function checkDomains(
  { domains, checkHours }: ReportSettings,
  { store, clock, localNetwork, resolver, trustStore, log }: House,
  signal: AbortSignal,
): Promise<void> {
  for (const domain of checkHours === 0 ? [] : domains) {
    const since = clock.now() - checkHours * hour;
    if (readChecks(store, domain, since).length > 0) continue;
    const result = await check(domain, {
      network: localNetwork,
      resolver,
      trustStore,
      clock,
      signal,
    });
    await store.write('report', () => storeCheck(store, result));
    log.info('report-check', { domain, verdict: result.verdict });
  }
}

async function tellChanges(
  { domains, alerts: wanted }: ReportSettings,
  house: House,
): Promise<void> {
  if (!wanted) return;
  const { store, clock, log } = house;
  const { webhook, mail } = wanted;
  const channels = {
    ...(webhook === undefined
      ? {}
      : {
          webhook: (alerts: readonly Alert[]) =>
            postWebhook(webhook, alertJson(alerts), { ...house, anchors: house.trustStore }),
        }),
    ...(mail ? { mail: (alerts: readonly Alert[]) => sendMail(mail, alerts, house) } : {}),
  };
  for (const { channel, heard, alerts } of await runAlerts({
    store,
    now: clock.now(),
    domains,
    silenceHours: wanted.silenceHours,
    channels,
  })) {
    if (!heard) log.error('report-alert-not-heard', { channel, alerts: alerts.length });
    else
      for (const { kind, domain, says } of alerts)
        log.warn('report-alert', { channel, kind, domain, says });
  }
}

async function sendMail(
  { from, to, server, port }: NonNullable<NonNullable<ReportSettings['alerts']>['mail']>,
  alerts: readonly Alert[],
  house: House,
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
  return recipients.every((r) => r.status === 'delivered');
}

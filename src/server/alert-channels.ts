import { deliver } from '../send/index.js';
import { postWebhook, type ReportSettings } from '../tls-rpt-receive/index.js';
import type { JobContext } from './service.js';

/** The settings that `report.alerts` and `watch.notify` share. */
type ChannelSettings = Pick<NonNullable<ReportSettings['alerts']>, 'webhook' | 'mail'>;

/** One message to the operator, in the forms that the channels need. */
export interface AlertMessage {
  /** The same when the message is sent again: the local part of its Message-ID. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly json: string;
}

/** Resolves to whether the receiver accepted the message. */
export type AlertChannel = (message: AlertMessage) => Promise<boolean>;

/** The configured receivers of alerts, by name: `webhook`, `mail`. */
export function alertChannels(
  { webhook, mail }: ChannelSettings,
  jobContext: JobContext,
): Readonly<Record<string, AlertChannel>> {
  const channels: Record<string, AlertChannel> = {};
  if (webhook !== undefined)
    channels['webhook'] = ({ json }) =>
      postWebhook(webhook, json, { ...jobContext, anchors: jobContext.trustStore });
  if (mail) channels['mail'] = (message) => sendMail(mail, message, jobContext);
  return channels;
}

/**
 * Sends the text by mail to the configured server. Base64 keeps foreign text out of the
 * lines of SMTP; `Auto-Submitted` keeps automatic replies away (RFC 3834 §5).
 */
async function sendMail(
  { from, to, server, port }: NonNullable<ChannelSettings['mail']>,
  { id, subject, text }: AlertMessage,
  { clock, localNetwork, resolver, trustStore }: JobContext,
): Promise<boolean> {
  const lines = [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Message-ID: <${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    `Date: ${new Date(clock.now()).toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    'Auto-Submitted: auto-generated',
    '',
    ...(Buffer.from(text)
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

import { deliver } from '../send/index.js';
import { postWebhook, type ReportSettings } from '../tls-rpt-receive/index.js';
import type { JobContext } from './service.js';

/** The settings that `report.alerts` and `watch.notify` share. */
type ChannelSettings = Pick<NonNullable<ReportSettings['alerts']>, 'webhook' | 'mail'>;

/** A message to the operator, in the formats of mail and webhook. */
export interface AlertMessage {
  /**
   * The local part of the Message-ID, which stays the same when the message is sent
   * again.
   */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  /** The text as HTML, for mail. */
  readonly html?: string;
  readonly json: string;
}

/** A function that sends a message, and resolves to true if the receiver accepted it. */
export type AlertChannel = (message: AlertMessage) => Promise<boolean>;

/** Returns the configured channels for alerts by name: `webhook`, `mail`. */
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

type MailSettings = NonNullable<ChannelSettings['mail']>;

/** Sends a message by mail to the configured server. */
async function sendMail(
  mailSettings: MailSettings,
  message: AlertMessage,
  { clock, localNetwork, resolver, trustStore }: JobContext,
): Promise<boolean> {
  const { to, server, port } = mailSettings;
  const text = formatAlertMail(mailSettings, message, clock.now());
  const mail = { from: '', to: [to], message: Buffer.from(text), via: `[${server}]` };
  const { recipients } = await deliver(mail, {
    network: localNetwork,
    resolver,
    trustStore,
    clock,
    smtpPort: port,
  });
  return recipients.every(({ status }) => status === 'delivered');
}

/**
 * Formats a message as mail. Base64 ensures that foreign text cannot change the lines of
 * SMTP; `Auto-Submitted` prevents automatic replies (RFC 3834 §5). `at`: milliseconds
 * since 1970.
 */
export function formatAlertMail(
  { from, to }: Pick<MailSettings, 'from' | 'to'>,
  { id, subject, text, html }: AlertMessage,
  at: number,
): string {
  return [
    `From: ${from}`,
    `To: ${to}`,
    `Subject: ${subject}`,
    `Message-ID: <${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
    `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Auto-Submitted: auto-generated',
    ...(html === undefined ? part('plain', text) : alternatives(id, text, html)),
  ].join('\r\n');
}

/** Returns the header and body of a MIME part as lines. */
function part(subtype: 'plain' | 'html', content: string): readonly string[] {
  return [
    `Content-Type: text/${subtype}; charset=utf-8`,
    'Content-Transfer-Encoding: base64',
    '',
    ...(Buffer.from(content)
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
    '',
  ];
}

/**
 * Returns text and HTML as alternatives, the richer one last (RFC 2046 §5.1.4). No line
 * of base64 begins with `=_`, so no part contains the boundary.
 */
function alternatives(id: string, text: string, html: string): readonly string[] {
  const boundary = `=_${id}`;
  return [
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    ...part('plain', text),
    `--${boundary}`,
    ...part('html', html),
    `--${boundary}--`,
    '',
  ];
}

import { fail, type Failure, type Result } from '../base/index.js';
import { smtpFailures } from './failures.js';
import { parseMailbox } from './mailbox.js';
import type { Reply } from './reply-reader.js';
import type { SmtpSession } from './session.js';

export interface Envelope {
  /**
   * Reverse path; empty for a notification that must not be answered (RFC 5321 §4.5.5).
   */
  readonly from: string;
  readonly to: readonly string[];
  /** Whether to request REQUIRETLS from the next server (RFC 8689). */
  readonly requireTls?: boolean;
}

/** The outcome of one message. Each recipient is in exactly one of the lists. */
export interface MailResult {
  readonly accepted: readonly string[];
  readonly refused: readonly { readonly address: string; readonly failure: Failure }[];
  /** The reply to the complete message. */
  readonly reply?: Reply;
}

/**
 * Sends one message in a session that is ready for it: after EHLO, and under TLS if the
 * policy requires it (RFC 5321 §3.3). Bare CR and LF become CRLF, so that a server cannot
 * read text in the message as its end (SMTP smuggling). The function refuses invalid
 * addresses and does not send them.
 */
export async function sendMail(
  session: SmtpSession,
  envelope: Envelope,
  message: Uint8Array,
): Promise<MailResult> {
  const refused: { address: string; failure: Failure }[] = [];
  const all = (failure: Failure, reply?: Reply): MailResult => ({
    accepted: [],
    refused: [...refused, ...rest().map((address) => ({ address, failure }))],
    reply,
  });
  const rest = (): readonly string[] =>
    envelope.to.filter((address) => !refused.some((r) => r.address === address));
  const bodyBytes = dotted(message);
  const command = mailCommand(session, envelope, bodyBytes);
  if (!command.ok) return all(command.failure);
  const mail = await obey(session, command.value);
  if (!mail.ok) return all(mail.failure);
  for (const address of envelope.to) {
    const mailbox = parseMailbox(address);
    const rcpt = mailbox.ok
      ? await obey(session, `RCPT TO:<${mailbox.value.local}@${mailbox.value.domain}>`)
      : mailbox;
    if (!rcpt.ok) refused.push({ address, failure: rcpt.failure });
  }
  if (rest().length === 0) return all(smtpFailures.make('smtp-closed'));
  const ready = await obey(session, 'DATA', 354);
  if (!ready.ok) return all(ready.failure);
  const done = await session.body(bodyBytes);
  if (!done.ok) return all(done.failure);
  if (done.value.code >= 300) return all(said(done.value), done.value);
  return { accepted: rest(), refused, reply: done.value };
}

/**
 * Returns `MAIL FROM` with the parameters that the message needs, or the reason why this
 * server cannot accept it.
 */
function mailCommand(
  session: SmtpSession,
  { from, to, requireTls }: Envelope,
  bodyBytes: Uint8Array,
): Result<string> {
  const offers = session.capabilities;
  const sender = from === '' ? undefined : parseMailbox(from);
  if (sender && !sender.ok) return sender;
  const utf8 = [from, ...to].some((address) => {
    const mailbox = parseMailbox(address);
    return mailbox.ok && mailbox.value.utf8;
  });
  const eight = bodyBytes.some((octet) => octet > 127);
  const limit = Number(offers.get('SIZE') ?? 0);
  if (limit > 0 && bodyBytes.length > limit)
    return fail(smtpFailures.make('smtp-too-big', `${bodyBytes.length} of ${limit} octets`));
  if (utf8 && !offers.has('SMTPUTF8')) return fail(smtpFailures.make('smtp-utf8-not-offered'));
  if (eight && !offers.has('8BITMIME')) return fail(smtpFailures.make('smtp-8bit-not-offered'));
  // RFC 8689 §2 [8689-2-1]: REQUIRETLS is sent only under TLS, and only if the reply
  // after the handshake offers it.
  if (requireTls && !(session.isEncrypted && offers.has('REQUIRETLS')))
    return fail(smtpFailures.make('smtp-requiretls-not-offered'));
  const parameters = [
    offers.has('SIZE') ? ` SIZE=${bodyBytes.length}` : '',
    eight ? ' BODY=8BITMIME' : '',
    utf8 ? ' SMTPUTF8' : '',
    requireTls ? ' REQUIRETLS' : '',
  ];
  const path = sender ? `${sender.value.local}@${sender.value.domain}` : '';
  return { ok: true, value: `MAIL FROM:<${path}>${parameters.join('')}` };
}

/** Sends one command; fails unless the server accepts it. */
async function obey(
  session: SmtpSession,
  command: string,
  expected?: number,
): Promise<Result<Reply>> {
  const smtpReply = await session.command(command);
  if (!smtpReply.ok) return smtpReply;
  const { code } = smtpReply.value;
  const agreed = expected === undefined ? code >= 200 && code < 300 : code === expected;
  if (agreed) return smtpReply;
  // RFC 5321 §4.5.3.1.10 [5321-4.5.3.1.10-1]: in reply to RCPT, 552 means too many
  // recipients for now.
  const tooMany = code === 552 && command.startsWith('RCPT ');
  return fail(said(smtpReply.value, tooMany ? 'smtp-mail-deferred' : undefined));
}

function said(
  { code, lines }: Reply,
  as: 'smtp-mail-rejected' | 'smtp-mail-deferred' = code >= 500
    ? 'smtp-mail-rejected'
    : 'smtp-mail-deferred',
): Failure {
  return smtpFailures.make(as, `${code} ${lines.join(' / ')}`.slice(0, 300));
}

/**
 * Returns a message for DATA. RFC 5321 §4.5.2 and §2.3.8: every line end is CRLF, a dot
 * at the start of a line is doubled, and a line with a single dot ends the message.
 */
function dotted(message: Uint8Array): Uint8Array {
  const text = Buffer.from(message.buffer, message.byteOffset, message.length).toString('latin1');
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return Buffer.from(
    `${lines.map((messageLine) => (messageLine.startsWith('.') ? `.${messageLine}` : messageLine)).join('\r\n')}\r\n.\r\n`,
    'latin1',
  );
}

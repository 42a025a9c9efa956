/**
 * The part of SMTP that transport security needs: RFC 5321, RFC 3207.
 *
 * A mail session starts in plaintext. The client sends EHLO, and the server lists its
 * extensions. If STARTTLS is among them, the client may start TLS. Afterwards it sends
 * EHLO again, because everything it learned before could have been forged (RFC 3207
 * §4.2). An on-path attacker can remove STARTTLS from the list: without a policy the
 * client cannot detect the removal. MTA-STS and DANE provide that policy.
 *
 * - `openSession` and `SmtpSession` are the client: greeting, EHLO, STARTTLS, commands,
 *   with a transcript. Plaintext that arrives between the 220 reply and TLS ends the
 *   session (response injection).
 * - `starttlsOffer` distinguishes an absent STARTTLS from one that a middlebox has
 *   overwritten.
 * - `sendMail` transfers one message. Only `CRLF.CRLF` can end it (SMTP smuggling).
 * - `server/` is a receiving server with limits on time, length and count of every
 *   session. It has no AUTH and relays nothing.
 *
 * Replies and disconnects of a server are results, not exceptions. This part does not
 * implement TLS: the caller passes the function that secures the connection.
 *
 * @example
 * ```ts
 * const opened = await openSession({ connection, helo: 'probe.example.net' });
 * if (opened.ok) {
 *   const hello = await opened.value.ehlo();
 *   if (hello.ok && starttlsOffer(hello.value.lines).status === 'offered')
 *     await opened.value.startTls(secure);
 * }
 * ```
 */
export {
  openSession,
  SmtpSession,
  type SmtpSessionOptions,
  type OpenFailure,
  type SecureConnection,
  type SmtpTranscriptLine,
} from './session.js';
export { starttlsOffer, type StarttlsOffer } from './starttls-offer.js';
export { ReplyReader, type Reply, type ReplyState } from './reply-reader.js';
export { parseMailbox, type Mailbox } from './mailbox.js';
export { sendMail, type Envelope, type MailResult } from './send-mail.js';
export { smtpFailures } from './failures.js';
export { SmtpServer, type SmtpServerOptions } from './server/smtp-server.js';
export {
  type IncomingMail,
  type ServerReply,
  type SessionLimits,
} from './server/server-session.js';
export { parseCommand, type Command, type Parameters } from './server/parse-command.js';
export { SmtpInput, type InputLine } from './server/smtp-input.js';

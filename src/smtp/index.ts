/**
 * SMTP as far as transport needs it (RFC 5321, RFC 3207). The client's side: replies,
 * EHLO, STARTTLS. The server's side, under `server/`: sessions that take messages,
 * bounded in time, length and count.
 *
 * @example const opened = await openSession({ conn, helo: 'probe.example.net' }); if
 * (opened.ok) { const hello = await opened.value.ehlo(); if (hello.ok &&
 * starttlsOffer(hello.value.lines).status === 'offered') await
 * opened.value.startTls(secure); }
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

/**
 * The client's side of SMTP as far as transport needs it: replies, EHLO, STARTTLS. RFC 5321, RFC 3207.
 *
 * @example
 * const opened = await openSession({ conn, helo: 'probe.example.net' });
 * if (opened.ok) {
 *   const hello = await opened.value.ehlo();
 *   if (hello.ok && starttlsOffer(hello.value.lines).status === 'offered') await opened.value.startTls(secure);
 * }
 */
export {
  openSession,
  SmtpSession,
  type SessionOptions,
  type OpenFailure,
  type SecureConn,
  type TranscriptLine,
} from './session.js';
export { starttlsOffer, type StarttlsOffer } from './starttls-offer.js';
export { ReplyReader, type Reply, type ReplyState } from './reply-reader.js';
export { parseMailbox, type Mailbox } from './mailbox.js';
export { sendMail, type Envelope, type MailResult } from './send-mail.js';
export { smtpFailures } from './failures.js';

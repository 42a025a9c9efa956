/**
 * A nodemailer transport that delivers without a smart host (RFC 5321 §5.1).
 *
 * nodemailer itself sends directly with opportunistic TLS only, so an on-path attacker
 * can read the mail. This transport looks up DANE (RFC 7672) and MTA-STS (RFC 8461) for
 * each recipient domain and enforces them. nodemailer still composes and signs the
 * message.
 *
 * The transport has no queue. Recipients in `pending` are deferred: the caller sends the
 * message to them again later.
 *
 * @example
 * ```ts
 * const transport = createTransport(directTransport({ helo: 'mail.example.net' }));
 * await transport.sendMail({
 *   from: 'me@example.net',
 *   to: 'you@example.com',
 *   subject: 'Hello',
 *   text: 'Sent under the policy of example.com.',
 * });
 * ```
 */
export {
  directTransport,
  type ComposedMail,
  type DirectInfo,
  type DirectTransport,
  type DirectTransportOptions,
} from './direct-transport.js';

/**
 * nodemailer without a smart host: messages go to the recipients' own servers, as their
 * policies ask. RFC 5321 §5.1, RFC 8461, RFC 7672.
 *
 * @example const transport = createTransport(directTransport({ helo: 'mail.example.net'
 * })); await transport.sendMail({ from: 'me@example.net', to: 'you@example.com', subject:
 * 'Hello', text: 'Sealed.' });
 */
export {
  directTransport,
  type ComposedMail,
  type DirectInfo,
  type DirectTransport,
  type DirectTransportOptions,
} from './direct-transport.js';

import { TLSSocket } from 'node:tls';
import type { Connection } from '../net/index.js';

/**
 * Asks for a second handshake inside a session of TLS 1.2 or earlier (RFC 5246 §7.4.1.2),
 * once. A server that refuses renegotiation sends an alert or closes the connection.
 * Never rejects.
 *
 * `unknown`: the stream is not a session of node:tls, or no answer arrived within
 * `timeoutMs` milliseconds. Insecure renegotiation lets an attacker insert bytes before
 * the data of a session (CVE-2009-3555, RFC 5746).
 */
export function renegotiate(
  { stream }: Connection,
  timeoutMs: number,
): Promise<'accepted' | 'refused' | 'unknown'> {
  if (!(stream instanceof TLSSocket)) return Promise.resolve('unknown');
  return new Promise((resolve) => {
    const finish = (outcome: 'accepted' | 'refused' | 'unknown'): void => {
      clearTimeout(timer);
      stream.off('close', refused).off('error', refused);
      stream.on('error', () => undefined);
      resolve(outcome);
    };
    const refused = (): void => finish('refused');
    const timer = setTimeout(() => finish('unknown'), timeoutMs);
    stream.on('close', refused).on('error', refused);
    stream.renegotiate({ rejectUnauthorized: false }, (error) =>
      finish(error ? 'refused' : 'accepted'),
    );
  });
}

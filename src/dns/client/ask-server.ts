import { fail, type Name, type Result } from '../../base/index.js';
import type { Message } from '../wire/message.js';
import { transportFailures } from './failures.js';
import { askUpstream, TlsConnectionPool, type TransportOptions } from './transport.js';
import type { Upstream } from './upstream.js';

/**
 * Asks a server for what it holds itself, cache and validation aside. Rejects only with
 * `signal.reason`.
 */
export function askServer(
  server: Upstream,
  name: Name,
  type: number,
  options: Pick<TransportOptions, 'network' | 'timeoutMs' | 'attempts'>,
  signal?: AbortSignal,
): Promise<Result<Message>> {
  const flags = { checkingDisabled: true, authenticData: false };
  // Authoritative servers are asked in clear: what they say is validated or compared,
  // never believed.
  const secure = async (): Promise<Result<never>> =>
    fail(transportFailures.make('dns-bad-upstream', server.label));
  return askUpstream(
    server,
    name,
    type,
    flags,
    { ...options, secure, connections: new TlsConnectionPool() },
    signal,
  );
}

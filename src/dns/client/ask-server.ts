import { fail, type Name, type Result } from '../../base/index.js';
import type { Message } from '../wire/message.js';
import { transportFailures } from './failures.js';
import { ConnectionPool, type TransportOptions } from './stream-transport.js';
import { askUpstream } from './transport.js';
import type { Upstream } from './upstream.js';

/**
 * Queries an authoritative server directly, without cache and validation. Rejects only
 * with `signal.reason`.
 */
export function askServer(
  server: Upstream,
  { name, type }: { readonly name: Name; readonly type: number },
  options: Pick<TransportOptions, 'network' | 'timeoutMs' | 'attempts'>,
  abortSignal?: AbortSignal,
): Promise<Result<Message>> {
  const flags = { checkingDisabled: true, authenticData: false };
  // Authoritative servers are queried in plaintext: their answers are validated or
  // compared, never trusted.
  const secure = async (): Promise<Result<never>> =>
    fail(transportFailures.make('dns-bad-upstream', server.label));
  return askUpstream(
    server,
    { name, type, flags },
    { ...options, secure, connections: new ConnectionPool() },
    abortSignal,
  );
}

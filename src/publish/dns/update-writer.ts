import { Name, type Clock } from '../../base/index.js';
import { sendUpdate, type TsigKey, type Upstream } from '../../dns/index.js';
import type { Network } from '../../net/index.js';
import type { DnsWriter } from '../actions.js';

export interface UpdateWriterOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** The primary. */
  readonly server: Upstream;
  /** Apex of the zone. */
  readonly zone: Name;
  readonly key: TsigKey;
}

/** Changes records by RFC 2136 with TSIG: compare and set, one RRset a message. */
export function updateWriter({
  network,
  clock,
  server,
  zone,
  key,
}: UpdateWriterOptions): DnsWriter {
  return async ({ name, type, from, to, ttl }, signal) => {
    const change = { zone, name: Name.of(name), type, from, to, ttl };
    const sent = await sendUpdate(change, {
      network,
      server,
      key,
      now: () => clock.now(),
      ...(signal ? { signal } : {}),
    });
    return sent.ok
      ? { status: 'done' }
      : { status: 'failed', code: sent.failure.code, detail: sent.failure.detail };
  };
}

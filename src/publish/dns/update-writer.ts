import { Name, type Clock } from '../../base/index.js';
import { sendUpdate, type TsigKey, type Upstream } from '../../dns/index.js';
import type { Network } from '../../net/index.js';
import type { DnsWriter } from '../actions.js';

/** The server, the zone and the key of a dynamic update. */
export interface UpdateWriterOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** The primary server of the zone. */
  readonly server: Upstream;
  /** Apex of the zone. */
  readonly zone: Name;
  readonly key: TsigKey;
}

/**
 * Returns a writer that sends dynamic updates (RFC 2136) with TSIG (RFC 8945). Each
 * message compares and sets one RRset, so a change by another program is never
 * overwritten.
 */
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
      signal,
    });
    if (sent.ok) return { status: 'done' };
    const { code, detail } = sent.failure;
    return { status: 'failed', code, detail };
  };
}

import { Name, type Clock } from '../../base/index.js';
import { parseUpstream } from '../../dns/index.js';
import type { Network } from '../../net/index.js';
import type { DnsWriter } from '../actions.js';
import type { PublishSection } from '../config.js';
import { hookWriter } from './hook-writer.js';
import { parseTsigKey } from './tsig-key.js';
import { updateWriter } from './update-writer.js';

/**
 * Adds the record to the detail of a failure: the caller may have requested a
 * certificate, and the message has to name the record that failed.
 */
function withRecordName(write: DnsWriter): DnsWriter {
  return async (action, abortSignal) => {
    const outcome = await write(action, abortSignal);
    if (outcome.status !== 'failed') return outcome;
    return { ...outcome, detail: `${action.type} of ${action.name}: ${outcome.detail}` };
  };
}

/**
 * Returns the writers of records, by their name in `publish.dns`. An entry of kind
 * `print` has no writer. `readSecret` reads the text of a key file. Throws HermeticError
 * for an invalid key.
 */
export function dnsWriters(
  { dns }: PublishSection,
  {
    network,
    clock,
    readSecret,
  }: { readonly network: Network; readonly clock: Clock; readSecret(filePath: string): string },
): ReadonlyMap<string, DnsWriter> {
  const writers = new Map<string, DnsWriter>();
  for (const [recordName, target] of Object.entries(dns)) {
    if (target.kind === 'hook') writers.set(recordName, withRecordName(hookWriter(target.command)));
    if (target.kind !== 'rfc2136') continue;
    const server = parseUpstream(target.server);
    if (!server.ok) continue;
    const key = parseTsigKey(readSecret(target.key), target.key);
    writers.set(
      recordName,
      withRecordName(
        updateWriter({ network, clock, server: server.value, zone: Name.of(target.zone), key }),
      ),
    );
  }
  return writers;
}

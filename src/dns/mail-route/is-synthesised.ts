import { randomBytes } from 'node:crypto';
import { toHex, type Name } from '../../base/index.js';
import type { DnsAnswer } from '../types.js';

/**
 * Returns whether a wildcard produced the records: a random name below this name gets the
 * same answer only if this name does not exist (RFC 4592 §3.3.1). Sends at most two
 * questions through `ask`.
 */
export async function isSynthesised(
  ask: (domainName: Name, recordType: number) => Promise<DnsAnswer>,
  domainName: Name,
  recordType: number,
  { records }: Pick<DnsAnswer, 'records'>,
): Promise<boolean> {
  const contents = (answer: readonly { readonly rdata: Uint8Array }[]): string =>
    answer
      .map(({ rdata }) => toHex(rdata))
      .sort()
      .join();
  for (const above of ['', '.*']) {
    const probe = domainName.prepend(`hermetic-${randomBytes(10).toString('hex')}${above}`);
    const dnsAnswer = probe.ok ? await ask(probe.value, recordType) : undefined;
    const alike =
      dnsAnswer?.status === 'found' && contents(dnsAnswer.records) === contents(records);
    // Some servers refuse a name that contains `*`. The first answer then decides.
    if (!alike && (above === '' || dnsAnswer?.status !== 'failed')) return false;
  }
  return true;
}

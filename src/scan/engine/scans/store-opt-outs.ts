import { parseIp } from '../../../base/index.js';
import type { Queries } from '../database/database.js';

/**
 * Adds hosts, addresses and networks that no scan contacts, one per line, as
 * `parseOptOut` of a check accepts them. The caller has validated the text. Every claim
 * of visits reads the list, so a new entry also stops visits of a running scan.
 */
export async function storeOptOuts(database: Queries, text: string): Promise<void> {
  const entries = text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, '').trim().toLowerCase().replace(/\.$/, ''))
    .filter((line) => line !== '');
  const isNetwork = (entry: string): boolean => parseIp(entry.split('/')[0] ?? '') !== undefined;
  await database.query(
    `INSERT INTO hermetic_scan.opt_out (entry, net, name)
      SELECT entry, network(net::inet), name
      FROM unnest($1::text[], $2::text[], $3::text[]) AS g (entry, net, name)
      ON CONFLICT (entry) DO NOTHING`,
    [
      entries,
      entries.map((entry) => (isNetwork(entry) ? entry : null)),
      entries.map((entry) => (isNetwork(entry) ? null : entry)),
    ],
  );
}

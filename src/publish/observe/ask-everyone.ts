import type { Name } from '../../base/index.js';
import { askServer, Rcode, RRType, type Message, type ResourceRecord, type Upstream } from '../../dns/index.js';
import type { Network } from '../../net/index.js';

export interface Shown {
  readonly server: string;
  /** `unknown`: no answer, not authoritative, or an alias, which leads to what others decide. */
  readonly rrset: { readonly records: readonly ResourceRecord[]; readonly ttl: number } | 'unknown';
}

/** One RRset as each authoritative server shows it, asked itself and not through a cache. */
export function askEveryone(
  network: Network,
  servers: readonly Upstream[],
  name: Name,
  type: number,
  signal?: AbortSignal,
): Promise<readonly Shown[]> {
  return Promise.all(
    servers.map(async (server): Promise<Shown> => {
      const answer = await askServer(server, name, type, { network, timeoutMs: 2000, attempts: 2 }, signal);
      return { server: server.label, rrset: answer.ok ? rrsetOf(answer.value, name, type) : 'unknown' };
    }),
  );
}

function rrsetOf({ rcode, authoritative, answers }: Message, name: Name, type: number): Shown['rrset'] {
  if (!authoritative || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN)) return 'unknown';
  const own = answers.filter((rr) => rr.name.equals(name));
  const records = own.filter((rr) => rr.type === type);
  if (records.length === 0 && own.some((rr) => rr.type === RRType.CNAME)) return 'unknown';
  return { records, ttl: Math.max(0, ...records.map((rr) => rr.ttl)) };
}

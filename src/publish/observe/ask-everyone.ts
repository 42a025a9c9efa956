import type { Name } from '../../base/index.js';
import {
  askServer,
  Rcode,
  readTarget,
  RRType,
  type Message,
  type ResourceRecord,
  type Upstream,
} from '../../dns/index.js';
import type { Network } from '../../net/index.js';

export interface Shown {
  readonly server: string;
  /** Where the name is an alias: what it leads to is decided there. */
  readonly alias?: string;
  /** `unknown`: no answer, not authoritative, or an alias. */
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
      const answer = await askServer(
        server,
        name,
        type,
        { network, timeoutMs: 2000, attempts: 2 },
        signal,
      );
      return {
        server: server.label,
        ...(answer.ok ? shownIn(answer.value, name, type) : { rrset: 'unknown' }),
      };
    }),
  );
}

function shownIn(
  { rcode, authoritative, answers }: Message,
  name: Name,
  type: number,
): Omit<Shown, 'server'> {
  if (!authoritative || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN))
    return { rrset: 'unknown' };
  const own = answers.filter((rr) => rr.name.equals(name));
  const cname = own.find((rr) => rr.type === RRType.CNAME);
  const target = cname && readTarget(cname);
  if (target?.ok) return { rrset: 'unknown', alias: target.value.toLower() };
  const records = own.filter((rr) => rr.type === type);
  return { rrset: { records, ttl: Math.max(0, ...records.map((rr) => rr.ttl)) } };
}

import { randomBytes } from 'node:crypto';
import { toHex, type Name } from '../../base/index.js';
import {
  askServer,
  Rcode,
  readRrsig,
  readTarget,
  RRType,
  type Message,
  type ResourceRecord,
  type Upstream,
} from '../../dns/index.js';
import type { Network } from '../../net/index.js';

/** What one authoritative server answers for a name and type. */
export interface Shown {
  readonly server: string;
  /** The name is an alias of this one, which decides what is published. */
  readonly alias?: string;
  /**
   * The answer comes from a wildcard: the name itself has no records (RFC 4592 §2.2.1).
   */
  readonly synthesised?: true;
  /** What senders see. `unknown`: no answer, not authoritative, or an alias. */
  readonly rrset: { readonly records: readonly ResourceRecord[]; readonly ttl: number } | 'unknown';
}

/**
 * One RRset as each authoritative server answers it, asked directly and not through a
 * cache.
 */
export function queryAuthoritatives(
  network: Network,
  servers: readonly Upstream[],
  name: Name,
  type: number,
  signal?: AbortSignal,
): Promise<readonly Shown[]> {
  return Promise.all(
    servers.map(async (server): Promise<Shown> => {
      const ask: Ask = async (at) => {
        const options = { network, timeoutMs: 2000, attempts: 2 };
        const answer = await askServer(server, at, type, options, signal);
        return answer.ok ? answer.value : undefined;
      };
      return { server: server.label, ...(await shownBy(ask, name, type)) };
    }),
  );
}

/**
 * Whether a name exists by a wildcard alone: of the types that were asked for, no server
 * shows records of its own and at least one shows synthesised ones.
 */
export function isFromWildcard(types: readonly (readonly Shown[])[]): boolean {
  const answers = types.flat();
  const own = answers.some(
    ({ alias, synthesised, rrset }) =>
      synthesised !== true &&
      (alias !== undefined || (rrset !== 'unknown' && rrset.records.length > 0)),
  );
  return !own && answers.some(({ synthesised }) => synthesised === true);
}

type Ask = (name: Name) => Promise<Message | undefined>;

async function shownBy(ask: Ask, name: Name, type: number): Promise<Omit<Shown, 'server'>> {
  const message = await ask(name);
  const records = message && recordsAt(message, name, type);
  if (!message || !records) return { rrset: 'unknown' };
  const synthesised = records.length > 0 && (await isSynthesised(ask, message, name, type));
  const mark = synthesised ? { synthesised } : {};
  const cname = records.find((rr) => rr.type === RRType.CNAME);
  const target = cname && readTarget(cname);
  if (target?.ok) return { rrset: 'unknown', alias: target.value.toLower(), ...mark };
  return { rrset: { records, ttl: Math.max(0, ...records.map((rr) => rr.ttl)) }, ...mark };
}

/**
 * The records of a type at a name, or its CNAME; undefined where the server does not
 * know.
 */
function recordsAt(
  { rcode, authoritative, answers }: Message,
  name: Name,
  type: number,
): readonly ResourceRecord[] | undefined {
  if (!authoritative || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN)) return undefined;
  const own = answers.filter((rr) => rr.name.equals(name));
  const alias = own.filter((rr) => rr.type === RRType.CNAME);
  return alias.length > 0 ? alias : own.filter((rr) => rr.type === type);
}

/**
 * Whether a wildcard made the records. In a signed answer the signature counts the labels
 * of the owner it was made for, without `*` (RFC 4034 §3.1.3). In an unsigned one a name
 * that cannot exist tells: `RANDOM.NAME` is below NAME, so a wildcard above NAME applies
 * to it only where NAME itself does not exist (RFC 4592 §3.3.1). `RANDOM.*.NAME` says the
 * same where NAME has a wildcard of its own, since `*.NAME` exists then.
 */
async function isSynthesised(
  ask: Ask,
  { answers }: Message,
  name: Name,
  type: number,
): Promise<boolean> {
  const owned = answers.filter((rr) => rr.name.equals(name));
  const labels = owned.flatMap((rr) => {
    const signature = rr.type === RRType.RRSIG ? readRrsig(rr) : undefined;
    const { typeCovered = 0 } = signature?.ok ? signature.value : {};
    return signature?.ok && (typeCovered === type || typeCovered === Number(RRType.CNAME))
      ? [signature.value.labels]
      : [];
  });
  const [counted] = labels;
  if (counted !== undefined) return counted < name.labels.length - (name.isWildcard ? 1 : 0);
  // The CNAME that a DNAME implies is no record of a wildcard (RFC 6672 §2.2).
  if (answers.some((rr) => rr.type === RRType.DNAME)) return false;
  const shown = contents(owned, type);
  const isShownAt = async (above: string): Promise<boolean | undefined> => {
    // Nobody published it: 80 random bits.
    const probe = name.prepend(`hermetic-${randomBytes(10).toString('hex')}${above}`);
    const message = probe.ok ? await ask(probe.value) : undefined;
    const records = message && probe.ok && recordsAt(message, probe.value, type);
    return records && contents(records, type) === shown;
  };
  // Some servers refuse a name with `*` inside: then the first answer stands.
  return (await isShownAt('')) === true && (await isShownAt('.*')) !== false;
}

function contents(records: readonly ResourceRecord[], type: number): string {
  return records
    .filter((rr) => rr.type === type || rr.type === RRType.CNAME)
    .map((rr) => `${rr.type} ${toHex(rr.rdata)}`)
    .sort()
    .join('\n');
}

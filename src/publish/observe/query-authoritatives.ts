import { randomBytes } from 'node:crypto';
import { Name, toHex } from '../../base/index.js';
import {
  askServer,
  Rcode,
  readRrsig,
  readTarget,
  RRType,
  txtText,
  type Message,
  type ResourceRecord,
} from '../../dns/index.js';
import { txtRdata } from '../records/txt-rdata.js';
import type { ObservedZone, Observer } from './observer.js';

/** The answer of one authoritative server for a name and type. */
export interface AuthoritativeAnswer {
  readonly server: string;
  /**
   * Target of the alias, if the queried name is an alias: the records of the target
   * apply.
   */
  readonly alias?: string;
  /**
   * Whether the answer comes from a wildcard: the queried name itself then has no records
   * (RFC 4592 §2.2.1).
   */
  readonly synthesised?: true;
  /**
   * The RRset that senders see. `unknown`: the server sent no authoritative answer, or
   * the name is an alias.
   */
  readonly rrset: { readonly records: readonly ResourceRecord[]; readonly ttl: number } | 'unknown';
}

/** A question for every authoritative server of a zone. */
export interface AuthoritativeQuery {
  /** The zone of the name. If the zone is unknown (undefined), no server is queried. */
  readonly zone: ObservedZone | undefined;
  readonly name: Name;
  readonly type: number;
}

/**
 * Queries every authoritative server of a zone for one RRset, directly and without a
 * cache. A change is published only once all servers return it, because a sender may
 * query any of them.
 */
export function queryAuthoritatives(
  { zone, name, type }: AuthoritativeQuery,
  { network, signal }: Pick<Observer, 'network' | 'signal'>,
): Promise<readonly AuthoritativeAnswer[]> {
  return Promise.all(
    (zone?.servers ?? []).map(async (server): Promise<AuthoritativeAnswer> => {
      const ask: AskFunction = async (ownerName) => {
        const options = { network, timeoutMs: 2000, attempts: 2 };
        const answer = await askServer(server, { name: ownerName, type }, options, signal);
        return answer.ok ? answer.value : undefined;
      };
      return { server: server.label, ...(await classifyAnswer(ask, name, type)) };
    }),
  );
}

/**
 * Returns whether a name exists by a wildcard alone: for the queried types no server
 * returns records of the name itself, and at least one returns synthesised records.
 */
export function isFromWildcard(types: readonly (readonly AuthoritativeAnswer[])[]): boolean {
  const answers = types.flat();
  const own = answers.some(
    ({ alias, synthesised, rrset }) =>
      synthesised !== true &&
      (alias !== undefined || (rrset !== 'unknown' && rrset.records.length > 0)),
  );
  return !own && answers.some(({ synthesised }) => synthesised === true);
}

type AskFunction = (domainName: Name) => Promise<Message | undefined>;

async function classifyAnswer(
  ask: AskFunction,
  domainName: Name,
  recordType: number,
): Promise<Omit<AuthoritativeAnswer, 'server'>> {
  const message = await ask(domainName);
  const records = message && recordsAt(message, domainName, recordType);
  if (!message || !records) return { rrset: 'unknown' };
  const synthesised =
    records.length > 0 && (await isSynthesised(ask, message, domainName, recordType));
  const mark = { synthesised: synthesised || undefined };
  const cname = records.find((resourceRecord) => resourceRecord.type === RRType.CNAME);
  const target = cname && readTarget(cname);
  if (target?.ok) return { rrset: 'unknown', alias: target.value.toLower(), ...mark };
  return {
    rrset: { records, ttl: Math.max(0, ...records.map((resourceRecord) => resourceRecord.ttl)) },
    ...mark,
  };
}

/**
 * Returns the records of a type at a name, or its CNAME; undefined if the answer is not
 * authoritative.
 */
function recordsAt(
  { rcode, authoritative, answers }: Message,
  domainName: Name,
  recordType: number,
): readonly ResourceRecord[] | undefined {
  if (!authoritative || (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN)) return undefined;
  const own = answers.filter((resourceRecord) => resourceRecord.name.equals(domainName));
  const aliasRecord = own.filter((resourceRecord) => resourceRecord.type === RRType.CNAME);
  return aliasRecord.length > 0
    ? aliasRecord
    : own.filter((resourceRecord) => resourceRecord.type === recordType);
}

/**
 * Returns whether a wildcard synthesised the records.
 *
 * In a signed answer the signature has the number of labels of the owner that was signed,
 * without `*` (RFC 4034 §3.1.3).
 *
 * For an unsigned answer, a query for a name that cannot exist decides. `RANDOM.NAME` is
 * below NAME, so a wildcard above NAME applies to it only when NAME itself does not exist
 * (RFC 4592 §3.3.1). If NAME has a separate wildcard, `*.NAME` exists, and
 * `RANDOM.*.NAME` decides.
 */
async function isSynthesised(
  ask: AskFunction,
  { answers }: Message,
  domainName: Name,
  recordType: number,
): Promise<boolean> {
  const owned = answers.filter((resourceRecord) => resourceRecord.name.equals(domainName));
  const labels = owned.flatMap((resourceRecord) => {
    const signature = resourceRecord.type === RRType.RRSIG ? readRrsig(resourceRecord) : undefined;
    const { typeCovered = 0 } = signature?.ok ? signature.value : {};
    return signature?.ok && (typeCovered === recordType || typeCovered === Number(RRType.CNAME))
      ? [signature.value.labels]
      : [];
  });
  const [counted] = labels;
  if (counted !== undefined)
    return counted < domainName.labelCount - (domainName.isWildcard ? 1 : 0);
  // A DNAME, not a wildcard, synthesises this CNAME (RFC 6672 §3.1).
  if (answers.some((resourceRecord) => resourceRecord.type === RRType.DNAME)) return false;
  const shown = contents(owned, recordType);
  const isShownAt = async (above: string): Promise<boolean | undefined> => {
    // 80 random bits: no zone contains this name.
    const probe = domainName.prepend(`hermetic-${randomBytes(10).toString('hex')}${above}`);
    const message = probe.ok ? await ask(probe.value) : undefined;
    const records = message && probe.ok && recordsAt(message, probe.value, recordType);
    return records && contents(records, recordType) === shown;
  };
  // Some servers refuse a name that contains `*`. In that case the first answer decides.
  return (await isShownAt('')) === true && (await isShownAt('.*')) !== false;
}

function contents(records: readonly ResourceRecord[], recordType: number): string {
  return records
    .filter(
      (resourceRecord) =>
        resourceRecord.type === recordType || resourceRecord.type === RRType.CNAME,
    )
    .map((resourceRecord) => `${resourceRecord.type} ${toHex(resourceRecord.rdata)}`)
    .sort()
    .join('\n');
}

/**
 * Returns the alias target of a name according to its authoritative servers; `unknown` if
 * their answers differ. The CNAME of a wildcard is ignored: a record of the name itself
 * replaces the wildcard (RFC 4592 §2.2.1). `dns` is an entry of `publish.dns`.
 */
export async function authoritativeCname(
  name: string,
  dns: string,
  observer: Pick<Observer, 'zone' | 'network' | 'signal'>,
): Promise<string | undefined> {
  const ownerName = Name.of(name);
  const zone = await observer.zone(ownerName, dns);
  const shown = await queryAuthoritatives({ zone, name: ownerName, type: RRType.TXT }, observer);
  const aliases = new Set(
    shown
      .filter(({ alias, rrset }) => alias !== undefined || rrset !== 'unknown')
      .map(({ alias, synthesised }) => (synthesised ? undefined : alias)),
  );
  return aliases.size > 1 ? 'unknown' : [...aliases][0];
}

/**
 * Returns the TXT records of a name itself at each authoritative server, in presentation
 * form, sorted. Records of a wildcard are ignored. The list is empty when no server is
 * known. `dns` is an entry of `publish.dns`.
 */
export async function authoritativeTxt(
  name: string,
  dns: string,
  observer: Pick<Observer, 'zone' | 'network' | 'signal'>,
): Promise<readonly (readonly string[] | 'unknown')[]> {
  const ownerName = Name.of(name);
  const zone = await observer.zone(ownerName, dns);
  const shown = await queryAuthoritatives({ zone, name: ownerName, type: RRType.TXT }, observer);
  return shown.map(({ rrset, synthesised }) => {
    if (synthesised) return [];
    if (rrset === 'unknown') return rrset;
    return rrset.records
      .flatMap((resourceRecord) => {
        const text = txtText(resourceRecord);
        return text === undefined ? [] : [txtRdata(text)];
      })
      .sort();
  });
}

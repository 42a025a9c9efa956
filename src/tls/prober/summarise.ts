import { suiteName, groupName, signatureSchemeName } from '../wire/index.js';
import type { ProbeRecord } from './answer.js';
import {
  authenticationOf,
  groupOf,
  heard,
  heard12,
  removeGroups,
  removeSuites,
  versionName,
  type AnyVersion,
  type Inventory,
  type Settled,
} from './inventory.js';
import { groups12, groups13, suites12, suites13, suitesOld, type HelloVersion, type OldVersion } from './question.js';

const helloVersions: readonly HelloVersion[] = ['TLSv1.3', 'TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'];

/** Folds a log into what is known of the server. Pure. */
export function summarise(log: readonly ProbeRecord[]): Inventory {
  const all = heard(log);
  const answered = all.filter((a) => a.hello);
  // Anonymous suites may use a group of their own.
  const dhe = answered.find((a) => a.keyExchange?.kind === 'dhe' && authenticationOf(a.hello?.suite ?? 0) !== 'none')?.keyExchange;
  const versions = versionsOf(log);
  const known13 = removeGroups(heard(log, 'tls13'), groups13).accepted;
  return {
    versions,
    suites: Object.fromEntries(helloVersions.map((v) => [v, suitesAt(log, v, versions[v])])) as Inventory['suites'],
    order: Object.fromEntries(helloVersions.flatMap((v) => orderAt(log, v))),
    groups: {
      accepted: [...new Set(answered.flatMap((a) => groupOf(a) ?? []))],
      complete12: removeGroups(heard12(log, 'ecdsa', 'tls12'), groups12).left.every((id) => known13.includes(id)),
      complete13: removeGroups(heard(log, 'tls13'), groups13).left.length === 0,
    },
    sets: setsOf(log),
    chains: chainsOf(log),
    compression: any(
      answered.map((a) => a.hello && a.hello.version < 0x0304 && a.hello.compression !== 0),
      answered.some((a) => a.hello && a.hello.version < 0x0304),
    ),
    extendedMasterSecret: feature(log, (h) => h.extendedMasterSecret),
    secureRenegotiation: feature(log, (h) => h.secureRenegotiation),
    ...(dhe?.kind === 'dhe' ? { dhePrimeBits: dhe.prime.length * 8, dhe } : {}),
    ssl2Ciphers: log.flatMap(({ answer }) => (answer.kind === 'ssl2' ? answer.ciphers : [])),
    helloSizeIntolerant: all.some((a) => a.question.topic.startsWith('part:') && a.hello),
  };
}

function any(seen: readonly (boolean | undefined)[], asked: boolean): Settled {
  return seen.includes(true) ? 'accepted' : asked ? 'refused' : 'unknown';
}

/** What TLS 1.2 answers say of an extension; older and newer versions do not count. */
function feature(
  log: readonly ProbeRecord[],
  has: (hello: { extendedMasterSecret: boolean; secureRenegotiation: boolean }) => boolean,
): Settled {
  const hellos = heard(log).flatMap((a) => (a.hello?.version === 0x0303 ? [a.hello] : []));
  return hellos.length === 0 ? 'unknown' : hellos.every(has) ? 'accepted' : 'refused';
}

function versionsOf(log: readonly ProbeRecord[]): Record<AnyVersion, Settled> {
  const seen = new Set<string | undefined>([
    ...heard(log).map((a) => a.hello && versionName(a.hello.version)),
    ...log.map(({ answer }) => (answer.kind === 'handshake' ? answer.version : undefined)),
  ]);
  const ssl2 = log.find(({ question }) => question.kind === 'ssl2')?.answer.kind;
  return {
    SSLv2: ssl2 === 'ssl2' ? 'accepted' : ssl2 === 'refused' ? 'refused' : 'unknown',
    SSLv3: old(log, 'SSLv3', seen),
    TLSv1: old(log, 'TLSv1', seen),
    'TLSv1.1': old(log, 'TLSv1.1', seen),
    'TLSv1.2': seen.has('TLSv1.2')
      ? 'accepted'
      : heard(log, 'tls12')[0]?.question.suites.length === suites12.length
        ? 'refused'
        : refusedAll(log, ['ecdsa', 'tls12']),
    'TLSv1.3': seen.has('TLSv1.3') ? 'accepted' : refusedAll(log, ['tls13']),
  };
}

function refusedAll(log: readonly ProbeRecord[], topics: readonly ('ecdsa' | 'tls12' | 'tls13')[]): Settled {
  return topics.every((topic) => heard(log, topic).length > 0) ? 'refused' : 'unknown';
}

/** An old version is refused when a hello with that or a higher ceiling was answered lower or not at all. */
function old(log: readonly ProbeRecord[], version: OldVersion, seen: ReadonlySet<string | undefined>): Settled {
  if (seen.has(version)) return 'accepted';
  const rank = (v: string): number => ['SSLv3', 'TLSv1', 'TLSv1.1'].indexOf(v);
  const settled = (['TLSv1.1', 'TLSv1', 'SSLv3'] as const).some((ceiling) =>
    heard(log, `highest:${ceiling}`).some(
      (a) => rank(ceiling) >= rank(version) && (!a.hello || rank(versionName(a.hello.version) ?? '') < rank(version)),
    ),
  );
  return settled ? 'refused' : 'unknown';
}

function suitesAt(
  log: readonly ProbeRecord[],
  version: HelloVersion,
  settled: Settled,
): { accepted: readonly number[]; complete: boolean } {
  const accepted = [...new Set(heard(log).flatMap((a) => (a.hello && versionName(a.hello.version) === version ? [a.hello.suite] : [])))];
  if (settled === 'refused') return { accepted: [], complete: true };
  if (version === 'TLSv1.3') return { accepted, complete: removeSuites(heard(log, 'tls13'), suites13, groups13).left.length === 0 };
  if (version === 'TLSv1.2')
    return { accepted, complete: removeSuites(heard12(log, 'ecdsa', 'tls12'), suites12, groups12).left.length === 0 };
  const first = heard(log)
    .filter((a) => a.question.topic.startsWith('highest:') && a.hello && versionName(a.hello.version) === version)
    .slice(0, 1);
  return { accepted, complete: removeSuites([...first, ...heard(log, `suites:${version}`)], suitesOld, groups12).left.length === 0 };
}

function orderAt(log: readonly ProbeRecord[], version: HelloVersion): [HelloVersion, 'server' | 'client'][] {
  const asked = heard(log, `order:${version}`)[0];
  if (!asked?.hello) return [];
  // The list was the accepted suites backwards: a client's order gives its first, a server's own order gives another.
  return [[version, asked.hello.suite === asked.question.suites[0] ? 'client' : 'server']];
}

function setsOf(log: readonly ProbeRecord[]): Inventory['sets'] {
  const sets: Record<string, { settled: Settled; witness?: string }> = {};
  for (const { question, answer } of log) {
    if (question.kind !== 'hello' || !/^(set|groups|signatures):/.test(question.topic)) continue;
    const [found] = heard([{ question, answer }]);
    if (!found) sets[question.topic] = { settled: 'unknown' };
    else if (!found.hello) sets[question.topic] = { settled: 'refused' };
    else sets[question.topic] = { settled: 'accepted', witness: witness(question.topic, found) };
  }
  return sets;
}

function witness(topic: string, found: ReturnType<typeof heard>[number]): string {
  const group = groupOf(found);
  const scheme = found.keyExchange && 'scheme' in found.keyExchange ? found.keyExchange.scheme : undefined;
  if (topic.startsWith('groups:') && group !== undefined) return groupName(group);
  if (topic.startsWith('signatures:') && scheme !== undefined) return signatureSchemeName(scheme);
  return suiteName(found.hello?.suite ?? 0);
}

function chainsOf(log: readonly ProbeRecord[]): Inventory['chains'] {
  const chains = new Map<string, { authentication: string; chain: readonly Uint8Array[] }>();
  const add = (authentication: string, chain: readonly Uint8Array[] | undefined): void => {
    const leaf = chain?.[0];
    if (chain && leaf)
      chains.set(Buffer.from(leaf).toString('base64'), chains.get(Buffer.from(leaf).toString('base64')) ?? { authentication, chain });
  };
  for (const { question, answer } of log)
    if (answer.kind === 'handshake') add(question.kind === 'handshake' ? question.authentication : 'any', answer.chain);
  for (const a of heard(log)) if (a.hello) add(authenticationOf(a.hello.suite), a.certificates);
  return [...chains.values()];
}

import { ProtocolVersion, suites, type ServerHello, type ServerKeyExchange } from '../wire/index.js';
import type { ProbeRecord } from './answer.js';
import type { HelloVersion, Question, Topic } from './question.js';

export type Settled = 'accepted' | 'refused' | 'unknown';
export type AnyVersion = 'SSLv2' | HelloVersion;

/** What the log of a server amounts to. Nothing here is guessed: what no answer settles is `unknown` or not `complete`. */
export interface Inventory {
  readonly versions: Readonly<Record<AnyVersion, Settled>>;
  /** Accepted suites by version, in the order found: the server's own order where it has one. */
  readonly suites: Readonly<Record<HelloVersion, { readonly accepted: readonly number[]; readonly complete: boolean }>>;
  readonly order: Readonly<Partial<Record<HelloVersion, 'server' | 'client' | 'unknown'>>>;
  readonly groups: { readonly accepted: readonly number[]; readonly complete12: boolean; readonly complete13: boolean };
  /** Answers to the sets of the goals, by topic; `witness`: what was accepted. */
  readonly sets: Readonly<Record<string, { readonly settled: Settled; readonly witness?: string }>>;
  /** One chain per kind of server key, DER as sent. */
  readonly chains: readonly { readonly authentication: string; readonly chain: readonly Uint8Array[] }[];
  readonly compression: Settled;
  readonly extendedMasterSecret: Settled;
  readonly secureRenegotiation: Settled;
  readonly dhePrimeBits?: number;
  readonly dhe?: { readonly prime: Uint8Array; readonly generator: Uint8Array };
  readonly ssl2Ciphers: readonly number[];
  /** A hello of full size was refused where a smaller one was taken. */
  readonly helloSizeIntolerant: boolean;
}

export interface Heard {
  readonly question: Extract<Question, { kind: 'hello' }>;
  readonly hello?: ServerHello;
  readonly keyExchange?: ServerKeyExchange;
  readonly certificates?: readonly Uint8Array[];
}

/** The hellos of one topic that were answered, accepted or refused, in order. */
export function heard(log: readonly ProbeRecord[], topic?: Topic): Heard[] {
  return log.flatMap(({ question, answer }) => {
    if (question.kind !== 'hello' || (topic !== undefined && question.topic !== topic)) return [];
    if (answer.kind === 'refused') return [{ question }];
    if (answer.kind !== 'hello' || !answer.flight.hello) return [];
    const { hello, keyExchange, certificates } = answer.flight;
    return [{ question, hello, ...(keyExchange ? { keyExchange } : {}), ...(certificates ? { certificates } : {}) }];
  });
}

/** The group an answer shows, in either protocol generation. */
export function groupOf(answer: Heard): number | undefined {
  if (answer.hello?.group !== undefined) return answer.hello.group;
  return answer.keyExchange?.kind === 'ecdhe' && typeof answer.keyExchange.group === 'number' ? answer.keyExchange.group : undefined;
}

/** Name of a wire version; undefined for versions nobody knows. */
export function versionName(wire: number): HelloVersion | undefined {
  return (Object.entries(ProtocolVersion) as [AnyVersion, number][]).find(([name, n]) => n === wire && name !== 'SSLv2')?.[0] as
    HelloVersion | undefined;
}

/** The same for the topics of TLS 1.2, where an answer in an older version means that 1.2 is refused. */
export function heard12(log: readonly ProbeRecord[], ...topics: readonly Topic[]): Heard[] {
  return topics
    .flatMap((topic) => heard(log, topic))
    .map((a) => (a.hello && a.hello.version !== ProtocolVersion['TLSv1.2'] ? { question: a.question } : a));
}

export interface Removal {
  /** In the order chosen. */
  readonly accepted: readonly number[];
  /** Not chosen and not yet known to be refused. */
  readonly left: readonly number[];
}

/**
 * Iterative removal of suites: what was chosen, and what a refusal settled. A refusal counts against suites only when every group was offered,
 * or the suites need none: else the groups may have been its cause.
 */
export function removeSuites(answers: readonly Heard[], universe: readonly number[], allGroups: readonly number[]): Removal {
  const accepted = unique(answers.flatMap((a) => (a.hello && universe.includes(a.hello.suite) ? [a.hello.suite] : [])));
  const refused = new Set(
    answers.filter((a) => !a.hello && a.question.groups.length >= allGroups.length).flatMap((a) => a.question.suites),
  );
  return { accepted, left: universe.filter((id) => !accepted.includes(id) && !refused.has(id)) };
}

/** The same for groups: a refusal counts when a suite was offered that had been accepted with a group before. */
export function removeGroups(answers: readonly Heard[], universe: readonly number[]): Removal {
  const accepted = unique(answers.flatMap((a) => groupOf(a) ?? []));
  const proven = new Set(groupedSuites(answers));
  const refused = new Set(
    answers.filter((a) => !a.hello && a.question.suites.some((id) => proven.has(id))).flatMap((a) => a.question.groups),
  );
  return { accepted, left: universe.filter((id) => !accepted.includes(id) && !refused.has(id)) };
}

/** Suites that were accepted with a group and do not tie the group to an ECDSA certificate's own curve. */
export function groupedSuites(answers: readonly Heard[]): readonly number[] {
  return unique(
    answers.flatMap((a) =>
      a.hello && groupOf(a) !== undefined && suites.get(a.hello.suite)?.authentication !== 'ECDSA' ? [a.hello.suite] : [],
    ),
  );
}

function unique(list: readonly number[]): readonly number[] {
  return [...new Set(list)];
}

/** The kind of key a suite's certificate holds. */
export function authenticationOf(suite: number): string {
  return suites.get(suite)?.authentication ?? 'other';
}

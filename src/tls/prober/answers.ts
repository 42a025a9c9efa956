import {
  groupTable,
  ProtocolVersion,
  suites,
  type ServerHello,
  type ServerKeyExchange,
} from '../wire/index.js';
import type { ProbeRecord } from './answer.js';
import { isLost } from './large-hello.js';
import type { HelloVersion, TlsQuestion } from './question.js';

/** A hello and what was heard of the server: its own hello, or a refusal. */
export interface HelloAnswer {
  readonly question: Extract<TlsQuestion, { kind: 'hello' }>;
  readonly hello?: ServerHello;
  readonly keyExchange?: ServerKeyExchange;
  readonly certificates?: readonly Uint8Array[];
  /** Of a refusal, where one was sent. */
  readonly alert?: number;
}

/** The hellos that were answered, accepted or refused, in order. */
export function helloAnswers(log: readonly ProbeRecord[]): HelloAnswer[] {
  return log.flatMap(({ question, answer }) => {
    if (question.kind !== 'hello' || isLost({ question, answer })) return [];
    if (answer.kind === 'refused')
      return [{ question, ...(answer.alert === undefined ? {} : { alert: answer.alert }) }];
    if (answer.kind !== 'hello' || !answer.flight.hello) return [];
    const { hello, keyExchange, certificates } = answer.flight;
    return [
      {
        question,
        hello,
        ...(keyExchange ? { keyExchange } : {}),
        ...(certificates ? { certificates } : {}),
      },
    ];
  });
}

/** What completed handshakes agreed on, by code point. */
export interface Completed {
  readonly version: string;
  readonly suite: number | undefined;
  readonly group: number | undefined;
  readonly leaf: Uint8Array | undefined;
}

const suiteIds = new Map([...suites.values()].map((suite) => [suite.name, suite.id]));
const groupIds = new Map(groupTable.map((group) => [group.name, group.id]));

export function completedHandshakes(log: readonly ProbeRecord[]): Completed[] {
  return log.flatMap(({ answer }) =>
    answer.kind === 'handshake'
      ? [
          {
            version: answer.version,
            suite: suiteIds.get(answer.suite),
            group: answer.group === undefined ? undefined : groupIds.get(answer.group),
            leaf: answer.chain[0],
          },
        ]
      : [],
  );
}

/** The group an answer shows, in either protocol generation. */
export function groupOf({ hello, keyExchange, question }: HelloAnswer): number | undefined {
  if (hello?.group !== undefined) return hello.group;
  if (keyExchange?.kind === 'dhe') return agreedFiniteField(keyExchange.prime, question.groups);
  return keyExchange?.kind === 'ecdhe' && typeof keyExchange.group === 'number'
    ? keyExchange.group
    : undefined;
}

/** All primes of RFC 7919 begin so (appendix A), and no two have the same length. */
const PREFIX = 'ffffffffffffffffadf85458a2bb4a9a';

/**
 * The RFC 7919 group that was offered and is used; undefined for a group of the server's
 * own.
 */
function agreedFiniteField(prime: Uint8Array, offered: readonly number[]): number | undefined {
  if (Buffer.from(prime.subarray(0, 16)).toString('hex') !== PREFIX) return undefined;
  return groupTable.find(
    (g) => g.kind === 'ffdhe' && g.bits === prime.length * 8 && offered.includes(g.id),
  )?.id;
}

/** The signature scheme a TLS 1.2 answer shows. */
export function schemeOf({ keyExchange }: HelloAnswer): number | undefined {
  return keyExchange && 'scheme' in keyExchange ? keyExchange.scheme : undefined;
}

const names = new Map(
  Object.entries(ProtocolVersion).map(([name, wire]) => [wire as number, name]),
);

/** Version of an answer; undefined for a refusal and for versions nobody knows. */
export function versionOf({ hello }: HelloAnswer): HelloVersion | undefined {
  const name = hello && names.get(hello.version);
  return name === 'SSLv2' ? undefined : (name as HelloVersion | undefined);
}

/**
 * A TLS 1.3 server passed over a suite that it takes too: it goes by its own order. There
 * nothing but the suites decides which is chosen.
 */
export function ownOrder13(answers: readonly HelloAnswer[], accepted: readonly number[]): boolean {
  return answers.some(({ hello, question: { suites: offered, version } }) => {
    const passed =
      version === 'TLSv1.3' && hello ? offered.slice(0, offered.indexOf(hello.suite)) : [];
    return passed.some((id) => accepted.includes(id));
  });
}

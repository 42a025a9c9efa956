import {
  groupTable,
  ProtocolVersion,
  suites,
  type ServerHello,
  type ServerKeyExchange,
} from '../wire/index.js';
import type { ProbeRecord } from './answer.js';
import { isDoubted, isLost } from './large-hello.js';
import type { HelloVersion, TlsQuestion } from './question.js';

/** A hello with the server's answer: its own hello, or a refusal. */
export interface HelloAnswer {
  readonly question: Extract<TlsQuestion, { kind: 'hello' }>;
  readonly hello?: ServerHello;
  readonly keyExchange?: ServerKeyExchange;
  readonly certificates?: readonly Uint8Array[];
  /** The alert of a refusal, if one was sent. */
  readonly alert?: number;
}

/** Returns the hellos that the server accepted or refused, in order. */
export function helloAnswers(log: readonly ProbeRecord[]): HelloAnswer[] {
  return log.flatMap((record): HelloAnswer[] => {
    const { question, answer: tlsAnswer } = record;
    if (question.kind !== 'hello' || isLost(record) || isDoubted(record, log)) return [];
    if (tlsAnswer.kind === 'refused') return [{ question, alert: tlsAnswer.alert }];
    if (tlsAnswer.kind !== 'hello' || !tlsAnswer.flight.hello) return [];
    const { hello, keyExchange, certificates } = tlsAnswer.flight;
    return [
      {
        question,
        hello,
        keyExchange,
        certificates,
      },
    ];
  });
}

/** Parameters that completed handshakes negotiated, by code point. */
export interface Completed {
  readonly version: string;
  readonly suite: number | undefined;
  readonly group: number | undefined;
  readonly leaf: Uint8Array | undefined;
}

/** Code points by IANA name. */
const suiteIds = new Map(
  [...suites.values()].map((cipherSuite) => [cipherSuite.name, cipherSuite.codePoint]),
);
const groupIds = new Map(groupTable.map((group) => [group.name, group.codePoint]));

/** Returns the completed handshakes of a log, with code points instead of names. */
export function completedHandshakes(log: readonly ProbeRecord[]): Completed[] {
  return log.flatMap(({ answer: tlsAnswer }) => {
    if (tlsAnswer.kind === 'handshake')
      return [
        {
          version: tlsAnswer.version,
          suite: suiteIds.get(tlsAnswer.suite),
          group: tlsAnswer.group === undefined ? undefined : groupIds.get(tlsAnswer.group),
          leaf: tlsAnswer.chain[0],
        },
      ];
    return [];
  });
}

/**
 * Returns the group of an answer, in TLS 1.3 or an earlier version.
 *
 * TLS 1.3 names the group in the ServerHello, and TLS 1.2 in the ServerKeyExchange. For
 * DHE the prime is compared with the primes of RFC 7919.
 */
export function groupOf({ hello, keyExchange, question }: HelloAnswer): number | undefined {
  if (hello?.group !== undefined) return hello.group;
  if (keyExchange?.kind === 'dhe') return agreedFiniteField(keyExchange.prime, question.groups);
  if (keyExchange?.kind === 'ecdhe' && typeof keyExchange.group === 'number')
    return keyExchange.group;
  return undefined;
}

/**
 * All primes of RFC 7919 begin with these octets (appendix A), and each has a different
 * length.
 */
const PREFIX = 'ffffffffffffffffadf85458a2bb4a9a';

/**
 * Returns the offered RFC 7919 group with this prime; undefined if the server uses its
 * own group.
 */
function agreedFiniteField(prime: Uint8Array, offered: readonly number[]): number | undefined {
  if (Buffer.from(prime.subarray(0, 16)).toString('hex') !== PREFIX) return undefined;
  return groupTable.find(
    (group) =>
      group.kind === 'ffdhe' &&
      group.bits === prime.length * 8 &&
      offered.includes(group.codePoint),
  )?.codePoint;
}

/** Returns the signature scheme of a TLS 1.2 answer. */
export function schemeOf({ keyExchange }: HelloAnswer): number | undefined {
  if (keyExchange && 'scheme' in keyExchange) return keyExchange.scheme;
  return undefined;
}

const names = new Map(
  Object.entries(ProtocolVersion).map(([name, wire]) => [wire as number, name]),
);

/**
 * Returns the version of an answer; undefined for a refusal and for an unknown version.
 */
export function versionOf({ hello }: HelloAnswer): HelloVersion | undefined {
  const name = hello && names.get(hello.version);
  if (name === 'SSLv2') return undefined;
  return name as HelloVersion | undefined;
}

/**
 * Returns true if a TLS 1.3 server did not choose the first offered suite that it
 * accepts, so it applies its own order. In TLS 1.3 only the suites affect that choice.
 */
export function ownOrder13(answers: readonly HelloAnswer[], accepted: readonly number[]): boolean {
  return answers.some(({ hello, question: { suites: offered, version } }) => {
    const passed =
      version === 'TLSv1.3' && hello ? offered.slice(0, offered.indexOf(hello.suite)) : [];
    return passed.some((codePoint) => accepted.includes(codePoint));
  });
}

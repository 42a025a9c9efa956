import { fromHex, toHex } from '../base/index.js';
import {
  isLost,
  type TlsAnswer,
  type ProbeRecord,
  type TlsQuestion,
  type ServerKeyExchange,
} from '../tls/index.js';
import type { ConnectionEvidence } from './evidence.js';
import type { KeyExchangeEvidence, ProbeEvidence } from './probe-evidence.js';

/**
 * Converts a probe record to its stored form. Returns undefined for a completed
 * handshake, which is stored as `handshake`.
 */
export function probeEvidence({ question, answer }: ProbeRecord): ProbeEvidence | undefined {
  if (answer.kind === 'handshake') return undefined;
  if (answer.kind !== 'hello') return { question, answer };
  const { hello, keyExchange } = answer.flight;
  if (!hello) return { question, answer: { kind: 'none', reason: 'tls-failed' } };
  return {
    question,
    answer: { kind: 'hello', hello, keyExchange: keyExchange && stored(keyExchange) },
  };
}

/** Rebuilds the prober's log of an address from its stored connections. */
export function probeLog(connections: readonly ConnectionEvidence[]): readonly ProbeRecord[] {
  return connections.flatMap((connection): ProbeRecord[] => {
    const { probe, handshake, presented } = connection;
    if (handshake) {
      const { version, suite, group, chain } = handshake;
      const question: TlsQuestion =
        probe?.question.kind === 'handshake'
          ? probe.question
          : { kind: 'handshake', authentication: 'any' };
      return [
        {
          question,
          answer: {
            kind: 'handshake',
            version,
            suite,
            chain: chain.map(octets),
            group: group || undefined,
          },
        },
      ];
    }
    if (
      !probe ||
      (probe.answer.kind === 'none' && !isLost({ question: probe.question, answer: probe.answer }))
    )
      return [];
    return [{ question: probe.question, answer: answerOf(probe.answer, presented?.chain ?? []) }];
  });
}

function answerOf(answer: ProbeEvidence['answer'], chain: readonly string[]): TlsAnswer {
  if (answer.kind !== 'hello') return answer;
  const { hello, keyExchange } = answer;
  return {
    kind: 'hello',
    flight: {
      hello,
      certificates: chain.length > 0 ? chain.map(octets) : undefined,
      keyExchange: keyExchange && restored(keyExchange),
    },
  };
}

function stored(exchange: ServerKeyExchange): KeyExchangeEvidence {
  if (exchange.kind === 'dhe')
    return { ...exchange, prime: toHex(exchange.prime), generator: toHex(exchange.generator) };
  return exchange;
}

function restored(exchange: KeyExchangeEvidence): ServerKeyExchange {
  if (exchange.kind !== 'dhe') return exchange;
  return {
    ...exchange,
    prime: fromHex(exchange.prime) ?? new Uint8Array(),
    generator: fromHex(exchange.generator) ?? new Uint8Array(),
  };
}

function octets(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

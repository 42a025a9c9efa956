import type { ProbeRecord } from './answer.js';
import type { TlsQuestion } from './question.js';

/**
 * Octets of a ClientHello with an X25519MLKEM768 key share, as current TLS libraries send
 * it.
 */
export const LARGE_HELLO = 1550;

/**
 * The result of a large hello. `lost`: no answer, where the same question in a smaller
 * hello got one.
 */
export type LargeHello = 'answered' | 'lost' | 'unknown';

/**
 * A record whose large hello the server may not have received: silence, or the end of the
 * connection without an alert. It proves nothing about the question that it carried.
 */
export function isLost({ question, answer }: ProbeRecord): boolean {
  if (question.kind !== 'hello' || question.octets === undefined) return false;
  return answer.kind === 'none' || (answer.kind === 'refused' && answer.alert === undefined);
}

/**
 * Makes the first hello of a run a large one. Facts that it loses are asked again.
 */
export function enlarged(question: TlsQuestion, log: readonly ProbeRecord[]): TlsQuestion {
  const sent = log.some(({ question: probed }) => probed.kind === 'hello');
  if (question.kind === 'hello' && !sent && question.version !== 'SSLv3')
    return { ...question, octets: LARGE_HELLO };
  return question;
}

/**
 * Reads a log: a lost hello counts once a smaller one with the same question was
 * answered.
 */
export function largeHelloOf(log: readonly ProbeRecord[]): LargeHello {
  const position = log.findIndex(
    ({ question: probed }) => probed.kind === 'hello' && probed.octets !== undefined,
  );
  const large = log[position];
  if (!large) return 'unknown';
  if (!isLost(large)) return 'answered';
  const again = log.slice(position + 1).find(({ question: probed }) => probed.kind === 'hello');
  const response =
    again?.answer.kind === 'hello' ||
    (again?.answer.kind === 'refused' && again.answer.alert !== undefined);
  if (response) return 'lost';
  return 'unknown';
}

import { X25519_MLKEM768 } from '../wire/index.js';
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

type HelloQuestion = Extract<TlsQuestion, { kind: 'hello' }>;
type HelloRecord = ProbeRecord & { readonly question: HelloQuestion };

/**
 * The form of a large hello. It differs from a small one in its size alone, in its size
 * and two TCP segments, or in its size by a genuine key share.
 */
export type LargeHelloForm = Pick<HelloQuestion, 'octets' | 'segments' | 'keyShare'>;

/** A large hello of a log, and its result. */
export interface LargeHelloResult {
  readonly form: LargeHelloForm;
  readonly result: LargeHello;
}

/**
 * A record whose large hello the server may not have received: silence, or the end of the
 * connection without an alert. It proves nothing about the question that it carried.
 */
export function isLost({ question, answer }: ProbeRecord): boolean {
  if (question.kind !== 'hello' || question.octets === undefined) return false;
  return answer.kind === 'none' || closedWithoutAlert({ question, answer });
}

function closedWithoutAlert({ answer }: ProbeRecord): boolean {
  return answer.kind === 'refused' && answer.alert === undefined;
}

/**
 * Gives a question one of the forms that the log does not have yet, so that questions
 * which are asked anyway also show the result of large hellos. A question that was lost is
 * asked again as it is.
 */
export function enlarged(question: TlsQuestion, log: readonly ProbeRecord[]): TlsQuestion {
  if (question.kind !== 'hello' || question.version === 'SSLv3') return question;
  const records = log.filter(isHello);
  const last = records.at(-1);
  // A server that refuses by closing makes a refusal of a large hello look like a loss.
  if ((last && isLost(last)) || records.some((one) => !isLarge(one) && closedWithoutAlert(one)))
    return question;
  const large = records.filter(isLarge);
  if (large.length === 0) return { ...question, octets: LARGE_HELLO };
  if (!large.some((one) => one.question.segments !== undefined))
    return { ...question, octets: LARGE_HELLO, segments: 2 };
  const shared = large.some((one) => one.question.keyShare);
  if (shared || large.some(isLost) || !question.groups.includes(X25519_MLKEM768)) return question;
  if (question.version !== 'TLSv1.3') return question;
  return { ...question, octets: LARGE_HELLO, keyShare: true };
}

const isHello = (record: ProbeRecord): record is HelloRecord => record.question.kind === 'hello';
const isLarge = ({ question }: HelloRecord): boolean => question.octets !== undefined;

/**
 * Returns the large hellos of a log with their results. One counts as lost once the next
 * hello, a smaller one with the same question, was answered.
 */
export function largeHellosOf(log: readonly ProbeRecord[]): readonly LargeHelloResult[] {
  const records = log.filter(isHello);
  return records.flatMap((record, recordIndex) => {
    if (!isLarge(record)) return [];
    const { octets, segments, keyShare } = record.question;
    return [
      { form: { octets, segments, keyShare }, result: resultOf(record, records[recordIndex + 1]) },
    ];
  });
}

function resultOf(record: HelloRecord, again: HelloRecord | undefined): LargeHello {
  if (!isLost(record)) return 'answered';
  const answered =
    again !== undefined &&
    !isLarge(again) &&
    (again.answer.kind === 'hello' || again.answer.kind === 'refused') &&
    !closedWithoutAlert(again);
  return answered ? 'lost' : 'unknown';
}

/** The worst result of the large hellos of a log. */
export function largeHelloOf(log: readonly ProbeRecord[]): LargeHello {
  const results = largeHellosOf(log).map(({ result }) => result);
  if (results.includes('lost')) return 'lost';
  return results.includes('answered') ? 'answered' : 'unknown';
}

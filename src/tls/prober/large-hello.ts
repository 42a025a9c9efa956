import { X25519_MLKEM768 } from '../wire/index.js';
import type { ProbeRecord } from './answer.js';
import {
  allSchemes,
  groups12,
  groups13,
  suites12,
  suites13,
  type TlsQuestion,
} from './question.js';

/**
 * Octets of a ClientHello with an X25519MLKEM768 key share, as current TLS libraries send
 * it.
 */
export const LARGE_HELLO = 1550;

/**
 * The result of a large hello. `lost`: no answer or an alert, although the same question
 * in a smaller hello was answered.
 */
export type LargeHello = 'answered' | 'lost' | 'unknown';

/** The alert that refuses a version, in a hello of any size (RFC 5246 §7.2.2). */
const PROTOCOL_VERSION = 70;

type HelloQuestion = Extract<TlsQuestion, { kind: 'hello' }>;
type HelloRecord = ProbeRecord & { readonly question: HelloQuestion };

/**
 * The form of a large hello. A large hello differs from a small one in its size alone, in
 * its size and the split into two TCP segments, or in its size and a genuine key share.
 */
export type LargeHelloForm = Pick<HelloQuestion, 'octets' | 'segments' | 'keyShare'>;

/** A large hello of a log, and its result. */
export interface LargeHelloResult {
  readonly form: LargeHelloForm;
  readonly result: LargeHello;
  /** The alert that refused the hello, if there was one. */
  readonly alert?: number | undefined;
}

/**
 * Returns whether the server may not have received the large hello of a record: it stayed
 * silent, or closed the connection without an alert. Such a record proves nothing about
 * the question in the hello.
 */
export function isLost({ question, answer }: ProbeRecord): boolean {
  if (question.kind !== 'hello' || question.octets === undefined) return false;
  return answer.kind === 'none' || closedWithoutAlert({ question, answer });
}

function closedWithoutAlert({ answer }: ProbeRecord): boolean {
  return answer.kind === 'refused' && answer.alert === undefined;
}

/**
 * Returns whether the alert of a record may refuse the size of the hello instead of its
 * question: the server has answered no hello of this form, and has refused no smaller
 * hello with the same question. Such an alert proves nothing.
 */
export function isDoubted(record: ProbeRecord, log: readonly ProbeRecord[]): boolean {
  const alert = alertOf(record);
  if (!isHello(record) || !isLarge(record)) return false;
  if (alert === undefined || alert === PROTOCOL_VERSION) return false;
  const others = log.filter(isHello);
  const shared = record.question.keyShare;
  const isSettled = (other: HelloRecord): boolean => {
    if (isLarge(other)) return other.answer.kind === 'hello' && (!shared || sharesKey(other));
    return other.answer.kind === 'refused' && hasSameContent(other.question, record.question);
  };
  return !others.some(isSettled);
}

/**
 * Gives a question a form that the log does not contain yet, so that necessary questions
 * also show the results of large hellos. A question whose hello was lost is sent again
 * unchanged. After a doubtful refusal, the next large hello has content that the server
 * accepts in a smaller size, so that one connection usually determines the cause.
 */
export function enlarged(question: TlsQuestion, log: readonly ProbeRecord[]): TlsQuestion {
  if (question.kind !== 'hello' || question.version === 'SSLv3') return question;
  const records = log.filter(isHello);
  const last = records.at(-1);
  // If a server refuses by closing the connection, a refused large hello looks like a
  // lost one.
  if ((last && isLost(last)) || records.some((one) => isSmall(one) && closedWithoutAlert(one)))
    return question;
  if (last && isDoubted(last, records)) return settling(last.question, records, log) ?? question;
  if (records.some((one) => isDoubted(one, records))) return question;
  const large = records.filter(isLarge);
  if (large.length === 0) return { ...question, octets: LARGE_HELLO };
  if (!large.some((one) => one.question.segments !== undefined))
    return { ...question, octets: LARGE_HELLO, segments: 2 };
  const shared = large.some((one) => one.question.keyShare);
  if (shared || large.some(isLost) || !question.groups.includes(X25519_MLKEM768)) return question;
  if (question.version !== 'TLSv1.3') return question;
  return { ...question, octets: LARGE_HELLO, keyShare: true };
}

/**
 * Returns the hello that shows whether the server refused the last hello for its size:
 * first the version of a completed handshake in the same form, in TLS 1.3 with a key
 * share, then the same question in a small hello. Returns undefined without a completed
 * handshake, or if the server refused the small hello.
 */
function settling(
  refused: HelloQuestion,
  records: readonly HelloRecord[],
  log: readonly ProbeRecord[],
): HelloQuestion | undefined {
  const accepted = acceptedHello(log, refused.keyShare === true);
  if (!accepted || records.some((one) => isSmall(one) && hasSameContent(one.question, accepted)))
    return undefined;
  if (hasSameContent(refused, accepted)) return accepted;
  const { octets, segments } = refused;
  if (accepted.version !== 'TLSv1.3') return { ...accepted, octets, segments };
  return { ...accepted, octets, segments, keyShare: true };
}

/**
 * Returns a hello with the version of a completed handshake and with every suite and
 * group of that version.
 */
function acceptedHello(
  log: readonly ProbeRecord[],
  needsTls13: boolean,
): HelloQuestion | undefined {
  const versions = log.flatMap(({ answer }) => {
    if (answer.kind === 'handshake') return [answer.version];
    return [];
  });
  const base = { kind: 'hello', schemes: allSchemes } as const;
  if (versions.includes('TLSv1.3'))
    return { ...base, topic: 'tls13', version: 'TLSv1.3', suites: suites13, groups: groups13 };
  if (versions.includes('TLSv1.2') && !needsTls13)
    return { ...base, topic: 'tls12', version: 'TLSv1.2', suites: suites12, groups: groups12 };
  return undefined;
}

/** Returns whether two hellos differ at most in their form. */
function hasSameContent(left: HelloQuestion, right: HelloQuestion): boolean {
  const isSame = (ours: readonly number[], theirs: readonly number[]): boolean =>
    ours.length === theirs.length && ours.every((value, index) => value === theirs[index]);
  return (
    left.version === right.version &&
    isSame(left.suites, right.suites) &&
    isSame(left.groups, right.groups) &&
    isSame(left.schemes, right.schemes)
  );
}

const isHello = (record: ProbeRecord): record is HelloRecord => record.question.kind === 'hello';
const isLarge = ({ question }: HelloRecord): boolean => question.octets !== undefined;
const sharesKey = ({ question }: HelloRecord): boolean => question.keyShare === true;
const isSmall = (record: HelloRecord): boolean => !isLarge(record);

/**
 * Returns the large hellos of a log with their results. A large hello is classified as
 * lost once the server has answered a smaller hello with the same question.
 */
export function largeHellosOf(log: readonly ProbeRecord[]): readonly LargeHelloResult[] {
  const records = log.filter(isHello);
  return records.flatMap((record, recordIndex) => {
    if (!isLarge(record)) return [];
    const { octets, segments, keyShare } = record.question;
    const form = { octets, segments, keyShare };
    return [{ form, result: resultOf(record, records, recordIndex), alert: alertOf(record) }];
  });
}

function alertOf({ answer }: ProbeRecord): number | undefined {
  if (answer.kind === 'refused') return answer.alert;
  return undefined;
}

function resultOfDoubted({ question }: HelloRecord, records: readonly HelloRecord[]): LargeHello {
  const isAccepted = records.some(
    (other) =>
      isSmall(other) && other.answer.kind === 'hello' && hasSameContent(other.question, question),
  );
  if (isAccepted) return 'lost';
  return 'unknown';
}

function resultOf(
  record: HelloRecord,
  records: readonly HelloRecord[],
  recordIndex: number,
): LargeHello {
  if (isDoubted(record, records)) return resultOfDoubted(record, records);
  if (!isLost(record)) return 'answered';
  const again = records[recordIndex + 1];
  if (!again || isLarge(again) || again.answer.kind === 'none' || closedWithoutAlert(again))
    return 'unknown';
  return 'lost';
}

/** Returns the worst result of the large hellos in a log. */
export function largeHelloOf(log: readonly ProbeRecord[]): LargeHello {
  const results = largeHellosOf(log).map(({ result }) => result);
  if (results.includes('lost')) return 'lost';
  return results.includes('answered') ? 'answered' : 'unknown';
}

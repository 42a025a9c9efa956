import { isLost } from './large-hello.js';
import type { Inference } from './inference.js';
import {
  allSchemes,
  groups12,
  groups13,
  type HelloVersion,
  type TlsQuestion,
  type QuestionTopic,
} from './question.js';

/**
 * A hello that has not been sent yet, no larger than the server reads; undefined when
 * there is nothing new in it.
 */
export function freshHello(
  { log, mostSuites }: Inference,
  topic: QuestionTopic,
  version: HelloVersion,
  wanted: readonly number[],
  changes: { groups?: readonly number[]; schemes?: readonly number[] } = {},
): TlsQuestion | undefined {
  const { groups = version === 'TLSv1.3' ? groups13 : groups12, schemes = allSchemes } = changes;
  const suites = wanted.slice(0, mostSuites);
  const question: TlsQuestion = { kind: 'hello', topic, version, suites, groups, schemes };
  const same = (left: readonly number[], right: readonly number[]): boolean =>
    left.length === right.length && left.every((value, index) => value === right[index]);
  const sent = log.some(
    ({ question: q, answer }) =>
      q.kind === 'hello' &&
      !isLost({ question: q, answer }) &&
      q.version === version &&
      same(q.suites, suites) &&
      same(q.groups, groups) &&
      same(q.schemes, schemes),
  );
  if (sent || suites.length === 0 || groups.length === 0) return undefined;
  return question;
}

/** Suites that are not yet known to be refused at a version. */
export function unrefused(
  proven: Inference,
  version: HelloVersion,
  list: readonly number[],
): readonly number[] {
  return list.filter((id) => !proven.refused[version].has(id));
}

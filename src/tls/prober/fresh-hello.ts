import { isDoubted, isLost } from './large-hello.js';
import type { Inference } from './inference.js';
import {
  allSchemes,
  groups12,
  groups13,
  type HelloVersion,
  type TlsQuestion,
  type QuestionTopic,
} from './question.js';

/** The content of a hello. The default is all known groups and schemes. */
export interface HelloRequest {
  readonly topic: QuestionTopic;
  readonly version: HelloVersion;
  readonly suites: readonly number[];
  readonly groups?: readonly number[] | undefined;
  readonly schemes?: readonly number[] | undefined;
}

/**
 * Returns the requested hello, cut to the number of suites that the server reads. Returns
 * undefined if the hello is empty or was sent before: repeating a question yields no new
 * facts.
 */
export function freshHello(
  { log, mostSuites }: Inference,
  request: HelloRequest,
): TlsQuestion | undefined {
  const { topic, version, schemes = allSchemes } = request;
  const groups = request.groups ?? (version === 'TLSv1.3' ? groups13 : groups12);
  const suites = request.suites.slice(0, mostSuites);
  const question: TlsQuestion = { kind: 'hello', topic, version, suites, groups, schemes };
  const same = (left: readonly number[], right: readonly number[]): boolean =>
    left.length === right.length && left.every((value, index) => value === right[index]);
  const sent = log.some((record) => {
    const { question: probed } = record;
    return (
      probed.kind === 'hello' &&
      probed.version === version &&
      same(probed.suites, suites) &&
      same(probed.groups, groups) &&
      same(probed.schemes, schemes) &&
      !isLost(record) &&
      !isDoubted(record, log)
    );
  });
  if (sent || suites.length === 0 || groups.length === 0) return undefined;
  return question;
}

/** Returns the suites that are not yet known to be refused at a version. */
export function unrefused(
  proven: Inference,
  version: HelloVersion,
  list: readonly number[],
): readonly number[] {
  return list.filter((codePoint) => !proven.refused[version].has(codePoint));
}

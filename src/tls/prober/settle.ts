import { suites as known } from '../wire/index.js';
import type { ProbeRecord } from './answer.js';
import { groupOf, heard, type Heard, type Settled } from './inventory.js';
import { groups12, groups13, suitesOld, type HelloVersion } from './question.js';
import { summarise } from './summarise.js';

/** Whether a server takes any of a set; `witnesses`: which of them are known to be taken. */
export interface SetVerdict {
  readonly settled: Settled;
  readonly witnesses: readonly number[];
}

const older: readonly HelloVersion[] = ['TLSv1.2', 'TLSv1.1', 'TLSv1', 'SSLv3'];
const ids = new Map([...known.values()].map((suite) => [suite.name, suite.id]));

/**
 * Any of these suites? Taken from the whole log, whatever was asked for: one witness settles it, and so does a refusal of each of them. A refusal
 * counts when every group was on offer, for else the groups may have been its cause.
 */
export function settleSuites(log: readonly ProbeRecord[], wanted: readonly number[]): SetVerdict {
  const completed = log.flatMap(({ answer }) => (answer.kind === 'handshake' ? [ids.get(answer.suite) ?? -1] : []));
  const taken = [...completed, ...heard(log).flatMap((a) => (a.hello ? [a.hello.suite] : []))];
  const witnesses = [...new Set(taken.filter((id) => wanted.includes(id)))];
  if (witnesses.length > 0) return { settled: 'accepted', witnesses };
  const { versions } = summarise(log);
  // A refusal at the highest version the server speaks covers the lower ones: it could have gone down.
  const highest = older.find((v) => versions[v] !== 'refused');
  const covering = (a: Heard): boolean =>
    highest !== undefined && a.question.version !== 'TLSv1.3' && older.indexOf(a.question.version) <= older.indexOf(highest);
  const refused12 = new Set(refusals(heard(log).filter(covering), groups12.length));
  const refused13 = new Set(
    refusals(
      heard(log).filter((a) => a.question.version === 'TLSv1.3'),
      groups13.length,
    ),
  );
  const refuses = (id: number): boolean => {
    if (known.get(id)?.tls13) return versions['TLSv1.3'] === 'refused' || refused13.has(id);
    if (highest === undefined || (versions['TLSv1.2'] === 'refused' && !suitesOld.includes(id))) return true;
    return refused12.has(id);
  };
  return { settled: wanted.every(refuses) ? 'refused' : 'unknown', witnesses };
}

/** Any of these groups, at that version? A refusal counts when every suite that could use them was on offer. */
export function settleGroups(log: readonly ProbeRecord[], wanted: readonly number[], version: 'TLSv1.2' | 'TLSv1.3'): SetVerdict {
  const answers = heard(log).filter((a) => a.question.version === version);
  const taken = answers.filter((a) => !refuses(a, version)).flatMap((a) => groupOf(a) ?? []);
  const witnesses = [...new Set(taken.filter((id) => wanted.includes(id)))];
  if (witnesses.length > 0) return { settled: 'accepted', witnesses };
  const proven = new Set(answers.flatMap((a) => (a.hello && groupOf(a) !== undefined ? [a.hello.suite] : [])));
  const refused = new Set(
    answers
      .filter(
        (a) =>
          refuses(a, version) &&
          (proven.size === 0 || a.question.suites.some((id) => proven.has(id)) || a.question.topic.startsWith('groups:')),
      )
      .flatMap((a) => a.question.groups),
  );
  return { settled: wanted.every((id) => refused.has(id)) ? 'refused' : 'unknown', witnesses };
}

/** Does a TLS 1.2 server sign its key exchange with any of these schemes? */
export function settleSchemes(log: readonly ProbeRecord[], wanted: readonly number[]): SetVerdict {
  const answers = heard(log).filter((a) => a.question.version === 'TLSv1.2');
  const schemeOf = (a: Heard): number | undefined => (a.keyExchange && 'scheme' in a.keyExchange ? a.keyExchange.scheme : undefined);
  const witnesses = [...new Set(answers.flatMap((a) => schemeOf(a) ?? []))].filter((id) => wanted.includes(id));
  if (witnesses.length > 0) return { settled: 'accepted', witnesses };
  const asked = answers.filter(
    (a) => wanted.every((id) => a.question.schemes.includes(id)) && a.question.schemes.every((id) => wanted.includes(id)),
  );
  if (asked.some((a) => refuses(a, 'TLSv1.2') || (a.hello && schemeOf(a) === undefined) || a.hello))
    return { settled: 'refused', witnesses };
  return { settled: 'unknown', witnesses };
}

function refuses(answer: Heard, version: 'TLSv1.2' | 'TLSv1.3'): boolean {
  return !answer.hello || answer.hello.version !== (version === 'TLSv1.2' ? 0x0303 : 0x0304);
}

function refusals(answers: readonly Heard[], allGroups: number): readonly number[] {
  return answers.filter((a) => !a.hello && a.question.groups.length >= allGroups).flatMap((a) => a.question.suites);
}

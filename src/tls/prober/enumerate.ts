import { acceptedGroups, suitesOf, type Inference } from './inference.js';
import { freshHello } from './fresh-hello.js';
import { ownOrder13, schemeOf, versionOf } from './answers.js';
import {
  allSchemes,
  chaChaLater,
  finiteFields,
  groups12,
  groups13,
  only,
  type HelloVersion,
  type OldVersion,
  type TlsQuestion,
  type QuestionTopic,
} from './question.js';
import { carriersOf, dheSuites, refusedGroups } from './evaluate.js';

/**
 * Versions for which only the suites and their order are enumerated, not groups and
 * schemes.
 */
const oldVersions: readonly OldVersion[] = ['TLSv1.1', 'TLSv1', 'SSLv3'];

/** Suites of TLS 1.3 that most servers accept. */
const USUAL_SUITES = 3;

/**
 * Plans the enumeration of every version, suite, group and order by iterative removal. If
 * the server has its own order of preference, the sequence of answers shows that order.
 */
export function enumerate(proven: Inference): TlsQuestion | undefined {
  return (
    remove(proven, 'tls13', 'TLSv1.3') ??
    remove(proven, 'tls12', 'TLSv1.2') ??
    named(proven) ??
    old(proven) ??
    orders(proven)
  );
}

/**
 * Returns the next question of the removal: each answer names a suite and a group, and
 * the next hello omits both, until the server refuses a hello. The prober then continues
 * with one list at a time, next to a complete other list.
 */
function remove(
  proven: Inference,
  topic: QuestionTopic,
  version: 'TLSv1.2' | 'TLSv1.3',
): TlsQuestion | undefined {
  const { accepted, versions, answers, keys, certificateCurve } = proven;
  if (versions[version] === 'refused') return undefined;
  const all = version === 'TLSv1.3' ? groups13 : groups12;
  const suites = notHeard(proven, version);
  const taken = acceptedGroups(proven, version);
  const none = refusedGroups(proven, version);
  // A server also accepts the groups of a newer version in an older version.
  const elsewhere = version === 'TLSv1.2' ? acceptedGroups(proven, 'TLSv1.3') : [];
  const groups = all.filter(
    (codePoint) =>
      !taken.includes(codePoint) && !none.has(codePoint) && !elsewhere.includes(codePoint),
  );
  const at = answers.filter((helloAnswer) => helloAnswer.question.version === version);
  const refusedTogether = at.some(
    (helloAnswer) => !helloAnswer.hello && helloAnswer.question.groups.length < all.length,
  );
  // The first hello offers every suite and group: the server's choices show its order.
  const together =
    at.some((helloAnswer) => helloAnswer.hello) &&
    taken.length > 0 &&
    elsewhere.length === 0 &&
    groups.length > 0 &&
    !refusedTogether;
  const schemes = lastSeen(proven);
  if (together) {
    // A hello for an ECDSA certificate must offer the curve of that certificate, which
    // would hide the curves after it.
    const bound = version === 'TLSv1.2' && !keys.has('RSA') && certificateCurve !== undefined;
    const carriers =
      version === 'TLSv1.3'
        ? suites
        : only(
            suites,
            (cipherSuite) =>
              cipherSuite.keyExchange === 'ECDHE' &&
              (cipherSuite.authentication === 'ECDSA') === bound,
          );
    const question = freshHello(proven, {
      topic,
      version,
      suites: carriers,
      groups: [...groups, ...(bound ? [certificateCurve] : [])],
      schemes,
    });
    if (question) return question;
  }
  const carrier = carriersOf(proven, version).find((carrier) =>
    carrier.suites.some((codePoint) => accepted[version].includes(codePoint)),
  );
  const carrying =
    carrier?.suites.filter((codePoint) => accepted[version].includes(codePoint)) ?? [];
  const bySuite = freshHello(proven, { topic, version, suites, schemes });
  const byGroup = freshHello(proven, {
    topic,
    version,
    suites: carrying,
    groups: groups.length > 0 ? [...groups, ...(carrier?.beside ?? [])] : [],
  });
  // If TLS 1.3 refuses suites and groups together, an accepted group proves that the
  // suites are the cause, and an accepted suite proves that the groups are the cause. The
  // likelier cause is tested first.
  const groupsLikelier =
    version === 'TLSv1.3' && refusedTogether && accepted[version].length >= USUAL_SUITES;
  if (groupsLikelier) return byGroup ?? bySuite;
  return bySuite ?? byGroup;
}

/**
 * Tests the named groups of RFC 7919 in TLS 1.2. A server with TLS 1.3 has already shown
 * these groups in TLS 1.3. If the server answers with a group of its own, the search
 * ends.
 */
function named(proven: Inference): TlsQuestion | undefined {
  const carriers = proven.accepted['TLSv1.2'].filter((codePoint) => dheSuites.includes(codePoint));
  if (proven.versions['TLSv1.3'] !== 'refused') return undefined;
  const taken = acceptedGroups(proven, 'TLSv1.2');
  return freshHello(proven, {
    topic: 'dhe',
    version: 'TLSv1.2',
    suites: carriers,
    groups: finiteFields.filter((codePoint) => !taken.includes(codePoint)),
  });
}

/**
 * Returns the suites that no hello has tested. A completed handshake shows fewer facts
 * than a hello.
 */
function notHeard({ answers, refused }: Inference, version: HelloVersion): readonly number[] {
  const found = new Set(
    answers.flatMap((helloAnswer) => {
      if (versionOf(helloAnswer) === version) return [helloAnswer.hello?.suite];
      return [];
    }),
  );
  return suitesOf(version).filter(
    (codePoint) => !found.has(codePoint) && !refused[version].has(codePoint),
  );
}

/**
 * Returns the schemes that were observed move to the end of the list: a server that
 * follows the client's order then shows a different scheme each time.
 */
function lastSeen({ answers }: Inference): readonly number[] {
  const seen = new Set(answers.flatMap((helloAnswer) => schemeOf(helloAnswer) ?? []));
  return [
    ...allSchemes.filter((codePoint) => !seen.has(codePoint)),
    ...allSchemes.filter((codePoint) => seen.has(codePoint)),
  ];
}

/** Enumerates the suites of each version before TLS 1.2. */
function old(proven: Inference): TlsQuestion | undefined {
  for (const version of oldVersions) {
    if (proven.versions[version] === 'refused') continue;
    const question = freshHello(proven, {
      topic: `suites:${version}`,
      version,
      suites: notHeard(proven, version),
    });
    if (question) return question;
  }
  return undefined;
}

/**
 * Returns a question with the same suites in the opposite order: a server with its own
 * order answers as before.
 */
function orders(proven: Inference): TlsQuestion | undefined {
  for (const version of ['TLSv1.3', 'TLSv1.2', ...oldVersions] as const) {
    const list = turned(proven, version);
    const questionTopic: QuestionTopic = `order:${version}`;
    const asked =
      proven.answers.some((helloAnswer) => helloAnswer.question.topic === questionTopic) ||
      (version === 'TLSv1.3' && ownOrder13(proven.answers, proven.accepted[version]));
    const question =
      asked || list.length < 2
        ? undefined
        : freshHello(proven, { topic: questionTopic, version, suites: list });
    if (question) return question;
  }
  return undefined;
}

/**
 * Returns the accepted suites in reverse order. The server's choice among all offers is
 * always last.
 */
function turned({ answers, accepted }: Inference, version: HelloVersion): readonly number[] {
  const top = answers.find((helloAnswer) => versionOf(helloAnswer) === version)?.hello?.suite;
  const others = chaChaLater(
    [...accepted[version]].reverse().filter((codePoint) => codePoint !== top),
  );
  if (top === undefined) return others;
  return [...others, top];
}

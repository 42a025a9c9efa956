import { groups as groupTable, suites as known, type ServerKeyExchange } from '../wire/index.js';
import { strictSuites } from '../settings.js';
import type { Ask } from './goals.js';
import { groupOf, schemeOf, versionOf, type HelloAnswer } from './answers.js';
import type { Tristate } from './inventory.js';
import { acceptedGroups, refusedBy, type Inference } from './inference.js';
import {
  finiteFields,
  groups12,
  groups13,
  newestFirst,
  only,
  suites12,
  suites13,
  suitesOld,
  type HelloVersion,
  type OldVersion,
} from './question.js';

/**
 * The result of an {@link Ask}. `witnesses` are the code points that the server is known
 * to accept.
 */
export interface AskResult {
  readonly settled: Tristate;
  readonly witnesses: readonly number[];
}

const accepted = (witnesses: readonly number[] = []): AskResult => ({
  settled: 'accepted',
  witnesses,
});
const refused: AskResult = { settled: 'refused', witnesses: [] };
const unknown: AskResult = { settled: 'unknown', witnesses: [] };
const refusedIf = (yes: boolean): AskResult => (yes ? refused : unknown);

/**
 * Evaluates one ask against a log. The original purpose of each question is irrelevant.
 * The function is pure, and both planning and grading use it.
 */
export function evaluate(proven: Inference, question: Ask): AskResult {
  switch (question.kind) {
    case 'version':
      return { settled: proven.versions[question.version], witnesses: [] };
    case 'ssl2':
      return { settled: proven.versions.SSLv2, witnesses: [] };
    case 'suites':
      return settleSuites(proven, question.suites);
    case 'groups':
      return settleGroups(proven, question.groups, question.version);
    case 'signatures':
      return settleSchemes(proven, question.schemes);
    case 'order':
      return settleOrder(proven, question.worse);
    case 'strict':
      return settleStrict(proven);
    case 'dhe':
      if (finiteField(proven)) return accepted();
      return refusedIf(dheSuites.every((codePoint) => suiteRefused(proven, codePoint)));
  }
}

/** Determines whether the server accepts TLS 1.3, or a strict suite of TLS 1.2. */
function settleStrict({ versions, accepted: taken, refused: none }: Inference): AskResult {
  if (versions['TLSv1.3'] === 'accepted') return accepted();
  if (strictSuites.some((codePoint) => taken['TLSv1.2'].includes(codePoint))) return accepted();
  return refusedIf(
    versions['TLSv1.3'] === 'refused' &&
      (versions['TLSv1.2'] === 'refused' ||
        strictSuites.every((codePoint) => none['TLSv1.2'].has(codePoint))),
  );
}

/** Determines whether a server accepts any of these suites, in any version. */
function settleSuites(proven: Inference, wanted: readonly number[]): AskResult {
  const taken = new Set(Object.values(proven.accepted).flat());
  const witnesses = wanted.filter((codePoint) => taken.has(codePoint));
  if (witnesses.length > 0) return accepted(witnesses);
  return refusedIf(wanted.every((codePoint) => suiteRefused(proven, codePoint)));
}

/**
 * Protocol generations: a suite belongs to TLS 1.3, to TLS 1.2, or to 1.2 and earlier.
 */
export const generations = ['TLSv1.3', 'TLSv1.2', 'old'] as const;
const oldVersions: readonly OldVersion[] = ['TLSv1.1', 'TLSv1', 'SSLv3'];

/**
 * Returns the version whose answer applies to a generation: servers have one list of
 * suites for all their old versions.
 */
export function speaksFor(
  generation: (typeof generations)[number],
  { versions }: Inference,
): HelloVersion {
  if (generation === 'old')
    return oldVersions.find((oldVersion) => versions[oldVersion] !== 'refused') ?? 'SSLv3';
  return generation;
}

/**
 * Returns whether a suite can exist in a generation: AEAD and SHA-2 suites exist only
 * since TLS 1.2 (RFC 5246 §A.5).
 */
export function existsIn(generation: (typeof generations)[number], codePoint: number): boolean {
  if (generation === 'TLSv1.3') return known.get(codePoint)?.tls13 === true;
  if (generation === 'TLSv1.2') return known.get(codePoint)?.tls13 !== true;
  return suitesOld.includes(codePoint);
}

/**
 * Returns whether the server refuses a suite in every generation in which the suite can
 * exist.
 */
function suiteRefused(proven: Inference, codePoint: number): boolean {
  return generations.every(
    (generation) =>
      !existsIn(generation, codePoint) ||
      proven.refused[speaksFor(generation, proven)].has(codePoint),
  );
}

/** The suites and groups of a hello that tests groups. */
export interface Carrier {
  readonly suites: readonly number[];
  /** Groups to offer in addition to the tested ones. */
  readonly beside: readonly number[];
  /** Groups that the server provably does not accept with these suites. */
  readonly refused: ReadonlySet<number>;
}

/**
 * A hello for an ECDSA certificate must offer its curve, so only suites without that
 * certificate show which curves are accepted.
 */
const free12 = only(
  suites12,
  (cipherSuite) => cipherSuite.keyExchange === 'ECDHE' && cipherSuite.authentication !== 'ECDSA',
);
const bound12 = only(
  suites12,
  (cipherSuite) => cipherSuite.keyExchange === 'ECDHE' && cipherSuite.authentication === 'ECDSA',
);

/**
 * Returns the suites of a version that a question must offer. Groups are the same for all
 * suites, so the question needs only one accepted suite.
 */
export function carriersOf(proven: Inference, version: 'TLSv1.2' | 'TLSv1.3'): readonly Carrier[] {
  const taken = (list: readonly number[]): boolean =>
    list.some((codePoint) => proven.accepted[version].includes(codePoint));
  if (version === 'TLSv1.3')
    return [{ suites: suites13, beside: [], refused: refusedWith(proven, version, suites13) }];
  const free = { suites: free12, beside: [], refused: refusedWith(proven, version, free12) };
  if (taken(free12)) return [free];
  const { certificateCurve: curve } = proven;
  const bound = {
    suites: bound12,
    beside: curve === undefined ? [] : [curve],
    refused: besideCertificate(proven),
  };
  if (taken(bound12)) return [free, bound];
  return [free];
}

/** Groups that a server provably refuses at a version. */
export function refusedGroups(
  proven: Inference,
  version: 'TLSv1.2' | 'TLSv1.3',
): ReadonlySet<number> {
  const all = version === 'TLSv1.3' ? groups13 : groups12;
  if (proven.versions[version] === 'refused') return new Set(all);
  const carriers = carriersOf(proven, version);
  return new Set(
    all.filter((codePoint) => carriers.every((carrier) => carrier.refused.has(codePoint))),
  );
}

/**
 * Returns the groups that the server refuses with these suites. A refusal applies to the
 * groups if the hello offered an accepted suite, or every suite that the server may
 * accept.
 */
function refusedWith(
  { accepted: taken, refused: none, answers, mostSuites, suiteFirst }: Inference,
  version: HelloVersion,
  carriers: readonly number[],
) {
  const possible = carriers.filter((codePoint) => !none[version].has(codePoint));
  if (possible.length === 0) return new Set(version === 'TLSv1.3' ? groups13 : groups12);
  const known = possible.filter((codePoint) => taken[version].includes(codePoint));
  const tells = (helloAnswer: HelloAnswer): boolean => {
    if (
      helloAnswer.hello ||
      helloAnswer.question.version !== version ||
      helloAnswer.question.suites.length > mostSuites
    )
      return false;
    const spokenFor = refusedBy(helloAnswer, suiteFirst);
    return (
      known.some((codePoint) => spokenFor.includes(codePoint)) ||
      possible.every((codePoint) => spokenFor.includes(codePoint))
    );
  };
  return new Set(answers.filter(tells).flatMap((helloAnswer) => helloAnswer.question.groups));
}

/**
 * Returns the curves that a server skipped for the curve of its certificate. A server
 * with only an ECDSA certificate that chooses this curve does not accept the curves
 * before it, or does not use them: every client must also offer the curve of the
 * certificate (RFC 8422 §5.1).
 */
function besideCertificate({ answers, certificateCurve: curve }: Inference): ReadonlySet<number> {
  if (curve === undefined) return new Set();
  const chosen = answers.filter(
    (helloAnswer) =>
      versionOf(helloAnswer) === 'TLSv1.2' &&
      groupOf(helloAnswer) === curve &&
      bound12.includes(helloAnswer.hello?.suite ?? -1),
  );
  return new Set(
    chosen.flatMap(({ question: { groups } }) => groups.slice(0, groups.indexOf(curve))),
  );
}

/** Determines whether a server accepts any of these groups at a version. */
function settleGroups(
  proven: Inference,
  wanted: readonly number[],
  version: 'TLSv1.2' | 'TLSv1.3',
): AskResult {
  const taken = acceptedGroups(proven, version);
  const witnesses = wanted.filter((codePoint) => taken.includes(codePoint));
  if (witnesses.length > 0) return accepted(witnesses);
  const none = refusedGroups(proven, version);
  return refusedIf(
    wanted.every(
      (codePoint) =>
        none.has(codePoint) || (version === 'TLSv1.2' && groupTable.get(codePoint)?.tls12 !== true),
    ),
  );
}

/**
 * Evaluates whether a TLS 1.2 server signs its key exchange with any of these schemes.
 */
function settleSchemes({ answers, versions }: Inference, wanted: readonly number[]): AskResult {
  if (versions['TLSv1.2'] === 'refused') return refused;
  const answers12 = answers.filter((helloAnswer) => helloAnswer.question.version === 'TLSv1.2');
  const used = new Set(answers12.flatMap((helloAnswer) => schemeOf(helloAnswer) ?? []));
  const witnesses = wanted.filter((codePoint) => used.has(codePoint));
  if (witnesses.length > 0) return accepted(witnesses);
  // If only wanted schemes were offered, an answer signed with another scheme refuses the
  // offer.
  const tells = ({ hello, question: { schemes, topic } }: HelloAnswer): boolean =>
    topic.startsWith('signatures:') &&
    wanted.every((codePoint) => schemes.includes(codePoint)) &&
    (!hello || schemes.every((codePoint) => wanted.includes(codePoint)));
  return refusedIf(answers12.some(tells));
}

/**
 * Determines whether a server prefers a worse suite to a better one that it also accepts.
 * The preference is visible in an answer to a full offer, or in the answer to the same
 * suites in reverse order.
 */
function settleOrder(proven: Inference, worse: readonly number[]): AskResult {
  const { accepted: taken, refused: none, answers, versions } = proven;
  const better = suites12.filter((codePoint) => !worse.includes(codePoint));
  const nothing = (list: readonly number[]): boolean =>
    list.every((codePoint) => none['TLSv1.2'].has(codePoint));
  if (versions['TLSv1.2'] === 'refused' || nothing(worse) || nothing(better)) return refused;
  const takes = (list: readonly number[]): boolean =>
    taken['TLSv1.2'].some((codePoint) => list.includes(codePoint));
  // Suites of a hello that offers all suites that the server might accept.
  const full = answers.filter(
    (helloAnswer) =>
      versionOf(helloAnswer) === 'TLSv1.2' &&
      suites12.every(
        (codePoint) =>
          none['TLSv1.2'].has(codePoint) || helloAnswer.question.suites.includes(codePoint),
      ),
  );
  const turned = answers.find(
    (helloAnswer) => helloAnswer.question.topic === 'order:TLSv1.2' && helloAnswer.hello,
  );
  const follows = turned && chosen(turned) === turned.question.suites[0];
  if (
    takes(better) &&
    (full.some((helloAnswer) => worse.includes(chosen(helloAnswer))) || (follows && takes(worse)))
  )
    return accepted();
  const first = full.find((helloAnswer) => better.includes(chosen(helloAnswer)));
  const worseFirst = full.some(
    (helloAnswer) =>
      better.includes(chosen(helloAnswer)) && worse.includes(helloAnswer.question.suites[0] ?? -1),
  );
  return refusedIf(worseFirst || (turned !== undefined && !follows && first !== undefined));
}

/** Returns the suite of an answer, or -1 for a refusal. No list contains -1. */
const chosen = ({ hello }: HelloAnswer): number => hello?.suite ?? -1;

/**
 * Returns whether the server has a key of this type. TLS 1.3 encrypts the certificate, so
 * only a completed handshake shows the key.
 */
export function settleKey(proven: Inference, key: 'RSA' | 'ECDSA'): Tristate {
  if (proven.keys.has(key)) return 'accepted';
  // A server uses a key in every version, so the newest version with the key in its
  // suites proves it for all.
  const best = newestFirst.find(
    (version) => version !== 'TLSv1.3' && proven.versions[version] !== 'refused',
  );
  const own = best === 'TLSv1.2' ? suites12 : suitesOld;
  const older =
    best === undefined ||
    own.every(
      (codePoint) =>
        known.get(codePoint)?.authentication !== key || proven.refused[best].has(codePoint),
    );
  const newer =
    proven.versions['TLSv1.3'] === 'refused' ||
    proven.log.some(
      ({ question: probed, answer }) =>
        probed.kind === 'handshake' && probed.authentication === key && answer.kind === 'refused',
    );
  if (older && newer) return 'refused';
  return 'unknown';
}

/** Authenticated suites with ephemeral finite-field Diffie-Hellman. */
export const dheSuites = only(
  suites12,
  (cipherSuite) => cipherSuite.keyExchange === 'DHE' && cipherSuite.authentication !== 'none',
);

/**
 * Returns the finite-field group that a server uses by default with an authenticated
 * suite; it may use a different group with anonymous suites.
 */
export function finiteField({
  answers,
}: Inference): Extract<ServerKeyExchange, { kind: 'dhe' }> | undefined {
  for (const { hello, keyExchange, question } of answers)
    if (
      keyExchange?.kind === 'dhe' &&
      dheSuites.includes(hello?.suite ?? -1) &&
      !question.groups.some((codePoint) => finiteFields.includes(codePoint))
    )
      return keyExchange;
  return undefined;
}

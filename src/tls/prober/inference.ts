import { groupTable, suites as known } from '../wire/index.js';
import { parseCertificate } from '../../x509/index.js';
import type { ProbeRecord } from './answer.js';
import {
  completedHandshakes,
  groupOf,
  helloAnswers,
  versionOf,
  type HelloAnswer,
} from './answers.js';
import type { AnyVersion, Tristate } from './inventory.js';
import {
  allSchemes,
  groups12,
  groups13,
  newestFirst,
  rsa12,
  suites12,
  suites13,
  suitesOld,
  type HelloVersion,
} from './question.js';

/** Maximum number of suites that some servers read from a hello. */
const SMALL_HELLO = 60;
/** The alert that refuses a version, with any suites (RFC 5246 §7.2.2). */
const PROTOCOL_VERSION = 70;

/** The facts that a server's answers prove. */
export interface Inference {
  readonly log: readonly ProbeRecord[];
  readonly answers: readonly HelloAnswer[];
  readonly versions: Readonly<Record<AnyVersion, Tristate>>;
  /** Suites by version, in the order found: the server's own order if it has one. */
  readonly accepted: Readonly<Record<HelloVersion, readonly number[]>>;
  readonly refused: Readonly<Record<HelloVersion, ReadonlySet<number>>>;
  /** Kinds of server keys that were observed. */
  readonly keys: ReadonlySet<'RSA' | 'ECDSA'>;
  /**
   * Curve of the ECDSA certificate: TLS 1.2 cannot use that certificate unless the client
   * offers its curve (RFC 8422 §5.1).
   */
  readonly certificateCurve: number | undefined;
  /**
   * Maximum suites of a hello whose refusal proves something. The number is limited if
   * the server refused a large hello with suites that it accepts in a smaller hello.
   */
  readonly mostSuites: number;
  /**
   * True if the answers indicate a server that chooses the suite before the certificate.
   */
  readonly suiteFirst: boolean;
  /**
   * True if the certificate may be the cause of a refusal: the server may have another
   * key for other suites.
   */
  readonly doubtful: boolean;
}

/** Returns all suites of a version. */
export const suitesOf = (version: HelloVersion): readonly number[] => {
  if (version === 'TLSv1.3') return suites13;
  if (version === 'TLSv1.2') return suites12;
  return suitesOld;
};

/**
 * Reads a log, newest version first: a refusal proves something about a version only if
 * all newer versions are known to be refused.
 */
export function infer(log: readonly ProbeRecord[]): Inference {
  const answers = helloAnswers(log);
  const accepted = Object.fromEntries(
    newestFirst.map((version) => [version, acceptedAt(log, answers, version)]),
  ) as Record<HelloVersion, number[]>;
  const suiteFirst =
    answers.some((helloAnswer) => choseSuiteFirst(helloAnswer) || refusesRsaSuites(helloAnswer)) ||
    refusesRsaKey(log);
  const mostSuites = answers.some((helloAnswer) => contradicted(helloAnswer, accepted, suiteFirst))
    ? SMALL_HELLO
    : Infinity;
  const groups = answers.flatMap((helloAnswer) => {
    if (versionOf(helloAnswer) === 'TLSv1.3') return groupOf(helloAnswer) ?? [];
    return [];
  });
  const credible = answers.filter(
    (helloAnswer) =>
      helloAnswer.hello ||
      (helloAnswer.question.suites.length <= mostSuites &&
        (nothingElse(helloAnswer) || hasGroup(helloAnswer, groups))),
  );
  const versions = { SSLv2: ssl2(log) } as Record<AnyVersion, Tristate>;
  const refused = {} as Record<HelloVersion, ReadonlySet<number>>;
  for (const version of newestFirst) {
    const reaching = credible.filter((helloAnswer) =>
      reaches(helloAnswer.question.version, version, versions),
    );
    const none = new Set(
      reaching.flatMap((helloAnswer) => {
        if (helloAnswer.hello) return [];
        if (helloAnswer.alert === PROTOCOL_VERSION) return suitesOf(version);
        return refusedBy(helloAnswer, suiteFirst);
      }),
    );
    const answeredLower = reaching.some(
      (helloAnswer) => helloAnswer.hello && rank(versionOf(helloAnswer)) > rank(version),
    );
    const seen =
      accepted[version].length > 0 ||
      completedHandshakes(log).some((handshake) => handshake.version === version);
    const isRefused = answeredLower || suitesOf(version).every((codePoint) => none.has(codePoint));
    if (seen) versions[version] = 'accepted';
    else versions[version] = isRefused ? 'refused' : 'unknown';
    refused[version] = versions[version] === 'refused' ? new Set(suitesOf(version)) : none;
  }
  // In older versions the suite shows the kind of key; in TLS 1.3 only the certificate
  // shows it.
  const ecdsa = answers.find((helloAnswer) => keyOf(helloAnswer) === 'ECDSA')?.certificates?.[0];
  const leaves = [
    ...completedHandshakes(log).flatMap((handshake) => handshake.leaf ?? []),
    ...(ecdsa ? [ecdsa] : []),
  ].flatMap((derBytes) => leafOf(derBytes) ?? []);
  const keys = new Set([
    ...leaves.map((leaf) => leaf.key),
    ...answers.flatMap((helloAnswer) => keyOf(helloAnswer) ?? []),
  ]);
  const certificateCurve = leaves.find((leaf) => leaf.curve !== undefined)?.curve;
  const doubtful =
    !suiteFirst &&
    answers.some(
      (helloAnswer) =>
        !helloAnswer.hello &&
        helloAnswer.alert !== PROTOCOL_VERSION &&
        refusedBy(helloAnswer, false).length < helloAnswer.question.suites.length,
    );
  return {
    log,
    answers,
    versions,
    accepted,
    refused,
    keys,
    certificateCurve,
    mostSuites,
    suiteFirst,
    doubtful,
  };
}

/**
 * Returns the suites that were chosen at a version, in the order in which they were
 * found.
 */
function acceptedAt(
  log: readonly ProbeRecord[],
  answers: readonly HelloAnswer[],
  version: HelloVersion,
): number[] {
  const found = answers.flatMap((helloAnswer) => {
    if (helloAnswer.hello && versionOf(helloAnswer) === version) return [helloAnswer.hello.suite];
    return [];
  });
  return [
    ...new Set([
      ...found,
      ...completedHandshakes(log).flatMap((handshake) => {
        if (handshake.version === version) return handshake.suite ?? [];
        return [];
      }),
    ]),
  ];
}

/** Returns the position of a version, newest first; -1 for an unknown version. */
const rank = (version: HelloVersion | undefined): number => {
  if (version === undefined) return -1;
  return newestFirst.indexOf(version);
};

/**
 * Returns whether an answer to a hello with the highest version `ceiling` proves
 * something about `version`: the server could not choose a version in between. TLS 1.3 is
 * offered alone.
 */
function reaches(
  ceiling: HelloVersion,
  version: HelloVersion,
  versions: Readonly<Record<AnyVersion, Tristate>>,
): boolean {
  if (ceiling === 'TLSv1.3' || version === 'TLSv1.3') return ceiling === version;
  return (
    rank(ceiling) <= rank(version) &&
    newestFirst
      .slice(rank(ceiling), rank(version))
      .every((version) => versions[version] === 'refused')
  );
}

/**
 * Groups or signature schemes may have been the cause of a refusal unless all were
 * offered.
 */
function nothingElse({ question: { groups, schemes, version } }: HelloAnswer): boolean {
  return (
    groups.length >= (version === 'TLSv1.3' ? groups13 : groups12).length &&
    schemes.length >= allSchemes.length
  );
}

/**
 * Returns whether a TLS 1.3 hello offers an accepted group. TLS 1.3 negotiates suite and
 * group separately, so the suites then caused the refusal.
 */
function hasGroup(
  { question: { groups, version } }: HelloAnswer,
  taken: readonly number[],
): boolean {
  return version === 'TLSv1.3' && groups.some((codePoint) => taken.includes(codePoint));
}

/** Returns whether a suite needs an ECDSA certificate. */
const isEcdsa = (codePoint: number): boolean => known.get(codePoint)?.authentication === 'ECDSA';

/**
 * Returns whether the server chose the suite before the certificate. Some servers, such
 * as HAProxy, choose the certificate first. Such a server chooses the ECDSA certificate
 * if a client offers any ECDSA suite, and refuses the client if no suite fits that
 * certificate. A server that chose an RSA suite although the client offered ECDSA suites
 * does not choose the certificate first.
 */
function choseSuiteFirst({ hello, question: { suites } }: HelloAnswer): boolean {
  return (
    hello !== undefined && known.get(hello.suite)?.authentication === 'RSA' && suites.some(isEcdsa)
  );
}

/**
 * Returns whether the server refused a hello with every RSA suite and without ECDSA
 * suites. A server without RSA suites has only one certificate to choose.
 */
function refusesRsaSuites(helloAnswer: HelloAnswer): boolean {
  const { suites } = helloAnswer.question;
  return (
    !helloAnswer.hello &&
    nothingElse(helloAnswer) &&
    !suites.some(isEcdsa) &&
    rsa12.every((codePoint) => suites.includes(codePoint))
  );
}

/**
 * Returns whether a server that completes handshakes refused a handshake for RSA keys
 * only.
 */
function refusesRsaKey(log: readonly ProbeRecord[]): boolean {
  const asked = log.some(
    ({ question: probed, answer }) =>
      probed.kind === 'handshake' && probed.authentication === 'RSA' && answer.kind === 'refused',
  );
  return asked && completedHandshakes(log).length > 0;
}

/** Returns the suites that a refusal excludes. */
export function refusedBy(
  { question: { suites } }: HelloAnswer,
  suiteFirst: boolean,
): readonly number[] {
  const ecdsa = suiteFirst ? [] : suites.filter(isEcdsa);
  if (ecdsa.length > 0) return ecdsa;
  return suites;
}

/**
 * Returns whether the server refused a large hello that contains a suite it accepts at
 * the same version.
 */
function contradicted(
  helloAnswer: HelloAnswer,
  accepted: Readonly<Record<HelloVersion, readonly number[]>>,
  suiteFirst: boolean,
): boolean {
  const { suites, version } = helloAnswer.question;
  const refused = refusedBy(helloAnswer, suiteFirst);
  return (
    !helloAnswer.hello &&
    suites.length > SMALL_HELLO &&
    nothingElse(helloAnswer) &&
    accepted[version].some((codePoint) => refused.includes(codePoint))
  );
}

/** Returns whether the server answered SSLv2; silence proves nothing. */
function ssl2(log: readonly ProbeRecord[]): Tristate {
  const answer = log.find(({ question }) => question.kind === 'ssl2')?.answer.kind;
  if (answer === 'ssl2') return 'accepted';
  if (answer === 'refused') return 'refused';
  return 'unknown';
}

/** Returns the type and curve of a certificate's key; undefined for unknown key types. */
function leafOf(derBytes: Uint8Array): { key: 'RSA' | 'ECDSA'; curve?: number } | undefined {
  const parsed = parseCertificate(derBytes);
  if (!parsed.ok) return undefined;
  const { keyAlgorithm, curve } = parsed.value;
  if (keyAlgorithm === 'RSA') return { key: 'RSA' };
  if (keyAlgorithm === 'DSA' || keyAlgorithm === 'unknown') return undefined;
  const codePoint = groupTable.find((group) => group.name === curve)?.codePoint;
  return { key: 'ECDSA', curve: codePoint };
}

/** Returns the key type of the certificate in an answer. */
function keyOf({ hello, certificates }: HelloAnswer): 'RSA' | 'ECDSA' | undefined {
  const authentication = certificates && known.get(hello?.suite ?? 0)?.authentication;
  if (authentication === 'RSA' || authentication === 'ECDSA') return authentication;
  return undefined;
}

/** Groups that were chosen at a version. */
export function acceptedGroups(
  { answers, log }: Inference,
  version: HelloVersion,
): readonly number[] {
  const agreed = completedHandshakes(log).flatMap((handshake) => {
    if (handshake.version === version) return handshake.group ?? [];
    return [];
  });
  return [
    ...new Set([
      ...answers.flatMap((helloAnswer) => {
        if (versionOf(helloAnswer) === version) return groupOf(helloAnswer) ?? [];
        return [];
      }),
      ...agreed,
    ]),
  ];
}

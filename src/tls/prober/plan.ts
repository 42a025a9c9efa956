import { parseCertificate } from '../../x509/index.js';
import { suites as known } from '../wire/index.js';
import type { ProbeRecord } from './answer.js';
import type { Goals } from './goals.js';
import { authenticationOf, groupedSuites, heard, heard12, removeGroups, removeSuites, versionName, type Heard } from './inventory.js';
import {
  allSchemes,
  groups12,
  groups13,
  only,
  suites12,
  suites13,
  suitesOld,
  type HelloVersion,
  type OldVersion,
  type Question,
  type Topic,
} from './question.js';

const oldVersions: readonly OldVersion[] = ['TLSv1.1', 'TLSv1', 'SSLv3'];
/** Some servers read no more suites than this of a hello. */
const SMALL_HELLO = 60;

const ecdsa12 = only(suites12, (s) => s.authentication === 'ECDSA');
const rest12 = only(suites12, (s) => s.authentication !== 'ECDSA');
/** Curves of ECDSA certificates: without its own curve such a certificate cannot be used in TLS 1.2 (RFC 8422 §5.1). */
const certificateCurves: readonly number[] = [23, 24, 25];

/**
 * The next question worth a connection, or undefined when everything the goals ask is settled. Pure: the same log and goals give the same question, so a
 * run that was cut short is resumed from its log.
 */
export function nextQuestion(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  for (const step of [certificates, oldest, ssl2, sets, surface, finiteField, order, signatures]) {
    const question = step(log, goals);
    if (question) return question;
  }
  return undefined;
}

function hello(
  topic: Topic,
  version: HelloVersion,
  suites: readonly number[],
  changes: { groups?: readonly number[]; schemes?: readonly number[] } = {},
): Question {
  return {
    kind: 'hello',
    topic,
    version,
    suites,
    groups: changes.groups ?? (version === 'TLSv1.3' ? groups13 : groups12),
    schemes: changes.schemes ?? allSchemes,
  };
}

/** True when an answer of any kind to such a question is there: what was asked and stayed silent is not asked again in the same log. */
function asked(log: readonly ProbeRecord[], topic: Topic): boolean {
  return log.some(({ question }) => question.kind === 'hello' && question.topic === topic);
}

/** TLS 1.3 at all; then the chain for each kind of key (a mixed list would show only the one the client's first suite asks for). */
function certificates(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  if (!asked(log, 'tls13')) return hello('tls13', 'TLSv1.3', suites13);
  // An inventory meets both certificates on its way through the suites.
  if (!asked(log, 'ecdsa') && !goals.inventory) return hello('ecdsa', 'TLSv1.2', ecdsa12);
  if (!asked(log, 'tls12')) return hello('tls12', 'TLSv1.2', goals.inventory ? suites12 : rest12);
  if ([...heard(log, 'ecdsa'), ...heard(log, 'tls12')].some((a) => a.hello)) return undefined;
  return completedWith(log, 'TLSv1.2') ? parts(log) : onlyTls13(log);
}

/** A server that has completed TLS 1.2 but refuses the whole list is asked again in small helloes. */
function parts(log: readonly ProbeRecord[]): Question | undefined {
  for (let i = 0; i * SMALL_HELLO < suites12.length; i++) {
    if (!asked(log, `part:${i}`)) return hello(`part:${i}`, 'TLSv1.2', suites12.slice(i * SMALL_HELLO, (i + 1) * SMALL_HELLO));
  }
  return undefined;
}

/** TLS 1.3 encrypts its certificate: the other kind of key shows only in a completed handshake. */
function onlyTls13(log: readonly ProbeRecord[]): Question | undefined {
  if (!heard(log, 'tls13').some((a) => a.hello)) return undefined;
  const shown = log.flatMap(({ answer }) => (answer.kind === 'handshake' ? keyOf(answer.chain[0]) : []));
  for (const authentication of ['ECDSA', 'RSA'] as const) {
    const asked = log.some(({ question }) => question.kind === 'handshake' && question.authentication === authentication);
    if (!asked && !shown.includes(authentication)) return { kind: 'handshake', authentication };
  }
  return undefined;
}

function keyOf(der: Uint8Array | undefined): 'RSA' | 'ECDSA' {
  const parsed = der && parseCertificate(der);
  return parsed?.ok && parsed.value.keyAlgorithm.startsWith('RSA') ? 'RSA' : 'ECDSA';
}

function completedWith(log: readonly ProbeRecord[], version: string): boolean {
  return log.some(({ answer }) => answer.kind === 'handshake' && answer.version === version);
}

/** One hello asks for everything up to TLS 1.1; the server's answer is its best, so the walk goes down from there. */
function oldest(log: readonly ProbeRecord[]): Question | undefined {
  let ceiling = 0;
  while (ceiling < oldVersions.length) {
    const version = oldVersions[ceiling] as OldVersion;
    const topic: Topic = `highest:${version}`;
    if (!asked(log, topic)) return hello(topic, version, suitesOld);
    const best = heard(log, topic)[0]?.hello;
    const at = best ? oldVersions.indexOf(versionName(best.version) as OldVersion) : -1;
    // A refusal below TLS 1.0 is only asked for when something older was found: servers that refuse 1.1 and 1.0 but speak SSLv3 answered SSLv3 above.
    if (at < 0) return undefined;
    ceiling = at + 1;
  }
  return undefined;
}

function sets(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  for (const { id, suites } of goals.suiteSets) {
    if (asked(log, `set:${id}`) || goals.inventory) continue;
    const old = only(suites, (s) => !s.tls13);
    const version: HelloVersion = old.length > 0 ? 'TLSv1.2' : 'TLSv1.3';
    if (!speaks(log, version) && (version === 'TLSv1.3' || !speaksOld(log))) continue;
    return hello(`set:${id}`, version, old.length > 0 ? old : suites);
  }
  for (const { id, groups, version } of goals.groupSets) {
    if (asked(log, `groups:${id}`) || !speaks(log, version) || goals.inventory) continue;
    // Curves are stripped only from suites with an RSA key: without its own curve an ECDSA certificate could not be used at all.
    const suites = version === 'TLSv1.3' ? suites13 : only(suites12, (s) => s.keyExchange === 'ECDHE' && s.authentication !== 'ECDSA');
    return hello(`groups:${id}`, version, suites, { groups });
  }
  return undefined;
}

function signatures(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  for (const { id, schemes } of goals.signatureSets) {
    if (asked(log, `signatures:${id}`) || !speaks(log, 'TLSv1.2')) continue;
    return hello(
      `signatures:${id}`,
      'TLSv1.2',
      only(suites12, (s) => s.forwardSecrecy && s.authentication !== 'none'),
      { schemes },
    );
  }
  return undefined;
}

/** The hello of a set offers TLS 1.2 at most: a server that only has older versions answers it too. */
function speaksOld(log: readonly ProbeRecord[]): boolean {
  return oldVersions.some((v) => heard(log, `highest:${v}`).some((a) => a.hello));
}

/** False only where the version is known to be refused; asking costs a connection, assuming costs the truth. */
function speaks(log: readonly ProbeRecord[], version: 'TLSv1.2' | 'TLSv1.3'): boolean {
  if (completedWith(log, version)) return true;
  const answers = version === 'TLSv1.3' ? heard(log, 'tls13') : heard12(log, 'ecdsa', 'tls12');
  return answers.length === 0 || answers.some((a) => a.hello);
}

/** Every suite and group, by iterative removal. */
function surface(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  if (!goals.inventory) return undefined;
  const answers13 = heard(log, 'tls13');
  const known = removeGroups(answers13, groups13).accepted;
  return (
    remove('tls13', 'TLSv1.3', answers13, suites13, groups13, []) ??
    remove('tls12', 'TLSv1.2', heard12(log, 'ecdsa', 'tls12'), suites12, groups12, known) ??
    oldSuites(log)
  );
}

/**
 * Suites and groups of one version: each answer removes one of both, until a refusal; from then on each list is finished with the other one whole.
 * Groups `known` from a newer version are not looked for again.
 */
function remove(
  topic: Topic,
  version: HelloVersion,
  answers: readonly Heard[],
  allSuites: readonly number[],
  allGroups: readonly number[],
  known: readonly number[],
): Question | undefined {
  if (!answers.some((a) => a.hello)) return undefined;
  const suites = removeSuites(answers, allSuites, allGroups);
  const groups = removeGroups(answers, allGroups);
  const groupsLeft = groups.left.filter((id) => !known.includes(id));
  const next = (s: readonly number[], g: readonly number[]): Question | undefined =>
    repeats(answers, s, g) ? undefined : hello(topic, version, s, { groups: g });
  const refusedTogether = answers.some((a) => !a.hello && a.question.groups.length < allGroups.length && a.question.suites.length > 0);
  const together = known.length === 0 && groups.accepted.length > 0 && groupsLeft.length > 0 && !refusedTogether;
  if (suites.left.length > 0) {
    const needed = version === 'TLSv1.2' && suites.left.some((id) => authenticationOf(id) === 'ECDSA') ? certificateCurves : [];
    const question = next(suites.left, together ? allGroups.filter((id) => groupsLeft.includes(id) || needed.includes(id)) : allGroups);
    if (question) return question;
  }
  const grouped = groupedSuites(answers);
  return grouped.length > 0 ? next(grouped, groupsLeft) : undefined;
}

function repeats(answers: readonly Heard[], suites: readonly number[], groups: readonly number[]): boolean {
  const same = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
  return (
    suites.length === 0 || groups.length === 0 || answers.some((a) => same(a.question.suites, suites) && same(a.question.groups, groups))
  );
}

function oldSuites(log: readonly ProbeRecord[]): Question | undefined {
  for (const version of oldVersions) {
    const first = oldVersions.flatMap((v) => heard(log, `highest:${v}`)).find((a) => a.hello && versionName(a.hello.version) === version);
    if (!first?.hello) continue;
    const topic: Topic = `suites:${version}`;
    const answers = [first, ...heard(log, topic)];
    const { left } = removeSuites(answers, suitesOld, groups12);
    if (!repeats(answers, left, groups12)) return hello(topic, version, left);
  }
  return undefined;
}

/** The same suites in the opposite order: a server with its own order answers as before. */
function order(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  if (!goals.order && !goals.inventory) return undefined;
  const versions: readonly HelloVersion[] = goals.inventory ? ['TLSv1.3', 'TLSv1.2', ...oldVersions] : ['TLSv1.2', ...oldVersions];
  for (const version of versions) {
    const topic: Topic = `order:${version}`;
    if (asked(log, topic)) {
      if (!goals.inventory) return undefined;
      continue;
    }
    const accepted = acceptedAt(log, version);
    if (accepted.length < 2) continue;
    return hello(topic, version, [...accepted].reverse());
  }
  return undefined;
}

/** Suites accepted at a version, those with the same kind of key as the first only, so that the order asked about is one the server can follow. */
export function acceptedAt(log: readonly ProbeRecord[], version: HelloVersion): readonly number[] {
  const chosen = heard(log)
    .filter((a) => a.hello && versionName(a.hello.version) === version && !a.question.topic.startsWith('order:'))
    .map((a) => (a.hello as { suite: number }).suite)
    .filter((id) => known.has(id));
  return [...new Set(chosen)].filter(
    (id) =>
      version === 'TLSv1.3' ||
      authenticationOf(id) === authenticationOf(chosen.find((c) => authenticationOf(c) === 'RSA') ?? (chosen[0] as number)),
  );
}

function finiteField(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  const speaks12 = speaks(log, 'TLSv1.2');
  if (!(goals.dhe || goals.inventory) || asked(log, 'dhe') || !(speaks12 || speaksOld(log))) return undefined;
  if (heard(log).some((a) => a.keyExchange?.kind === 'dhe' && authenticationOf(a.hello?.suite ?? 0) !== 'none')) return undefined;
  const dhe = only(suites12, (s) => s.keyExchange === 'DHE' && s.authentication !== 'none');
  const { left } = removeSuites(heard12(log, 'ecdsa', 'tls12'), suites12, groups12);
  return !speaks12 || dhe.some((id) => left.includes(id)) ? hello('dhe', 'TLSv1.2', dhe) : undefined;
}

function ssl2(log: readonly ProbeRecord[], goals: Goals): Question | undefined {
  return (goals.ssl2 || goals.inventory) && !log.some(({ question }) => question.kind === 'ssl2') ? { kind: 'ssl2' } : undefined;
}

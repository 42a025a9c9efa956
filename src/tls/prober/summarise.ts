import { ProtocolVersion, suites, type ServerHello } from '../wire/index.js';
import type { ProbeRecord, TlsAnswer } from './answer.js';
import { groupOf, ownOrder13, schemeOf, versionOf, type HelloAnswer } from './answers.js';
import type { Inventory, Tristate } from './inventory.js';
import { largeHelloOf, largeHellosOf } from './large-hello.js';
import { acceptedGroups, suitesOf, type Inference } from './inference.js';
import { groups12, groups13, newestFirst, type HelloVersion } from './question.js';
import { finiteField, refusedGroups } from './evaluate.js';

/** Summarises the facts about a server. Pure. */
export function summarise(proven: Inference): Inventory {
  const { log, answers, versions, accepted, refused } = proven;
  const dhe = finiteField(proven);
  const complete = (version: HelloVersion): boolean =>
    suitesOf(version).every(
      (codePoint) => accepted[version].includes(codePoint) || refused[version].has(codePoint),
    );
  return {
    versions,
    suites: Object.fromEntries(
      newestFirst.map((version) => [
        version,
        { accepted: accepted[version], complete: complete(version) },
      ]),
    ) as unknown as Inventory['suites'],
    order: Object.fromEntries(newestFirst.flatMap((version) => orderAt(proven, version))),
    groups: groupsOf(proven),
    schemes: [...new Set(answers.flatMap((helloAnswer) => schemeOf(helloAnswer) ?? []))],
    chains: chainsOf(log),
    compression: feature(answers, (serverHello) => serverHello.compression !== 0, 'some'),
    extendedMasterSecret: feature(
      at12(answers),
      (serverHello) => serverHello.extendedMasterSecret,
      'every',
    ),
    secureRenegotiation: feature(
      at12(answers),
      (serverHello) => serverHello.secureRenegotiation,
      'every',
    ),
    dhe,
    ssl2Ciphers: log.flatMap(({ answer }) => {
      if (answer.kind === 'ssl2') return answer.ciphers;
      return [];
    }),
    helloSizeIntolerant: Number.isFinite(proven.mostSuites),
    largeHello: largeHelloOf(log),
    largeHellos: largeHellosOf(log),
  };
}

/** Returns the TLS 1.2 answers: only they show the extensions of TLS 1.2. */
function at12(answers: readonly HelloAnswer[]): readonly HelloAnswer[] {
  return answers.filter((helloAnswer) => versionOf(helloAnswer) === 'TLSv1.2');
}

function feature(
  answers: readonly HelloAnswer[],
  has: (serverHello: ServerHello) => boolean,
  how: 'some' | 'every',
): Tristate {
  const serverHellos = answers.flatMap((helloAnswer) => {
    if (helloAnswer.hello && helloAnswer.hello.version < ProtocolVersion['TLSv1.3'])
      return [helloAnswer.hello];
    return [];
  });
  if (serverHellos.length === 0) return 'unknown';
  if (serverHellos[how](has)) return 'accepted';
  return 'refused';
}

function orderAt(
  { answers, accepted }: Inference,
  version: HelloVersion,
): [HelloVersion, 'server' | 'client' | 'unknown'][] {
  if (version === 'TLSv1.3' && ownOrder13(answers, accepted[version])) return [[version, 'server']];
  const asked = answers.find((helloAnswer) => helloAnswer.question.topic === `order:${version}`);
  if (!asked?.hello) return [];
  // The list was reversed: a server that follows the client chooses the first suite of
  // the list, and a server with its own order chooses a different suite.
  if (asked.hello.suite !== asked.question.suites[0]) return [[version, 'server']];
  // A server with its own order may still follow a client that lists ChaCha20 first.
  return [[version, suites.get(asked.hello.suite)?.cipher === 'CHACHA20' ? 'unknown' : 'client']];
}

function groupsOf(proven: Inference): Inventory['groups'] {
  const accepted = [
    ...new Set([
      ...acceptedGroups(proven, 'TLSv1.3'),
      ...acceptedGroups(proven, 'TLSv1.2'),
      ...proven.answers.flatMap((helloAnswer) => groupOf(helloAnswer) ?? []),
    ]),
  ];
  const none12 = refusedGroups(proven, 'TLSv1.2');
  const none13 = refusedGroups(proven, 'TLSv1.3');
  const complete =
    groups13.every((codePoint) => none13.has(codePoint) || accepted.includes(codePoint)) &&
    groups12.every((codePoint) => none12.has(codePoint) || accepted.includes(codePoint));
  return { accepted, complete };
}

function chainsOf(log: readonly ProbeRecord[]): Inventory['chains'] {
  const chains = new Map<string, readonly Uint8Array[]>();
  for (const { answer } of log) {
    const certificateChain = chainOf(answer);
    const leaf = certificateChain?.[0] && Buffer.from(certificateChain[0]).toString('base64');
    if (certificateChain && leaf !== undefined && !chains.has(leaf))
      chains.set(leaf, certificateChain);
  }
  return [...chains.values()];
}

function chainOf(tlsAnswer: TlsAnswer): readonly Uint8Array[] | undefined {
  if (tlsAnswer.kind === 'handshake') return tlsAnswer.chain;
  if (tlsAnswer.kind === 'hello') return tlsAnswer.flight.certificates;
  return undefined;
}

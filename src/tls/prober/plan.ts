import type { ProbeRecord } from './answer.js';
import { strictSuites } from '../settings.js';
import type { Ask, Goals } from './goals.js';
import { completedHandshakes } from './answers.js';
import { infer, type Inference } from './inference.js';
import { enlarged } from './large-hello.js';
import { freshHello, unrefused } from './fresh-hello.js';
import {
  chaChaLater,
  ecdsa12,
  newestFirst,
  only,
  rsa12,
  suites12,
  suites13,
  suitesOld,
  type TlsQuestion,
  type QuestionTopic,
} from './question.js';
import {
  carriersOf,
  dheSuites,
  existsIn,
  generations,
  evaluate,
  settleKey,
  speaksFor,
} from './evaluate.js';
import { enumerate } from './enumerate.js';

/**
 * Returns the next question that needs a connection; undefined if all goals are settled
 * or if no hello could settle the rest. Pure: the same log and goals give the same
 * question, so an interrupted run can be resumed from its log.
 */
export function nextQuestion(log: readonly ProbeRecord[], goals: Goals): TlsQuestion | undefined {
  const question = planned(log, goals);
  if (question && goals.largeHello) return enlarged(question, log);
  return question;
}

function planned(log: readonly ProbeRecord[], goals: Goals): TlsQuestion | undefined {
  const proven = infer(log);
  // An inventory observes both certificates while it enumerates the suites.
  return (
    (proven.doubtful ? otherKeys(proven) : undefined) ??
    (goals.inventory ? enumerate(proven) : certificates(proven)) ??
    otherKeys(proven) ??
    first(goals.asks, (question) => {
      if (evaluate(proven, question).settled === 'unknown')
        return questionFor(proven, question, goals.asks);
      return undefined;
    })
  );
}

function first<T>(
  list: readonly T[],
  of: (one: T) => TlsQuestion | undefined,
): TlsQuestion | undefined {
  for (const one of list) {
    const question = of(one);
    if (question) return question;
  }
  return undefined;
}

const rest12 = only(suites12, (cipherSuite) => cipherSuite.authentication !== 'ECDSA');
/**
 * TLS_ECDHE_ECDSA_WITH_NULL_SHA: TLS libraries know this suite, and servers do not accept
 * it. In a hello with other suites, this suite shows whether a server with both key types
 * chooses the key first.
 */
const DECOY_SUITE = 0xc006;

/**
 * Asks for TLS 1.3 and 1.2, and for the chain of each kind of key: a mixed list of suites
 * would show only the chain for the client's first suite. The hello for the unknown key
 * type comes first, since its answer proves as much about the version as the answer to
 * the other hello.
 */
function certificates(proven: Inference): TlsQuestion | undefined {
  const { versions, keys, answers } = proven;
  if (versions['TLSv1.3'] === 'unknown')
    return freshHello(proven, { topic: 'tls13', version: 'TLSv1.3', suites: suites13 });
  const halves: readonly {
    key: 'ECDSA' | 'RSA';
    topic: QuestionTopic;
    suites: readonly (readonly number[])[];
  }[] = [
    { key: 'ECDSA', topic: 'ecdsa', suites: [ecdsa12] },
    {
      key: 'RSA',
      topic: 'tls12',
      suites: keys.has('ECDSA') ? [[...rsa12, DECOY_SUITE], rsa12] : [rest12, rsa12],
    },
  ];
  const best = newestFirst.find(
    (version) => version !== 'TLSv1.3' && versions[version] !== 'refused',
  );
  if (!best) return undefined;
  const met = answers.some(
    (helloAnswer) => helloAnswer.hello && helloAnswer.question.version !== 'TLSv1.3',
  );
  const shown = first(
    keys.has('ECDSA') ? [...halves].reverse() : halves,
    ({ key, topic, suites }) => {
      if (keys.has(key) && met) return undefined;
      return first(suites, (list) =>
        freshHello(proven, { topic, version: 'TLSv1.2', suites: unrefused(proven, best, list) }),
      );
    },
  );
  // Suites without either key are of interest only if no hello has shown the version.
  return (
    shown ??
    (met
      ? undefined
      : freshHello(proven, {
          topic: 'tls12',
          version: 'TLSv1.2',
          suites: unrefused(proven, best, rest12),
        }))
  );
}

/**
 * Returns a question for further keys. TLS 1.3 encrypts the certificate: a key that older
 * versions do not show appears only in a completed handshake.
 */
function otherKeys(proven: Inference): TlsQuestion | undefined {
  const { log, versions } = proven;
  // If a server has not completed one handshake, another will also fail.
  if (versions['TLSv1.3'] !== 'accepted' || completedHandshakes(log).length === 0) return undefined;
  const asked = (key: string): boolean =>
    log.some(
      ({ question: probed }) => probed.kind === 'handshake' && probed.authentication === key,
    );
  return first(['ECDSA', 'RSA'] as const, (key) => {
    if (settleKey(proven, key) !== 'unknown' || asked(key)) return undefined;
    return { kind: 'handshake', authentication: key };
  });
}

function questionFor(
  proven: Inference,
  question: Ask,
  asks: readonly Ask[],
): TlsQuestion | undefined {
  switch (question.kind) {
    case 'version':
      return freshHello(proven, {
        topic: `highest:${question.version}`,
        version: question.version,
        suites: unrefused(proven, question.version, suitesOld),
      });
    case 'ssl2':
      return { kind: 'ssl2' };
    case 'suites':
      return anyOf(proven, `set:${question.id}`, together(proven, question.suites, asks));
    case 'groups':
      return groupQuestion(proven, `groups:${question.id}`, question.groups, question.version);
    case 'signatures':
      return freshHello(proven, {
        topic: `signatures:${question.id}`,
        version: 'TLSv1.2',
        suites: only(
          suites12,
          (cipherSuite) => cipherSuite.forwardSecrecy && cipherSuite.authentication !== 'none',
        ),
        schemes: question.schemes,
      });
    case 'order':
      return order(proven, question.worse);
    case 'strict':
      return freshHello(proven, {
        topic: 'set:strict',
        version: 'TLSv1.2',
        suites: unrefused(proven, 'TLSv1.2', strictSuites),
      });
    case 'dhe':
      return anyOf(proven, 'dhe', dheSuites);
  }
}

/**
 * Returns a hello that offers the wanted code points. Each generation of the protocol
 * gets a separate question, at the highest version that the server may support.
 */
function anyOf(
  proven: Inference,
  topic: QuestionTopic,
  wanted: readonly number[],
): TlsQuestion | undefined {
  return first(generations, (generation) => {
    const version = speaksFor(generation, proven);
    if (proven.versions[version] === 'refused') return undefined;
    return freshHello(proven, {
      topic,
      version,
      suites: unrefused(
        proven,
        version,
        wanted.filter((codePoint) => existsIn(generation, codePoint)),
      ),
    });
  });
}

/** All known servers read a hello with this number of suites. */
const READABLE = 60;

/**
 * Returns the suites of all open asks that fit into one hello. A refusal settles all of
 * these asks, and an answer settles at least one, so separate hellos would not need fewer
 * questions.
 */
function together(
  proven: Inference,
  suites: readonly number[],
  asks: readonly Ask[],
): readonly number[] {
  const most = Math.max(
    READABLE,
    ...proven.answers.map((helloAnswer) => {
      if (helloAnswer.hello) return helloAnswer.question.suites.length;
      return 0;
    }),
  );
  const all = new Set(suites);
  for (const other of asks) {
    if (other.kind !== 'suites' || evaluate(proven, other).settled !== 'unknown') continue;
    const joined = new Set([...all, ...other.suites]);
    if (joined.size <= most) for (const codePoint of other.suites) all.add(codePoint);
  }
  return [...all];
}

function groupQuestion(
  proven: Inference,
  topic: QuestionTopic,
  wanted: readonly number[],
  version: 'TLSv1.2' | 'TLSv1.3',
): TlsQuestion | undefined {
  if (proven.versions[version] === 'refused') return undefined;
  return first(carriersOf(proven, version), ({ suites, refused, beside }) => {
    const open = wanted.filter((codePoint) => !refused.has(codePoint));
    if (open.length === 0) return undefined;
    return freshHello(proven, {
      topic,
      version,
      suites: unrefused(proven, version, suites),
      groups: [...open, ...beside],
    });
  });
}

/**
 * Returns a question with the worst suite first: a server that follows the client chooses
 * a worse suite, and a server with its own order chooses its preferred suite.
 */
function order(proven: Inference, worse: readonly number[]): TlsQuestion | undefined {
  const better = suites12.filter((codePoint) => !worse.includes(codePoint));
  const known = proven.accepted['TLSv1.2'].some((codePoint) => better.includes(codePoint));
  const open = (list: readonly number[]): readonly number[] => unrefused(proven, 'TLSv1.2', list);
  if (!known) {
    const any = freshHello(proven, {
      topic: 'set:better',
      version: 'TLSv1.2',
      suites: open(better),
    });
    if (any) return any;
  }
  return freshHello(proven, {
    topic: 'order:TLSv1.2',
    version: 'TLSv1.2',
    suites: chaChaLater([...open([...worse].reverse()), ...open(better)]),
  });
}

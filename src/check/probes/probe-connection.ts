import { equalBytes, type Failure } from '../../base/index.js';
import {
  probeEvidence,
  type ConnectionEvidence,
  type HandshakeEvidence,
  type PresentedChain,
} from '../../evidence/index.js';
import type { Conn } from '../../net/index.js';
import {
  openSession,
  starttlsOffer,
  type OpenFailure,
  type SmtpSession,
} from '../../smtp/index.js';
import {
  askHello,
  handshake,
  renegotiate,
  type TlsAnswer,
  type AskHelloRequest,
  type HandshakeFacts,
  type TlsQuestion,
} from '../../tls/index.js';
import { parseChain, verifyChain } from '../../x509/index.js';
import { handshakeFailed } from '../grade/exposure.js';
import { failureEvidence, type ProbeContext } from './context.js';

type ProbeQuestion = AskHelloRequest['question'];
type Draft = { -readonly [K in keyof ConnectionEvidence]: ConnectionEvidence[K] };

/**
 * What a connection is opened for: the completed handshake, one question of the prober,
 * or what `--intrusive` does.
 */
export type ProbePurpose = TlsQuestion | 'handshake' | 'intrusion' | 'intrusion-tls12';

/**
 * One SMTP connection from its greeting to its end, as evidence; `sni` is the name said
 * in its TLS. Rejects only with the signal's reason.
 */
export async function converse(
  context: ProbeContext,
  sni: string,
  ip: string,
  errand: ProbePurpose,
): Promise<ConnectionEvidence> {
  const { network, clock, smtpPort, timeoutMs, signal } = context;
  const began = clock.monotonic();
  const since = (from: number): number => Math.max(0, Math.round(clock.monotonic() - from));
  const draft: Draft = {
    purpose:
      typeof errand === 'string' ? errand : errand.kind === 'hello' ? errand.topic : errand.kind,
    at: since(context.startedAt),
    milliseconds: 0,
    dial: 'open',
    starttls: 'unknown',
    transcript: [],
  };
  const dialled = await network.dial({
    address: ip,
    port: smtpPort,
    timeoutMs,
    ...(signal ? { signal } : {}),
  });
  if (!dialled.ok)
    return { ...draft, dial: failureEvidence(dialled.failure), milliseconds: since(began) };
  try {
    await probeStarttls(context, sni, dialled.conn, errand, draft);
  } finally {
    dialled.conn.close();
  }
  return { ...draft, milliseconds: since(began) };
}

/** Fills the draft as far as the server lets us come. */
async function probeStarttls(
  context: ProbeContext,
  sni: string,
  conn: Conn,
  errand: ProbePurpose,
  draft: Draft,
): Promise<void> {
  if (context.implicitTls) return probeImplicitTls(context, sni, conn, errand, draft);
  const { helo, timeoutMs, signal, clock } = context;
  const opened = await openSession({ conn, helo, timeoutMs, clock, ...(signal ? { signal } : {}) });
  if (!opened.ok) return notOpened(opened.failure, draft);
  const session = opened.value;
  try {
    draft.greeting = session.greeting;
    await upgrade(context, sni, session, errand, draft);
  } finally {
    draft.transcript = session.transcript.slice(0, 200);
  }
}

/** Saves what the server said instead of a greeting of 220. */
function notOpened(failure: OpenFailure, draft: Draft): void {
  draft.failure = failureEvidence(failure);
  if (failure.greeting) draft.greeting = failure.greeting;
  draft.transcript = failure.transcript.slice(0, 200);
}

/** Where TLS comes before SMTP: the handshake or the hello is the first thing said. */
async function probeImplicitTls(
  context: ProbeContext,
  sni: string,
  conn: Conn,
  errand: ProbePurpose,
  draft: Draft,
): Promise<void> {
  const { helo, timeoutMs, signal, clock } = context;
  const waiting = { timeoutMs, ...(signal ? { signal } : {}) };
  if (typeof errand !== 'string' && errand.kind !== 'handshake') {
    draft.starttls = 'offered';
    return keepAnswer(
      context,
      sni,
      errand,
      await askHello({ conn, question: errand, serverName: sni, ...waiting }),
      draft,
    );
  }
  const only =
    typeof errand === 'string' || errand.authentication === 'any'
      ? {}
      : { authentication: errand.authentication };
  const made = await handshake({ conn, servername: sni, ...only, ...waiting });
  if (made.ok) keepFacts(context, made.facts, draft);
  if (!made.ok) return notMade(errand, made.failure, draft);
  draft.starttls = 'offered';
  const opened = await openSession({ conn: made.conn, helo, clock, ...waiting });
  if (!opened.ok) return notOpened(opened.failure, draft);
  const session = opened.value;
  draft.greeting = session.greeting;
  const hello = await session.ehlo();
  if (hello.ok) draft.ehlo = { code: hello.value.code, lines: hello.value.lines };
  else draft.failure = failureEvidence(hello.failure);
  await session.quit();
  draft.transcript = session.transcript.slice(0, 200);
}

async function upgrade(
  context: ProbeContext,
  sni: string,
  session: SmtpSession,
  errand: ProbePurpose,
  draft: Draft,
): Promise<void> {
  const hello = await session.ehlo();
  if (!hello.ok) {
    draft.failure = failureEvidence(hello.failure);
    return;
  }
  draft.ehlo = { code: hello.value.code, lines: hello.value.lines };
  const offer = starttlsOffer(hello.value.lines);
  draft.starttls = offer.status;
  if (offer.status !== 'offered') {
    if (offer.status === 'mangled') draft.mangledAs = offer.mangledAs;
    await session.quit();
  } else if (errand === 'intrusion' || errand === 'intrusion-tls12')
    await testInjection(context, sni, session, errand, draft);
  else if (errand === 'handshake') await complete(context, sni, session, 'any', draft);
  else if (errand.kind === 'handshake')
    await complete(context, sni, session, errand.authentication, draft);
  else await ask(context, sni, session, errand, draft);
}

/** A handshake to its end, EHLO again, QUIT. */
async function complete(
  context: ProbeContext,
  sni: string,
  session: SmtpSession,
  authentication: 'RSA' | 'ECDSA' | 'any',
  draft: Draft,
): Promise<void> {
  const { timeoutMs, signal } = context;
  let facts: HandshakeFacts | undefined;
  const only = authentication === 'any' ? {} : { authentication };
  const secured = await session.startTls(async (plain) => {
    const made = await handshake({
      conn: plain,
      servername: sni,
      timeoutMs,
      ...only,
      ...(signal ? { signal } : {}),
    });
    if (made.ok) facts = made.facts;
    return made;
  });
  if (facts) keepFacts(context, facts, draft);
  if (!secured.ok)
    return notMade(
      authentication === 'any' ? 'handshake' : { kind: 'handshake', authentication },
      secured.failure,
      draft,
    );
  await greetAgain(session, draft);
}

function keepFacts(
  context: ProbeContext,
  { version, suite, group, sni, chain }: HandshakeFacts,
  draft: Draft,
): void {
  draft.handshake = {
    version: version as HandshakeEvidence['version'],
    suite,
    ...(group ? { group } : {}),
    ...presentedChain(context, sni, chain),
  };
}

/**
 * A handshake that failed; where it was a question of the prober that is an answer: the
 * server has no key of that kind.
 */
function notMade(errand: ProbePurpose, failure: Failure, draft: Draft): void {
  if (typeof errand !== 'string' && errand.kind === 'handshake' && handshakeFailed(failure.code))
    draft.probe = { question: errand, answer: { kind: 'refused' } };
  notSecured(failure, draft);
}

async function greetAgain(session: SmtpSession, draft: Draft): Promise<void> {
  const again = await session.ehlo(); // [3207-4.2-2]
  if (again.ok) draft.ehloAfterTls = { code: again.value.code, lines: again.value.lines };
  else draft.failure = failureEvidence(again.failure);
  await session.quit();
}

/**
 * CVE-2011-0411: one NOOP in clear behind STARTTLS. A server that answers it inside TLS
 * executes what an attacker put in front of the sealed session (RFC 3207 §4.2). In TLS
 * 1.2 the same connection asks for one renegotiation. Nothing else is sent.
 */
async function testInjection(
  context: ProbeContext,
  sni: string,
  session: SmtpSession,
  errand: 'intrusion' | 'intrusion-tls12',
  draft: Draft,
): Promise<void> {
  const { timeoutMs, signal } = context;
  const limit = errand === 'intrusion-tls12' ? { maxVersion: 'TLSv1.2' as const } : {};
  const secured = await session.startTls(
    (plain) =>
      handshake({
        conn: plain,
        servername: sni,
        timeoutMs,
        ...limit,
        ...(signal ? { signal } : {}),
      }),
    'NOOP',
  );
  if (!secured.ok) return notSecured(secured.failure, draft);
  draft.injection = 'unknown';
  const first = await session.ehlo();
  if (errand === 'intrusion-tls12')
    draft.renegotiation = await renegotiate(session.conn, timeoutMs);
  // An executed NOOP was answered in the place of EHLO, whose reply then comes in the
  // place of that to QUIT.
  const second = await session.command('QUIT');
  if (second.ok) draft.injection = second.value.code === 221 ? 'discarded' : 'executed';
  else if (first.ok && first.value.lines.length > 1) draft.injection = 'discarded';
  session.close();
}

/** One hello, and what came back; the handshake ends there. */
async function ask(
  context: ProbeContext,
  sni: string,
  session: SmtpSession,
  question: ProbeQuestion,
  draft: Draft,
): Promise<void> {
  const agreed = await session.agreeOnTls();
  if (!agreed.ok) return notSecured(agreed.failure, draft);
  const { timeoutMs, signal } = context;
  const answer = await askHello({
    conn: session.conn,
    question,
    serverName: sni,
    timeoutMs,
    ...(signal ? { signal } : {}),
  });
  keepAnswer(context, sni, question, answer, draft);
}

function keepAnswer(
  context: ProbeContext,
  sni: string,
  question: ProbeQuestion,
  answer: TlsAnswer,
  draft: Draft,
): void {
  const probe = probeEvidence({ question, answer });
  if (probe) draft.probe = probe;
  const chain = answer.kind === 'hello' ? answer.flight.certificates : undefined;
  if (chain?.length) draft.presented = presentedChain(context, sni, chain);
}

function notSecured(failure: Failure, draft: Draft): void {
  draft.failure = failureEvidence(failure);
  if (failure.code !== 'smtp-starttls-refused') return;
  // RFC 3207 §4: senders that do not require TLS continue in plaintext after any reply
  // but 220.
  draft.starttls = 'refused';
  draft.starttlsReply = {
    code: Number(failure.detail.slice(0, 3)),
    lines: [failure.detail.slice(4)],
  };
}

function presentedChain(
  { trustStore, now }: ProbeContext,
  sni: string,
  chain: readonly Uint8Array[],
): PresentedChain {
  const sent = parseChain(chain);
  const verdict = verifyChain({ sent, anchors: trustStore, at: now });
  const { chain: trust, validity, problems } = verdict;
  const top = verdict.path.at(-1);
  const unsent = top && !sent.some((c) => equalBytes(c.der, top.der)) ? top : undefined;
  return {
    sni,
    chain: chain.map((der) => Buffer.from(der).toString('base64')),
    pkix: {
      chain: trust,
      validity,
      problems,
      anchor: unsent && Buffer.from(unsent.der).toString('base64'),
    },
  };
}

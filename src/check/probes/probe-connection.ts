import type { Failure } from '../../base/index.js';
import {
  probeEvidence,
  type ConnectionEvidence,
  type HandshakeEvidence,
  type PresentedChain,
} from '../../evidence/index.js';
import type { Connection } from '../../net/index.js';
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
import { parseChain } from '../../x509/index.js';
import { handshakeFailed } from '../grade/session.js';
import { judgeChain } from '../judge-chain.js';
import { failureEvidence, type ProbeContext } from './context.js';

type HelloQuestion = AskHelloRequest['question'];
type Authentication = Extract<TlsQuestion, { kind: 'handshake' }>['authentication'];
type MutableEvidence = { -readonly [K in keyof ConnectionEvidence]: ConnectionEvidence[K] };

/** Maximum number of transcript lines in the evidence. */
const MAX_TRANSCRIPT = 200;

/**
 * The reason to open a connection: the completed handshake, one question of the prober, a
 * completed handshake without SNI, the hello of a sender, or a test of `--intrusive`.
 */
export type ProbePurpose =
  TlsQuestion | 'handshake' | 'without-sni' | 'intrusion' | 'intrusion-tls12';

/** Server and purpose of one probe connection. */
export interface ProbeConnectionRequest {
  readonly address: string;
  /** Name in SNI: the MX host, or its TLSA base domain (RFC 7672 §8.1). */
  readonly serverName: string;
  readonly purpose: ProbePurpose;
}

/**
 * Opens one SMTP connection, probes it for its purpose, closes it and returns the
 * evidence. Failures of the server are part of the evidence. Rejects only with the
 * signal's reason.
 */
export function probeConnection(
  context: ProbeContext,
  request: ProbeConnectionRequest,
): Promise<ConnectionEvidence> {
  return new ProbeConnection(context, request).run();
}

/**
 * The state of one probe connection. Every step adds its observations to the evidence, so
 * that the observations of an interrupted connection are not lost.
 */
class ProbeConnection {
  readonly #context: ProbeContext;
  readonly #request: ProbeConnectionRequest;
  readonly #evidence: MutableEvidence;
  readonly #began: number;

  constructor(context: ProbeContext, request: ProbeConnectionRequest) {
    this.#context = context;
    this.#request = request;
    this.#began = context.clock.monotonic();
    this.#evidence = {
      purpose: purposeName(request.purpose),
      at: this.#millisecondsSince(context.startedAt),
      milliseconds: 0,
      dial: 'open',
      starttls: 'unknown',
      transcript: [],
    };
  }

  async run(): Promise<ConnectionEvidence> {
    const { network, smtpPort, timeoutMs, signal } = this.#context;
    const { address } = this.#request;
    const dialled = await network.dial({ address, port: smtpPort, timeoutMs, signal });
    if (dialled.ok) {
      try {
        if (this.#context.implicitTls) await this.#probeImplicitTls(dialled.connection);
        else await this.#probeStarttls(dialled.connection);
      } finally {
        dialled.connection.close();
      }
    } else this.#evidence.dial = failureEvidence(dialled.failure);
    this.#evidence.milliseconds = this.#millisecondsSince(this.#began);
    return this.#evidence;
  }

  /**
   * Performs STARTTLS (RFC 3207): greeting, EHLO, and then the step that the purpose
   * names.
   */
  async #probeStarttls(connection: Connection): Promise<void> {
    const { helo, clock } = this.#context;
    const opened = await openSession({ connection, helo, clock, ...this.#limits });
    if (!opened.ok) return this.#recordNotOpened(opened.failure);
    const session = opened.value;
    try {
      this.#evidence.greeting = session.greeting;
      await this.#greetAndUpgrade(session);
    } finally {
      this.#recordTranscript(session);
    }
  }

  /**
   * Performs implicit TLS (RFC 8314 §3.3): the handshake or the hello precedes the
   * greeting.
   */
  async #probeImplicitTls(connection: Connection): Promise<void> {
    const { helo, clock } = this.#context;
    const { purpose } = this.#request;
    if (typeof purpose !== 'string' && purpose.kind !== 'handshake') {
      this.#evidence.starttls = 'offered';
      return this.#recordAnswer(purpose, await this.#askHello(connection, purpose));
    }
    if (purpose === 'without-sni') {
      const secured = await this.#handshakeWithoutSni(connection);
      if (secured.ok) secured.connection.close();
      else this.#recordNotSecured(secured.failure);
      this.#evidence.starttls = 'offered';
      return;
    }
    const authentication = typeof purpose === 'string' ? 'any' : purpose.authentication;
    const secured = await this.#handshake(connection, authentication);
    if (!secured.ok) return this.#recordHandshakeFailure(secured.failure);
    this.#evidence.starttls = 'offered';
    const opened = await openSession({
      connection: secured.connection,
      helo,
      clock,
      ...this.#limits,
    });
    if (!opened.ok) return this.#recordNotOpened(opened.failure);
    const session = opened.value;
    this.#evidence.greeting = session.greeting;
    const hello = await session.ehlo();
    if (hello.ok) this.#evidence.ehlo = { code: hello.value.code, lines: hello.value.lines };
    else this.#recordFailure(hello.failure);
    await session.quit();
    this.#recordTranscript(session);
  }

  async #greetAndUpgrade(session: SmtpSession): Promise<void> {
    const { purpose } = this.#request;
    const hello = await session.greet();
    if (!hello.ok) return this.#recordFailure(hello.failure);
    if (session.ehloRefusal) this.#recordFailure(session.ehloRefusal);
    this.#evidence.ehlo = { code: hello.value.code, lines: hello.value.lines };
    const offer = starttlsOffer(hello.value.lines);
    this.#evidence.starttls = offer.status;
    if (offer.status !== 'offered') {
      if (offer.status === 'mangled') this.#evidence.mangledAs = offer.mangledAs;
      await session.quit();
    } else if (purpose === 'intrusion' || purpose === 'intrusion-tls12')
      await this.#testInjection(session);
    else if (purpose === 'without-sni') await this.#completeWithoutSni(session);
    else if (purpose === 'handshake') await this.#completeHandshake(session, 'any');
    else if (purpose.kind === 'handshake')
      await this.#completeHandshake(session, purpose.authentication);
    else await this.#sendHello(session, purpose);
  }

  /** Completes a handshake, sends EHLO again [3207-4.2-2] and quits. */
  async #completeHandshake(session: SmtpSession, authentication: Authentication): Promise<void> {
    const secured = await session.startTls((plain) => this.#handshake(plain, authentication));
    if (!secured.ok) return this.#recordHandshakeFailure(secured.failure);
    const again = await session.ehlo();
    if (again.ok)
      this.#evidence.ehloAfterTls = { code: again.value.code, lines: again.value.lines };
    else this.#recordFailure(again.failure);
    await session.quit();
  }

  /**
   * Completes a handshake without SNI, as senders that verify no certificate do by
   * default, and quits. A server must accept this handshake [8461-7.1-4, 7672-8.1-2].
   */
  async #completeWithoutSni(session: SmtpSession): Promise<void> {
    const secured = await session.startTls((plain) => this.#handshakeWithoutSni(plain));
    if (!secured.ok) return this.#recordNotSecured(secured.failure);
    await session.quit();
  }

  async #handshakeWithoutSni(connection: Connection): ReturnType<typeof handshake> {
    const result = await handshake({ connection, serverName: '', ...this.#limits });
    if (result.ok) this.#evidence.withoutSni = this.#handshakeEvidence(result.facts);
    return result;
  }

  /**
   * Tests for CVE-2011-0411: sends one plaintext NOOP in the same packet as STARTTLS. A
   * server that answers the NOOP inside TLS would execute commands that an attacker
   * inserts before the encrypted session (RFC 3207 §4.2). With TLS 1.2 the probe requests
   * one renegotiation on the same connection. The probe sends no other data.
   */
  async #testInjection(session: SmtpSession): Promise<void> {
    const isTls12 = this.#request.purpose === 'intrusion-tls12';
    const { serverName } = this.#request;
    const maxVersion = isTls12 ? ('TLSv1.2' as const) : undefined;
    const secured = await session.startTls(
      (plain) => handshake({ connection: plain, serverName, maxVersion, ...this.#limits }),
      'NOOP',
    );
    if (!secured.ok) return this.#recordNotSecured(secured.failure);
    this.#evidence.injection = 'unknown';
    const first = await session.ehlo();
    if (isTls12)
      this.#evidence.renegotiation = await renegotiate(session.connection, this.#context.timeoutMs);
    // After an executed NOOP, the reply to NOOP arrives in response to EHLO, and the
    // reply to EHLO in response to QUIT.
    const second = await session.command('QUIT');
    if (second.ok) this.#evidence.injection = second.value.code === 221 ? 'discarded' : 'executed';
    else if (first.ok && first.value.lines.length > 1) this.#evidence.injection = 'discarded';
    session.close();
  }

  /**
   * Sends one ClientHello after STARTTLS and records the answer, without completing the
   * handshake.
   */
  async #sendHello(session: SmtpSession, question: HelloQuestion): Promise<void> {
    const agreed = await session.agreeOnTls();
    if (!agreed.ok) return this.#recordNotSecured(agreed.failure);
    this.#recordAnswer(question, await this.#askHello(session.connection, question));
  }

  #askHello(connection: Connection, question: HelloQuestion): Promise<TlsAnswer> {
    const { serverName } = this.#request;
    return askHello({ connection, question, serverName, ...this.#limits });
  }

  /** Runs a handshake and records its facts if it completes. */
  async #handshake(connection: Connection, kind: Authentication): ReturnType<typeof handshake> {
    const authentication = kind === 'any' ? undefined : kind;
    const { serverName } = this.#request;
    const handshakeResult = await handshake({
      connection,
      serverName,
      authentication,
      ...this.#limits,
    });
    if (handshakeResult.ok)
      this.#evidence.handshake = this.#handshakeEvidence(handshakeResult.facts);
    return handshakeResult;
  }

  #handshakeEvidence(handshakeFacts: HandshakeFacts): HandshakeEvidence {
    const { version, suite, group, serverName, chain } = handshakeFacts;
    return {
      version: version as HandshakeEvidence['version'],
      suite,
      group,
      ...this.#presentedChain(serverName, chain),
    };
  }

  #recordAnswer(question: HelloQuestion, tlsAnswer: TlsAnswer): void {
    const probe = probeEvidence({ question, answer: tlsAnswer });
    if (probe) this.#evidence.probe = probe;
    const certificateChain = tlsAnswer.kind === 'hello' ? tlsAnswer.flight.certificates : undefined;
    if (certificateChain?.length)
      this.#evidence.presented = this.#presentedChain(this.#request.serverName, certificateChain);
  }

  /** Records a reply other than 220 in place of a greeting. */
  #recordNotOpened(failure: OpenFailure): void {
    this.#recordFailure(failure);
    if (failure.greeting) this.#evidence.greeting = failure.greeting;
    this.#recordTranscript(failure);
  }

  /**
   * Records a failed handshake. For a handshake question of the prober, the failure is an
   * answer: the server has no key of that kind.
   */
  #recordHandshakeFailure(failure: Failure): void {
    const { purpose } = this.#request;
    if (
      typeof purpose !== 'string' &&
      purpose.kind === 'handshake' &&
      handshakeFailed(failure.code)
    )
      this.#evidence.probe = { question: purpose, answer: { kind: 'refused' } };
    this.#recordNotSecured(failure);
  }

  /**
   * Records why TLS did not start. RFC 3207 §4: senders that do not require TLS continue
   * in plaintext after any reply but 220, so a refusal has a separate state.
   */
  #recordNotSecured(failure: Failure): void {
    this.#recordFailure(failure);
    if (failure.code !== 'smtp-starttls-refused') return;
    this.#evidence.starttls = 'refused';
    this.#evidence.starttlsReply = {
      code: Number(failure.detail.slice(0, 3)),
      lines: [failure.detail.slice(4)],
    };
  }

  #recordFailure(failure: Failure): void {
    this.#evidence.failure = failureEvidence(failure);
  }

  #recordTranscript({ transcript }: Pick<SmtpSession, 'transcript'>): void {
    this.#evidence.transcript = transcript.slice(0, MAX_TRANSCRIPT);
  }

  #presentedChain(serverName: string, certificateChain: readonly Uint8Array[]): PresentedChain {
    const { trustStore, now } = this.#context;
    return {
      sni: serverName,
      chain: certificateChain.map((derBytes) => Buffer.from(derBytes).toString('base64')),
      pkix: judgeChain(parseChain(certificateChain), trustStore, now),
    };
  }

  get #limits(): Pick<ProbeContext, 'timeoutMs' | 'signal'> {
    const { timeoutMs, signal } = this.#context;
    return { timeoutMs, signal };
  }

  #millisecondsSince(start: number): number {
    return Math.max(0, Math.round(this.#context.clock.monotonic() - start));
  }
}

function purposeName(purpose: ProbePurpose): ConnectionEvidence['purpose'] {
  if (typeof purpose === 'string') return purpose;
  if (purpose.kind === 'hello') return purpose.topic;
  return purpose.kind === 'sender' ? `sender:${purpose.sender}` : purpose.kind;
}

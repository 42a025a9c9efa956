import { neutralise, type Failure } from '../base/index.js';
import type { Connection } from '../net/index.js';
import {
  enforced,
  judgeServer,
  serverFailures,
  type Decision,
  type HostDecision,
  type ServerVerdict,
  type Waiver,
} from '../tls-policy/index.js';
import {
  openSession,
  smtpFailures,
  starttlsOffer,
  type Reply,
  type SmtpSession,
  type SmtpTranscriptLine,
} from '../smtp/index.js';
import { handshake, senderGroups, strictTls, type HandshakeFacts } from '../tls/index.js';
import type { SendContext } from './context.js';

/** One address to try, and the requirement that its session must meet. */
export interface ServerTask {
  readonly host: HostDecision;
  readonly ip: string;
  readonly port: number;
  readonly waiver: Waiver | undefined;
  /** True if the message requests REQUIRETLS. */
  readonly requireTls: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The result of one connection attempt. */
export interface AttemptResult {
  /** The session, ready for MAIL FROM; absent if it must not be used. */
  readonly session?: SmtpSession;
  readonly conn?: Connection;
  readonly facts?: HandshakeFacts;
  readonly verdict?: ServerVerdict;
  /**
   * True if no SMTP session was established, so that the attempt is not reported (RFC
   * 8460 §4.3.4).
   */
  readonly unreachable: boolean;
  readonly cleartext: boolean;
  /** The reason why TLS was not established, even if plaintext is allowed. */
  readonly tlsFailure?: Failure;
  /** The reason why the session must not be used. */
  readonly failure?: Failure;
  readonly greeting?: Reply;
  /** The dialogue. The list grows while the session is in use. */
  readonly transcript: readonly SmtpTranscriptLine[];
  /** The dialogue of an earlier connection to the address, on which TLS failed. */
  readonly earlier?: readonly SmtpTranscriptLine[];
}

type Use = Extract<Decision, { action: 'use' }>;

/**
 * Opens a session with one address, with TLS and authentication as the decision requires,
 * or in plaintext if the decision allows plaintext. The function sends no part of a
 * message, and rejects only with `signal.reason`.
 */
export async function tryServer(
  context: SendContext,
  serverTask: ServerTask,
): Promise<AttemptResult> {
  const decision = enforced(serverTask.host, serverTask.waiver) as Use;
  const first = await attempt(context, serverTask, decision, true);
  // RFC 7672 §2.2: if no policy requires TLS, a failed handshake does not defer the mail.
  // The mail is sent on a second connection, because the first one may be in an undefined
  // state.
  if (
    first.session ||
    !first.tlsFailure ||
    first.failure !== first.tlsFailure ||
    decision.tls === 'mandatory'
  )
    return first;
  const again = await attempt(context, serverTask, decision, false);
  return { ...again, tlsFailure: first.tlsFailure, earlier: first.transcript };
}

async function attempt(
  context: SendContext,
  serverTask: ServerTask,
  decision: Use,
  withTls: boolean,
): Promise<AttemptResult> {
  const { network, timeoutMs, helo, clock } = context;
  const dialOptions = { timeoutMs, signal: serverTask.signal };
  const dialled = await network.dial({
    address: serverTask.ip,
    port: serverTask.port,
    ...dialOptions,
  });
  const nothing = { unreachable: true, cleartext: false };
  if (!dialled.ok) {
    const { code, detail } = dialled.failure;
    return {
      ...nothing,
      failure: { code, detail, blame: code === 'net-local' ? 'local' : 'network', temporary: true },
      transcript: [],
    };
  }
  const { connection } = dialled;
  const opened = await openSession({ connection, helo, clock, ...dialOptions });
  if (!opened.ok) {
    const { greeting, transcript, ...failure } = opened.failure;
    connection.close();
    return { ...nothing, conn: connection, failure, transcript, greeting };
  }
  const session = opened.value;
  const established = {
    conn: connection,
    greeting: session.greeting,
    transcript: session.transcript,
  };
  // After HELO a server offers no extension, so HELO is tried only if no policy requires
  // TLS.
  const hello = await (decision.tls === 'mandatory' ? session.ehlo() : session.greet());
  if (!hello.ok)
    return { ...nothing, ...established, failure: hello.failure, ...(await quit(session)) };
  const offer = starttlsOffer(hello.value.lines);
  if (!withTls) return { ...established, unreachable: false, cleartext: true, session };
  if (offer.status !== 'offered') {
    // Some middleboxes overwrite the keyword STARTTLS instead of removing the line.
    const detail =
      offer.status === 'mangled' ? `mangled as ${neutralise(offer.mangledAs, 80)}` : 'not offered';
    const failure = serverFailures.make('server-no-starttls', detail);
    return withoutTls({ ...established, session }, decision, failure);
  }
  return upgrade(context, serverTask, decision, { ...established, session });
}

type Seen = Pick<AttemptResult, 'conn' | 'greeting' | 'transcript'> & {
  readonly session: SmtpSession;
};

/**
 * Negotiates TLS, verifies the certificate and repeats EHLO. All replies before the
 * handshake are discarded, since an attacker may have forged them (RFC 3207 §4.2).
 */
async function upgrade(
  context: SendContext,
  serverTask: ServerTask,
  decision: Use,
  established: Seen,
): Promise<AttemptResult> {
  const { session } = established;
  const { timeoutMs, trustStore, clock } = context;
  let handshakeFacts: HandshakeFacts | undefined;
  const secured = await session.startTls(async (plain) => {
    const dialOptions = {
      connection: plain,
      serverName: serverTask.host.sni,
      groups: senderGroups(),
      timeoutMs,
      signal: serverTask.signal,
    };
    const negotiated = await handshake(
      decision.tls === 'mandatory' ? { ...dialOptions, ...strictTls } : dialOptions,
    );
    if (negotiated.ok) handshakeFacts = negotiated.facts;
    return negotiated;
  });
  if (!secured.ok) {
    // RFC 3207 §4: after any reply other than 220 the session continues unchanged.
    if (secured.failure.code === 'smtp-starttls-refused')
      return withoutTls(established, decision, secured.failure);
    const { failure } = secured;
    return {
      ...seenOf(established),
      unreachable: false,
      cleartext: false,
      tlsFailure: failure,
      failure,
      ...(await quit(session)),
    };
  }
  const verdict = judgeServer({
    chain: handshakeFacts?.chain ?? [],
    host: serverTask.host,
    anchors: trustStore,
    at: clock.now(),
  });
  const sealed = {
    ...seenOf(established),
    unreachable: false,
    cleartext: false,
    verdict,
    facts: handshakeFacts,
  };
  const unmet = decision.authenticate
    .map((mechanism) => verdict[mechanism])
    .find((judged) => !judged.ok);
  if (unmet?.ok === false) return { ...sealed, failure: unmet.failure, ...(await quit(session)) };
  const again = await session.ehlo();
  if (!again.ok) return { ...sealed, failure: again.failure, ...(await quit(session)) };
  if (serverTask.requireTls && !session.capabilities.has('REQUIRETLS'))
    return {
      ...sealed,
      failure: smtpFailures.make('smtp-requiretls-not-offered'),
      ...(await quit(session)),
    };
  return { ...sealed, session };
}

/**
 * Returns the plaintext session if no policy requires TLS, otherwise the failure (RFC
 * 7672 §2.2) [7672-2.2-1].
 */
async function withoutTls(
  established: Seen,
  decision: Use,
  failure: Failure,
): Promise<AttemptResult> {
  const common = { ...seenOf(established), unreachable: false, tlsFailure: failure };
  if (decision.tls === 'opportunistic')
    return { ...common, cleartext: true, session: established.session };
  return { ...common, cleartext: false, failure, ...(await quit(established.session)) };
}

function seenOf({ session: _session, ...rest }: Seen): Omit<Seen, 'session'> {
  return rest;
}

/**
 * Ends a session that does not meet the requirement with QUIT (RFC 3207 §4.1)
 * [3207-4.1-1].
 */
async function quit(session: SmtpSession): Promise<Pick<AttemptResult, 'transcript'>> {
  await session.quit();
  return { transcript: session.transcript };
}

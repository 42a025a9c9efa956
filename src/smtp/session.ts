import { fail, ok, systemClock, type Clock, type Failure, type Result } from '../base/index.js';
import type { Connection } from '../net/index.js';
import { smtpFailures } from './failures.js';
import { ReplyReader, type Reply } from './reply-reader.js';

/** The connection and identity of a client session. */
export interface SmtpSessionOptions {
  readonly connection: Connection;
  /** The name in EHLO: a host name or an address literal. */
  readonly helo: string;
  /** Milliseconds for each reply. Default 30 000. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** One line of a session transcript. */
export interface SmtpTranscriptLine {
  /** Client, server, or a note by this program. */
  readonly from: 'C' | 'S' | '-';
  readonly text: string;
  /** Milliseconds since the session began. */
  readonly at: number;
}

/** The failure to open a session, with the transcript until then. */
export interface OpenFailure extends Failure {
  readonly greeting?: Reply;
  readonly transcript: readonly SmtpTranscriptLine[];
}

/**
 * Starts TLS on a connection. The caller supplies this function, because this part does
 * not depend on TLS.
 */
export type SecureConnection = (
  connection: Connection,
) => Promise<
  | { readonly ok: true; readonly connection: Connection }
  | { readonly ok: false; readonly failure: Failure }
>;

/**
 * Milliseconds for a reply. RFC 5321 §4.5.3.2 permits minutes; a probe cannot wait so
 * long.
 */
const REPLY_TIMEOUT = 30_000;
/** Milliseconds for the reply to QUIT, which has no further effect. */
const QUIT_TIMEOUT = 2_000;
/** Milliseconds for the reply after the message: ten minutes (RFC 5321 §4.5.3.2.6). */
const BODY_TIMEOUT = 600_000;
/**
 * Maximum lines of a transcript: without a limit, the server would control their number.
 */
const MAX_TRANSCRIPT = 400;

/**
 * Waits for the greeting (RFC 5321 §3.1). 220 opens the session; 4yz is temporary. 521
 * means that the host accepts no mail at all, and any other 5yz refuses this client.
 */
export async function openSession(
  options: SmtpSessionOptions,
): Promise<Result<SmtpSession, OpenFailure>> {
  const session = new SmtpSession(options);
  const greeting = await session.read();
  const failed = (failure: Failure): Result<SmtpSession, OpenFailure> =>
    fail({
      ...failure,
      greeting: greeting.ok ? greeting.value : undefined,
      transcript: session.transcript,
    });
  if (!greeting.ok) return failed(greeting.failure);
  session.greeting = greeting.value;
  if (greeting.value.code === 220) return ok(session);
  if (greeting.value.code < 400)
    return failed(smtpFailures.make('smtp-garbage', textOf(greeting.value)));
  const failure = smtpFailures.make(greetingFailure(greeting.value), textOf(greeting.value));
  await session.quit();
  return failed(failure);
}

/**
 * Returns the failure that a greeting states. [7504-3-1] Only 521 applies to every
 * client; 554 may apply only to this client (RFC 5321 §3.1), as does an enhanced code of
 * the class X.7.z, security and policy (RFC 3463 §3.8).
 */
function greetingFailure({
  code,
  lines,
}: Reply): 'smtp-busy' | 'smtp-refused' | 'smtp-takes-no-mail' {
  if (code < 500) return 'smtp-busy';
  const aboutClient = /^5\.7\.\d/.test(lines[0] ?? '');
  if (code === 521 && !aboutClient) return 'smtp-takes-no-mail';
  return 'smtp-refused';
}

/**
 * A client's side of a session. Sends one command at a time. Every failure is a result,
 * after which the connection is closed.
 */
export class SmtpSession {
  greeting: Reply = { code: 0, lines: [] };
  /**
   * EHLO keywords in upper case with their parameters; empty before EHLO and after
   * STARTTLS (RFC 3207 §4.2: prior knowledge is discarded [3207-4.2-1]).
   */
  capabilities: ReadonlyMap<string, string> = new Map();
  /** The refusal of EHLO in a session that HELO opened. */
  ehloRefusal: Failure | undefined;
  /** True if the connection uses TLS. */
  isEncrypted = false;
  readonly #transcript: SmtpTranscriptLine[] = [];
  readonly #clock: Clock;
  readonly #began: number;
  #connection: Connection;
  #reader = new ReplyReader();
  #ended = false;
  /** The TLS alert that ended the session, as OpenSSL names it. */
  #alert: string | undefined;
  #wake: (() => void) | undefined;

  constructor(private readonly options: SmtpSessionOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#began = this.#clock.monotonic();
    this.#connection = options.connection;
    this.#listen();
  }

  get transcript(): readonly SmtpTranscriptLine[] {
    return this.#transcript;
  }

  /** The connection as it is now: plain, or secured after {@link startTls}. */
  get connection(): Connection {
    return this.#connection;
  }

  /**
   * Sends EHLO, and HELO to a server that refuses EHLO (RFC 5321 §3.2 [5321-3.2-1]). A
   * session with HELO has no extensions and therefore no STARTTLS. The refusal of EHLO is
   * in {@link ehloRefusal}.
   */
  async greet(): Promise<Result<Reply>> {
    const hello = await this.ehlo();
    if (hello.ok || hello.failure.code !== 'smtp-ehlo-refused') return hello;
    const older = await this.command(`HELO ${this.options.helo}`);
    if (!older.ok || older.value.code !== 250) return hello;
    this.ehloRefusal = hello.failure;
    return ok({ code: 250, lines: older.value.lines.slice(0, 1) });
  }

  /** Sends EHLO and reads the capabilities (RFC 5321 §4.1.1.1). */
  async ehlo(): Promise<Result<Reply>> {
    const smtpReply = await this.command(`EHLO ${this.options.helo}`);
    if (!smtpReply.ok) return smtpReply;
    const refusal = refusalOfEhlo(smtpReply.value.code);
    if (refusal) return fail(smtpFailures.make(refusal, textOf(smtpReply.value)));
    this.capabilities = new Map(
      smtpReply.value.lines.slice(1).map((replyLine) => {
        const [keyword = '', ...rest] = replyLine.trim().split(/[\s=]/);
        return [keyword.toUpperCase(), rest.join(' ')];
      }),
    );
    return smtpReply;
  }

  /**
   * Sends one command and waits for its reply; `alongside` is sent in the same packet, to
   * observe the server's reaction.
   */
  async command(commandLine: string, alongside = ''): Promise<Result<Reply>> {
    if (/[\r\n]/.test(commandLine + alongside)) throw new TypeError('a command is one line');
    if (this.#ended) return fail(this.#closed());
    this.note('C', commandLine);
    if (alongside) this.note('C', alongside);
    this.#connection.stream.write(
      alongside ? `${commandLine}\r\n${alongside}\r\n` : `${commandLine}\r\n`,
    );
    return this.read();
  }

  /**
   * Sends a message unchanged, already dot-stuffed and terminated, and waits for the
   * reply (RFC 5321 §4.5.3.2.6: ten minutes by default).
   */
  async body(messageBytes: Uint8Array, timeoutMs = BODY_TIMEOUT): Promise<Result<Reply>> {
    if (this.#ended) return fail(smtpFailures.make('smtp-closed'));
    this.note('C', `(${messageBytes.length} octets of message)`);
    this.#connection.stream.write(messageBytes);
    return this.read(timeoutMs);
  }

  /**
   * Sends only the STARTTLS command (RFC 3207 §4 [3207-4-1]), once per session
   * [3207-4.2-4]. Afterwards the server expects a ClientHello on {@link connection}, and
   * the session no longer reads from it.
   */
  async agreeOnTls(alongside = ''): Promise<Result<Reply>> {
    if (this.isEncrypted) throw new TypeError('TLS is active already');
    const smtpReply = await this.command('STARTTLS', alongside);
    if (!smtpReply.ok) return smtpReply;
    if (smtpReply.value.code !== 220)
      return fail(smtpFailures.make('smtp-starttls-refused', textOf(smtpReply.value)));
    this.#deafen();
    const early = (this.#connection.stream.read() as Buffer | null)?.length ?? 0;
    if (this.#reader.pending > 0 || early > 0) {
      this.close();
      return fail(smtpFailures.make('smtp-injected-plaintext'));
    }
    this.capabilities = new Map();
    return smtpReply;
  }

  /**
   * Starts TLS (RFC 3207). Refuses plaintext that arrived after the 220 reply
   * [3207-4.2-3] and passes the connection to `secure` before anything else is sent
   * [3207-4-2]. Afterwards all earlier knowledge is discarded, so the caller sends EHLO
   * again.
   */
  async startTls(secure: SecureConnection, alongside = ''): Promise<Result<Reply>> {
    const smtpReply = await this.agreeOnTls(alongside);
    if (!smtpReply.ok) return smtpReply;
    const secured = await secure(this.#connection);
    if (!secured.ok) {
      this.note('-', `TLS failed: ${secured.failure.code}`);
      this.close();
      return secured;
    }
    this.isEncrypted = true;
    this.note('-', 'TLS');
    this.#connection = secured.connection;
    this.#reader = new ReplyReader();
    this.#ended = false;
    this.#listen();
    return smtpReply;
  }

  /** Sends QUIT, waits up to two seconds for the reply, and closes. Never fails. */
  async quit(): Promise<void> {
    if (!this.#ended) {
      this.note('C', 'QUIT');
      this.#connection.stream.write('QUIT\r\n');
      await this.read(Math.min(QUIT_TIMEOUT, this.options.timeoutMs ?? QUIT_TIMEOUT));
    }
    this.close();
  }

  close(): void {
    this.#ended = true;
    this.#wake?.();
    this.#connection.stream.end();
    this.#connection.close();
  }

  note(from: SmtpTranscriptLine['from'], text: string): void {
    if (this.#transcript.length < MAX_TRANSCRIPT)
      this.#transcript.push({ from, text, at: Math.round(this.#clock.monotonic() - this.#began) });
  }

  /** Returns the next reply; rejects only with the signal's reason. */
  async read(timeoutMs = this.options.timeoutMs ?? REPLY_TIMEOUT): Promise<Result<Reply>> {
    const deadline = this.#clock.monotonic() + timeoutMs;
    for (;;) {
      const next = this.#reader.next();
      if (next.state === 'reply') {
        next.reply.lines.forEach((replyLine, index) =>
          this.note(
            'S',
            `${next.reply.code}${index < next.reply.lines.length - 1 ? '-' : ' '}${replyLine}`,
          ),
        );
        return ok(next.reply);
      }
      if (next.state !== 'more')
        return this.#broken(
          next.state === 'garbage' ? 'smtp-garbage' : 'smtp-too-long',
          next.detail,
        );
      if (this.#ended) return fail(this.#closed());
      const left = deadline - this.#clock.monotonic();
      if (left <= 0) return this.#broken('smtp-silent', `${timeoutMs} ms`);
      await this.#more(left);
    }
  }

  #closed(): Failure {
    if (this.#alert === undefined) return smtpFailures.make('smtp-closed');
    return smtpFailures.make('smtp-tls-alert', this.#alert);
  }

  #broken(code: 'smtp-garbage' | 'smtp-too-long' | 'smtp-silent', detail: string): Result<Reply> {
    this.close();
    return fail(smtpFailures.make(code, detail));
  }

  /** Resolves when data arrives, the stream ends or the time has passed. */
  #more(milliseconds: number): Promise<void> {
    const { signal: abortSignal } = this.options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done(), milliseconds);
      const done = (): void => {
        clearTimeout(timer);
        abortSignal?.removeEventListener('abort', stop);
        this.#wake = undefined;
        resolve();
      };
      const stop = (): void => {
        clearTimeout(timer);
        this.close();
        reject(abortSignal?.reason as Error);
      };
      if (abortSignal?.aborted) return stop();
      abortSignal?.addEventListener('abort', stop, { once: true });
      this.#wake = done;
    });
  }

  readonly #onData = (messageBytes: Uint8Array): void => {
    this.#reader.push(messageBytes);
    this.#wake?.();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };

  readonly #onError = ({ code = '' }: NodeJS.ErrnoException): void => {
    // In TLS 1.3 a server refuses a missing or unwanted client certificate only after the
    // handshake.
    if (this.isEncrypted && /^ERR_SSL_.*ALERT/.test(code))
      this.#alert ??= code.replace(/^ERR_SSL_(TLSV13|TLSV1|SSLV3)?_?(ALERT_)?/, '').toLowerCase();
    this.#onEnd();
  };

  #listen(): void {
    const { stream } = this.#connection;
    stream
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('close', this.#onEnd)
      .on('error', this.#onError);
  }

  #deafen(): void {
    const { stream } = this.#connection;
    stream
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd)
      .off('error', this.#onError);
    stream.pause();
  }
}

/** The server closes the connection (RFC 5321 §4.2.3). */
const CLOSING = 221;

/**
 * Returns the failure that a reply to EHLO reports; undefined for 250, its only success
 * (RFC 5321 §4.3.2). Any other 2yz reply answers a different command, so all later
 * replies would be read one command too early.
 */
function refusalOfEhlo(
  code: number,
): 'smtp-busy' | 'smtp-garbage' | 'smtp-ehlo-refused' | undefined {
  if (code === 250) return undefined;
  if (isTemporary(code) || code === CLOSING) return 'smtp-busy';
  if (code < 300) return 'smtp-garbage';
  return 'smtp-ehlo-refused';
}

/** Returns whether a reply is temporary: 4yz (RFC 5321 §4.2.1). */
function isTemporary(code: number): boolean {
  return code >= 400 && code < 500;
}

function textOf(reply: Reply): string {
  return `${reply.code} ${reply.lines.join(' / ')}`.slice(0, 300);
}

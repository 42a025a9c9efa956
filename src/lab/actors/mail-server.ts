import { createPrivateKey } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import { readFirstHello } from '../../tls/index.js';
import { respond, type ResponderConfig } from '../tls-responder/index.js';
import { contextsOf, type Contexts, type TlsOptions } from './tls-contexts.js';

/**
 * Behaviours of mail servers, each observed on the Internet.
 *
 * - `busy` refuses connections with 421, `closed` with 554; `takes-no-mail` greets with
 *   521 (RFC 7504). `greylists` answers EHLO with 450; `tarpit` never sends its greeting.
 * - `offers-requiretls` lists REQUIRETLS under TLS (RFC 8689).
 * - `refuses-tls` lists STARTTLS and answers it with 502, `defers-tls` with 454;
 *   `sometimes-tls` lists it on every second connection only. `sometimes-refuses-tls`,
 *   `sometimes-breaks-tls` and `sometimes-refuses-inside` fail on every second one.
 * - `refuses-inside`, `defers-inside`, `closes-inside`, `greets-inside`, `hangs-up-inside`
 *   and `silent-inside` complete the handshake, then answer EHLO with 550, with 451, with
 *   221, with a second greeting, by closing, or never.
 * - `drops-large-hellos` and `resets-large-hellos` are behind a middlebox that drops a
 *   first flight of more than 1,400 octets.
 * - `injectable` executes plaintext commands after the handshake (CVE-2011-0411);
 *   `injects-reply` appends a plaintext reply to its acceptance of STARTTLS.
 * - `silent`, `garbage`, `endless`, `hangs-up*` and `breaks-tls`: broken or hostile
 *   servers.
 */
export type SmtpHabit =
  | 'good'
  | 'offers-requiretls'
  | 'no-starttls'
  | 'refuses-tls'
  | 'defers-tls'
  | 'refuses-inside'
  | 'defers-inside'
  | 'hangs-up-inside'
  | 'silent-inside'
  | 'closes-inside'
  | 'greets-inside'
  | 'sometimes-tls'
  | 'sometimes-refuses-tls'
  | 'sometimes-breaks-tls'
  | 'sometimes-refuses-inside'
  | 'drops-large-hellos'
  | 'resets-large-hellos'
  | 'takes-no-mail'
  | 'busy'
  | 'closed'
  | 'greylists'
  | 'tarpit'
  | 'injectable'
  | 'injects-reply'
  | 'silent'
  | 'garbage'
  | 'endless'
  | 'hangs-up'
  | 'hangs-up-at-ehlo'
  | 'hangs-up-at-starttls'
  | 'breaks-tls';

/** A limit on the connection rate, and the behaviour beyond it. */
export interface ConnectionRule {
  readonly connections: number;
  /** Milliseconds. */
  readonly within: number;
  readonly then: SmtpHabit;
  /** Milliseconds on the clock of the window; default `Date.now`. */
  readonly now?: () => number;
}

/** Identity, certificates and behaviour of a mail server. */
export interface MailServerOptions extends TlsOptions {
  /** Host name in greeting and EHLO. */
  readonly name: string;
  readonly habit?: SmtpHabit;
  /** Starts with TLS, as on port 465 (RFC 8314 §3.3). */
  readonly implicitTls?: boolean;
  /** A connection rate limit, as smtpd_client_connection_rate_limit of Postfix. */
  readonly admits?: ConnectionRule;
  readonly greeting?: string;
  /**
   * Script for hellos without a key share, which only probes send. The script offers
   * protocols that OpenSSL no longer supports.
   */
  readonly scripted?: Omit<ResponderConfig, 'certificates'>;
  /** Receives each accepted message. */
  onMail?(receivedMail: ReceivedMail): void;
  /** Receives each command line. */
  onCommand?(commandLine: string): void;
}

/** A message as the server received it. */
export interface ReceivedMail {
  readonly server: string;
  /** Received under TLS. */
  readonly sealed: boolean;
  readonly from: string;
  /** The parameters after the address in MAIL FROM. */
  readonly parameters: string;
  readonly to: readonly string[];
  readonly data: string;
}

/** Octets. */
const MAX_LINE = 4096;
const MAX_MAIL = 1_000_000;

/** Creates a mail server: a function that serves one connection. */
export function mailServer(options: MailServerOptions): (socket: Socket) => void {
  // Created at the first connection, because certificates are issued on demand.
  let contexts: Contexts | undefined;
  const optionsForNext = options.admits ? connectionRateLimit(options.admits) : inTurn(options);
  return (socket) => {
    contexts ??= contextsOf(options);
    const session = new Session(optionsForNext(options), contexts, socket);
    if (options.implicitTls) session.startImplicitTls();
    else greet(session);
  };
}

/** The habits of the two servers behind one address, by the habit of the address. */
const pairs: Partial<Record<SmtpHabit, readonly [first: SmtpHabit, second: SmtpHabit]>> = {
  'sometimes-tls': ['good', 'no-starttls'],
  'sometimes-refuses-tls': ['refuses-tls', 'good'],
  'sometimes-breaks-tls': ['breaks-tls', 'good'],
  'sometimes-refuses-inside': ['refuses-inside', 'good'],
};

/** Simulates two servers behind one address, which accept connections alternately. */
function inTurn(options: MailServerOptions): () => MailServerOptions {
  const pair = pairs[options.habit ?? 'good'];
  let connections = 0;
  return () => (pair ? { ...options, habit: pair[connections++ % 2] } : options);
}

/** Returns a function that limits the connections in a sliding window. */
function connectionRateLimit({
  connections,
  within,
  then,
  now = Date.now,
}: ConnectionRule): (options: MailServerOptions) => MailServerOptions {
  let recent: number[] = [];
  return (options) => {
    const connectedAt = now();
    recent = recent.filter((earlier) => connectedAt - earlier < within);
    if (recent.length >= connections) return { ...options, habit: then };
    recent.push(connectedAt);
    return options;
  };
}

function greet(session: Session): void {
  const { habit = 'good', name, greeting } = session.options;
  switch (habit) {
    case 'silent':
    case 'tarpit':
      return;
    case 'hangs-up':
      return session.end();
    case 'garbage':
      return session.end(
        Buffer.from([
          0x16, 0x03, 0x01, 0xff, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x0d, 0x0a, 0x80, 0x81, 0x0a,
        ]),
      );
    case 'endless':
      return session.flood();
    case 'busy':
      return session.end(`421 4.7.0 ${name} Too many connections, try again later\r\n`);
    case 'takes-no-mail':
      return session.end(`521 ${name} no mail here\r\n`);
    case 'closed':
      return session.end(`554 5.7.1 ${name} No SMTP service here\r\n`);
    default:
      session.say(greeting ?? `220 ${name} ESMTP`);
      session.listen();
  }
}

/** One connection: plaintext at first, TLS after STARTTLS. */
class Session {
  #stream: Duplex;
  #pending = '';
  #sealed = false;
  #mail: {
    from: string;
    parameters: string;
    to: string[];
    lines: string[] | undefined;
    size: number;
  } = noMail();

  constructor(
    readonly options: MailServerOptions,
    readonly contexts: Contexts,
    private readonly socket: Socket,
  ) {
    this.#stream = socket;
  }

  say(...lines: string[]): void {
    this.#stream.write(lines.map((replyLine) => `${replyLine}\r\n`).join(''));
  }

  end(bytes?: string | Uint8Array): void {
    this.#stream.end(bytes);
    // With unread input, the server would not notice that the client closed the
    // connection.
    this.#stream.resume();
  }

  /** Sends ten megabytes without a line end, as fast as the client reads. */
  flood(): void {
    const piece = Buffer.alloc(65_536, 0x41);
    let remaining = 160;
    const writeMore = (): void => {
      while (remaining-- > 0) if (!this.#stream.write(piece)) return;
    };
    this.#stream.on('drain', writeMore);
    writeMore();
  }

  listen(): void {
    this.#stream.on('data', (bytes: Buffer) => {
      this.#pending += bytes.toString('latin1');
      this.#work();
    });
    this.#stream.on('error', () => undefined);
  }

  #work(): void {
    for (let end = this.#pending.indexOf('\n'); end >= 0; end = this.#pending.indexOf('\n')) {
      const receivedLine = this.#pending.slice(0, end).replace(/\r$/, '');
      this.#pending = this.#pending.slice(end + 1);
      if (this.#mail.lines) this.#take(receivedLine);
      else if (this.#command(receivedLine) === 'sealing') return;
    }
    if (this.#pending.length > MAX_LINE) this.end('500 5.5.2 Line too long\r\n');
  }

  #command(commandLine: string): 'sealing' | undefined {
    this.options.onCommand?.(commandLine);
    const [verb = '', ...rest] = commandLine.split(' ');
    const argument = rest.join(' ');
    const { name, habit: smtpHabit } = this.options;
    switch (verb.toUpperCase()) {
      case 'EHLO':
        if (smtpHabit === 'hangs-up-at-ehlo') this.end();
        else if (this.#sealed && smtpHabit?.endsWith('-inside')) this.#answerInside();
        else if (smtpHabit === 'greylists')
          this.say('450 4.7.1 Greylisted, come back in five minutes');
        else
          this.say(
            ...this.#offers().map(
              (keyword, index, all) => `250${index < all.length - 1 ? '-' : ' '}${keyword}`,
            ),
          );
        return undefined;
      case 'HELO':
        this.say(
          smtpHabit === 'greylists'
            ? '450 4.7.1 Greylisted, come back in five minutes'
            : `250 ${name}`,
        );
        return undefined;
      case 'STARTTLS':
        return this.#startTls();
      case 'MAIL':
        this.#mail = {
          ...noMail(),
          from: address(argument),
          parameters: argument.replace(/^[^>]*> ?/, ''),
        };
        this.say('250 2.1.0 Ok');
        return undefined;
      case 'RCPT':
        this.#mail.to.push(address(argument));
        this.say('250 2.1.5 Ok');
        return undefined;
      case 'DATA':
        this.#mail.lines = [];
        this.say('354 End data with <CR><LF>.<CR><LF>');
        return undefined;
      case 'NOOP':
      case 'RSET':
        this.say('250 2.0.0 Ok');
        return undefined;
      case 'QUIT':
        this.end('221 2.0.0 Bye\r\n');
        return undefined;
      default:
        this.say('502 5.5.2 Command not recognized');
        return undefined;
    }
  }

  #answerInside(): void {
    const { habit, name } = this.options;
    if (habit === 'closes-inside') this.end('221 2.0.0 Closing\r\n');
    else if (habit === 'greets-inside') this.say(`220 ${name} ESMTP`);
    else if (habit === 'refuses-inside') this.say('550 5.7.1 Client host rejected');
    else if (habit === 'defers-inside') this.say('451 4.7.1 Try again later');
    else if (habit === 'hangs-up-inside') this.end();
  }

  #offers(): string[] {
    const { habit, name } = this.options;
    const tls = this.contexts.named && !this.#sealed && habit !== 'no-starttls' ? ['STARTTLS'] : [];
    const keeps = this.#sealed && habit === 'offers-requiretls' ? ['REQUIRETLS'] : [];
    return [name, 'SIZE 10240000', ...tls, ...keeps, 'ENHANCEDSTATUSCODES', '8BITMIME'];
  }

  #startTls(): 'sealing' | undefined {
    const { habit: smtpHabit } = this.options;
    if (!this.contexts.named || this.#sealed || smtpHabit === 'no-starttls') {
      this.say('502 5.5.1 STARTTLS not available');
      return undefined;
    }
    if (smtpHabit === 'refuses-tls' || smtpHabit === 'defers-tls') {
      this.say(
        smtpHabit === 'defers-tls'
          ? '454 4.7.0 Error: too many new TLS sessions'
          : '502 5.5.1 STARTTLS is disabled',
      );
      return undefined;
    }
    if (smtpHabit === 'hangs-up-at-starttls') {
      this.end();
      return 'sealing';
    }
    this.say(
      '220 2.0.0 Ready to start TLS',
      ...(smtpHabit === 'injects-reply' ? ['250-mx.attacker.example', '250 SIZE 1'] : []),
    );
    if (smtpHabit === 'breaks-tls') {
      this.socket.removeAllListeners('data');
      // A fatal alert: handshake_failure.
      this.socket.once('data', () => this.end(Uint8Array.of(21, 3, 3, 0, 2, 2, 40)));
      return 'sealing';
    }
    // RFC 3207 §4.2: plaintext received before the handshake must be discarded. The
    // injectable server executes this plaintext, which is the vulnerability.
    const plaintext = smtpHabit === 'injectable' ? this.#pending : '';
    this.socket.removeAllListeners('data');
    if (this.options.scripted) this.#byHello(this.options.scripted);
    else if (smtpHabit === 'drops-large-hellos' || smtpHabit === 'resets-large-hellos')
      this.#behindMiddlebox();
    else if (this.options.withoutSni === 'refused') this.#demandSni();
    else this.#secure(plaintext);
    return 'sealing';
  }

  /** Forwards the first flight only if it fits into one packet. */
  #behindMiddlebox(): void {
    this.socket.once('data', (flight: Buffer) => {
      this.socket.pause();
      if (flight.length <= 1400) {
        this.socket.unshift(flight);
        this.#secure('');
      } else if (this.options.habit === 'resets-large-hellos') this.socket.resetAndDestroy();
    });
  }

  /** Inspects the hello: the script answers a probe, and OpenSSL answers a client. */
  #byHello(scripted: Omit<ResponderConfig, 'certificates'>): void {
    const certificates = this.options.certificates.map(({ chain, keyPem }) => ({
      chain,
      key: createPrivateKey(keyPem),
    }));
    readFirstHello(this.socket, (hello) => {
      if (hello && hello.keyShares.length > 0) this.#secure('');
      else respond(this.socket, { ...scripted, certificates }).catch(() => this.socket.destroy());
    });
  }

  /** Refuses a hello without SNI, which servers must not do (RFC 8461 §7.1). */
  #demandSni(): void {
    readFirstHello(this.socket, (hello) => {
      if (hello?.serverName !== undefined) this.#secure('');
      // A fatal alert: unrecognized_name (RFC 6066 §3).
      else this.end(Uint8Array.of(21, 3, 3, 0, 2, 2, 112));
    });
  }

  /** Starts implicit TLS: the handshake precedes the greeting. */
  startImplicitTls(): void {
    this.#secure('').once('secure', () => this.say(`220 ${this.options.name} ESMTP`));
  }

  #secure(plaintext: string): TLSSocket {
    const { named, fallback } = this.contexts;
    const secured = new TLSSocket(this.socket, {
      isServer: true,
      secureContext: fallback,
      // With a callback, Node 24 uses one certificate of the context only.
      SNICallback: named === fallback ? undefined : (_name, use) => use(null, named),
    });
    secured.on('error', () => this.socket.destroy());
    this.#stream = secured;
    this.#sealed = true;
    this.#pending = '';
    this.listen();
    secured.once('secure', () => {
      this.#pending = plaintext + this.#pending;
      if (plaintext) this.#work();
    });
    return secured;
  }

  #take(messageLine: string): void {
    const { lines, from, to, parameters } = this.#mail;
    if (!lines) return;
    if (messageLine !== '.') {
      this.#mail.size += messageLine.length;
      if (this.#mail.size > MAX_MAIL) return this.end('552 5.3.4 Message too big\r\n');
      lines.push(messageLine.startsWith('.') ? messageLine.slice(1) : messageLine);
      return;
    }
    this.#mail.lines = undefined;
    this.options.onMail?.({
      server: this.options.name,
      sealed: this.#sealed,
      from,
      parameters,
      to,
      data: lines.join('\r\n'),
    });
    this.say('250 2.0.0 Ok: queued');
  }
}

function noMail(): {
  from: string;
  parameters: string;
  to: string[];
  lines: string[] | undefined;
  size: number;
} {
  return { from: '', parameters: '', to: [], lines: undefined, size: 0 };
}

function address(argument: string): string {
  return /<([^>]*)>/.exec(argument)?.[1] ?? '';
}

import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Connection } from '../../net/index.js';
import { parseCommand, type Command, type Parameters } from './parse-command.js';
import { SmtpInput } from './smtp-input.js';

/**
 * A reply of one line. `text` starts with the enhanced status code if there is one.
 */
export interface ServerReply {
  readonly code: number;
  readonly text: string;
}

/** One message with its envelope. */
export interface IncomingMail {
  readonly peer: string;
  readonly from: string;
  readonly recipients: readonly string[];
  /**
   * Octets of the message, without the dots of the transfer. Throws when the client
   * disconnects early.
   */
  readonly data: AsyncIterable<Uint8Array>;
}

/** Limits in milliseconds and counts; a session that exceeds one ends with 421. */
export interface SessionLimits {
  /**
   * The time from a reply to the end of the next command, even if its octets arrive
   * slowly.
   */
  readonly commandMs: number;
  /** The time limit for a session without an accepted message. */
  readonly fruitlessMs: number;
  readonly sessionMs: number;
  /** The time limit for the transfer of one message. */
  readonly messageMs: number;
  /**
   * The duration of a transfer before `minOctetsPerSecond` applies to its average rate.
   */
  readonly transferGraceMs: number;
  readonly minOctetsPerSecond: number;
  /** The time until the connection of an ended session is closed. */
  readonly closeMs: number;
  /** Maximum commands without effect, and refusals, since the last accepted message. */
  readonly fruitlessCommands: number;
}

/**
 * RFC 5321 §4.5.3.2 recommends five minutes for a command. Sixty seconds are enough for a
 * client that has mail to send, and limit the time for which an attacker occupies a
 * connection.
 */
export const sessionLimits: SessionLimits = {
  commandMs: 60_000,
  fruitlessMs: 120_000,
  sessionMs: 1_800_000,
  messageMs: 600_000,
  transferGraceMs: 30_000,
  minOctetsPerSecond: 1024,
  closeMs: 5000,
  fruitlessCommands: 100,
};

/**
 * Name, limits and decisions of the server; a decision is a reply, or undefined to
 * accept.
 */
export interface ServerSessionOptions {
  /** Name in the greeting and in EHLO. */
  readonly name: string;
  /** Maximum octets of one message, as announced by SIZE. */
  readonly maxMail: number;
  /** Offers STARTTLS. */
  readonly secureContext?: SecureContext | undefined;
  readonly limits: SessionLimits;
  /** Returns the milliseconds of a monotonic clock. */
  monotonic(): number;
  /** Returns a reply that refuses the client; undefined accepts it. */
  onConnect(peer: string): ServerReply | undefined;
  /** Returns a reply that refuses MAIL FROM; undefined accepts it. */
  onSender(peer: string): ServerReply | undefined;
  /** Returns a reply that refuses RCPT TO for this address; undefined accepts it. */
  onRecipient(address: string): ServerReply | undefined;
  /**
   * Consumes `data` and answers the message. A code below 300 accepts the message. Never
   * rejects.
   */
  onMail(incomingMail: IncomingMail): Promise<ServerReply>;
}

/** The envelope of the current transaction (RFC 5321 §2.3.1). */
interface Envelope {
  readonly from: string;
  readonly recipients: Set<string>;
}

/** Maximum recipients of one message (RFC 5321 §4.5.3.1.8 requires room for 100). */
const MAX_RECIPIENTS = 100;
const OK: ServerReply = { code: 250, text: '2.0.0 Ok' };
const NO_SEQUENCE: ServerReply = { code: 503, text: '5.5.1 Bad sequence of commands' };
const GIVES_WAY: ServerReply = { code: 421, text: '4.3.2 Too many connections, try again later' };
const TIMEOUT: ServerReply = { code: 421, text: '4.4.2 Timeout, closing the connection' };

/** One SMTP session as the server (RFC 5321): no AUTH, no relaying. */
export class ServerSession {
  #stream: Duplex;
  #input: SmtpInput;
  #greeted: 'HELO' | 'EHLO' | undefined;
  #envelope: Envelope | undefined;
  #fruitless = 0;
  readonly #startedAt: number;
  #acceptedAt: number;
  /**
   * The time since which the server waits for a command; undefined while the client waits
   * for a reply.
   */
  #waitingSince: number | undefined;
  #transfer: { readonly since: number; readonly octets: number } | undefined;
  #endedAt: number | undefined;
  #handshaking = false;

  constructor(
    private readonly conn: Connection,
    private readonly options: ServerSessionOptions,
  ) {
    this.#stream = conn.stream;
    this.#input = new SmtpInput(this.#stream);
    this.#startedAt = this.#acceptedAt = options.monotonic();
    this.#stream.on('error', () => this.conn.close());
  }

  /** Serves the client until the connection ends. Never rejects. */
  async run(): Promise<void> {
    const refusal = this.options.onConnect(this.conn.remote.address);
    if (refusal) this.end(refusal);
    else await this.#say({ code: 220, text: `${this.options.name} ESMTP` });
    try {
      while (this.#endedAt === undefined) await this.#serveLine();
    } catch {
      this.conn.close();
    }
  }

  /** True between MAIL and the reply to the message. */
  get hasMail(): boolean {
    return this.#envelope !== undefined;
  }

  /**
   * Sends a last reply and closes. Later input is discarded for a moment, because unread
   * input could cause a reset before the client reads the reply.
   */
  end(serverReply: ServerReply): void {
    if (this.#endedAt !== undefined) return;
    this.#endedAt = this.options.monotonic();
    this.#input.stop();
    // Within a handshake the client would parse a reply as a TLS record.
    if (this.#handshaking) return this.conn.close();
    this.#stream.end(`${serverReply.code} ${serverReply.text}\r\n`);
    this.#stream.resume();
  }

  /**
   * Ends the session to make room for another client: the connection closes as soon as
   * the reply is written.
   */
  giveWay(): void {
    if (this.#endedAt !== undefined || this.#handshaking) return this.close();
    this.#stream.once('finish', () => this.conn.close());
    this.end(GIVES_WAY);
  }

  close(): void {
    this.#endedAt ??= this.options.monotonic();
    this.conn.close();
  }

  /** Ends the session when one of its time limits expires. */
  checkTime(): void {
    const { limits } = this.options;
    const now = this.options.monotonic();
    if (this.#endedAt !== undefined) {
      if (now - this.#endedAt > limits.closeMs) this.conn.close();
      return;
    }
    if (this.#transfer) {
      if (this.#transferIsLate(now)) this.end(TIMEOUT);
      return;
    }
    if (this.#waitingSince === undefined) return;
    const late =
      now - this.#waitingSince > limits.commandMs ||
      now - this.#acceptedAt > limits.fruitlessMs ||
      now - this.#startedAt > limits.sessionMs;
    if (late) this.end(TIMEOUT);
  }

  #transferIsLate(now: number): boolean {
    const { transferGraceMs, minOctetsPerSecond, messageMs } = this.options.limits;
    const { since, octets } = this.#transfer ?? { since: now, octets: 0 };
    const spent = now - since;
    const received = this.#input.octets - octets;
    const due = transferGraceMs + (received / minOctetsPerSecond) * 1000;
    return spent > messageMs || spent > due;
  }

  async #serveLine(): Promise<void> {
    this.#waitingSince = this.options.monotonic();
    const inputLine = await this.#input.line();
    this.#waitingSince = undefined;
    if (this.#endedAt !== undefined) return;
    switch (inputLine.kind) {
      case 'end':
        return this.close();
      case 'bare-lf':
        // SMTP smuggling: the rest may be an injected message, so it is not read.
        return this.end({ code: 500, text: '5.5.2 Bare LF: lines end with CR LF' });
      case 'too-long':
        return this.#answer({ code: 500, text: '5.5.2 Line too long' });
      case 'line':
        return this.#perform(parseCommand(inputLine.text));
    }
  }

  async #perform(command: Command): Promise<void> {
    switch (command.verb) {
      case 'HELO':
      case 'EHLO':
        return this.#greet(command.verb);
      case 'MAIL':
        return this.#answer(this.#sender(command.address, command.parameters));
      case 'RCPT':
        return this.#answer(this.#recipient(command.address, command.parameters));
      case 'DATA':
        return this.#receive();
      case 'STARTTLS':
        return this.#startTls();
      case 'RSET':
        this.#envelope = undefined;
        return this.#answer(OK);
      case 'QUIT':
        return this.end({ code: 221, text: '2.0.0 Bye' });
      default:
        return this.#answerOther(command);
    }
  }

  async #answerOther(command: Command): Promise<void> {
    switch (command.verb) {
      case 'NOOP':
        return this.#answer(OK);
      case 'HELP':
        return this.#answer({ code: 214, text: '2.0.0 RFC 5321; accepts TLS reports (RFC 8460)' });
      case 'VRFY':
        return this.#answer({ code: 252, text: '2.5.0 Send a message to find out' });
      case 'http':
        return this.end({ code: 421, text: '4.7.0 This is a mail server' });
      case 'not-offered':
        return this.#answer({ code: 502, text: '5.5.1 Command not offered' });
      case 'invalid':
        return this.#answer({ code: 501, text: `5.5.4 ${command.why}` });
      default:
        return this.#answer({ code: 500, text: '5.5.2 Command not recognized' });
    }
  }

  async #greet(verb: 'HELO' | 'EHLO'): Promise<void> {
    const { name, maxMail } = this.options;
    this.#greeted = verb;
    this.#envelope = undefined;
    if (verb === 'HELO') return this.#answer({ code: 250, text: name });
    const lines = [
      name,
      'PIPELINING',
      `SIZE ${maxMail}`,
      ...(this.#offersTls ? ['STARTTLS'] : []),
      '8BITMIME',
      'ENHANCEDSTATUSCODES',
    ];
    const [last = '', ...others] = lines.reverse();
    const multiline = others.reverse().map((replyLine) => `250-${replyLine}\r\n`);
    await this.#count({ code: 250, text: last }, multiline.join(''));
  }

  get #offersTls(): boolean {
    return this.options.secureContext !== undefined && !(this.#stream instanceof TLSSocket);
  }

  #sender(address: string, parameters: Parameters): ServerReply {
    if (!this.#greeted || this.#envelope) return NO_SEQUENCE;
    const refusal =
      invalidAddress(address) ??
      this.#invalidParameters(parameters) ??
      this.options.onSender(this.conn.remote.address);
    if (refusal) return refusal;
    this.#envelope = { from: address, recipients: new Set() };
    return { code: 250, text: '2.1.0 Ok' };
  }

  #invalidParameters(parameters: Parameters): ServerReply | undefined {
    for (const [key, value] of parameters) {
      // Accepts only parameters that EHLO announced (RFC 5321 §4.1.1.11).
      if (this.#greeted !== 'EHLO') return notRecognized(key);
      if (key === 'SIZE') {
        if (!/^\d{1,20}$/.test(value)) return { code: 501, text: '5.5.4 SIZE needs a number' };
        if (Number(value) > this.options.maxMail)
          return { code: 552, text: '5.3.4 The message is too large' };
      } else if (key !== 'BODY' || !/^(?:7BIT|8BITMIME)$/i.test(value)) return notRecognized(key);
    }
    return undefined;
  }

  #recipient(address: string, parameters: Parameters): ServerReply {
    if (!this.#envelope) return NO_SEQUENCE;
    const [parameter] = parameters.keys();
    const refusal =
      invalidAddress(address) ??
      (parameter === undefined ? undefined : notRecognized(parameter)) ??
      this.options.onRecipient(address);
    if (refusal) return refusal;
    const { recipients } = this.#envelope;
    if (recipients.size >= MAX_RECIPIENTS) return { code: 452, text: '4.5.3 Too many recipients' };
    recipients.add(address);
    return { code: 250, text: '2.1.5 Ok' };
  }

  async #receive(): Promise<void> {
    if (!this.#envelope) return this.#answer(NO_SEQUENCE);
    const { from, recipients } = this.#envelope;
    if (recipients.size === 0)
      return this.#answer({ code: 554, text: '5.5.1 No valid recipients' });
    await this.#say({ code: 354, text: 'End data with <CR><LF>.<CR><LF>' });
    const { address: peer } = this.conn.remote;
    const mail = { peer, from, recipients: [...recipients], data: this.#message() };
    const serverReply = await this.options.onMail(mail);
    this.#envelope = undefined;
    // The unread rest of a message must not be parsed as commands.
    if (this.#transfer) return this.end(serverReply);
    if (serverReply.code >= 300) return this.#answer(serverReply);
    this.#fruitless = 0;
    this.#acceptedAt = this.options.monotonic();
    await this.#say(serverReply);
  }

  /**
   * Returns the octets of one message. Aborts if the message is far larger than the
   * announced size.
   */
  async *#message(): AsyncGenerator<Uint8Array> {
    this.#transfer = { since: this.options.monotonic(), octets: this.#input.octets };
    let left = 2 * this.options.maxMail;
    for await (const data of this.#input.message()) {
      left -= data.length;
      if (left < 0) {
        this.end({ code: 552, text: '5.3.4 The message is too large' });
        throw new Error('the message is far too large');
      }
      yield data;
    }
    this.#transfer = undefined;
  }

  async #startTls(): Promise<void> {
    const { secureContext } = this.options;
    if (!secureContext) return this.#answer({ code: 502, text: '5.5.1 Command not offered' });
    if (!this.#offersTls || this.#envelope) return this.#answer(NO_SEQUENCE);
    await this.#say({ code: 220, text: '2.0.0 Ready to start TLS' });
    // RFC 3207 §4.2: all knowledge from before TLS is discarded, including commands sent
    // together with STARTTLS.
    const secured = new TLSSocket(this.#stream, { isServer: true, secureContext });
    this.#handshaking = true;
    secured.once('secure', () => (this.#handshaking = false));
    secured.on('error', () => this.conn.close());
    this.#stream = secured;
    this.#input = new SmtpInput(secured);
    this.#greeted = undefined;
  }

  /** Answers a command, or ends a session with too many commands without effect. */
  async #answer(serverReply: ServerReply): Promise<void> {
    await this.#count(serverReply, '');
  }

  async #count(serverReply: ServerReply, before: string): Promise<void> {
    this.#fruitless++;
    if (this.#fruitless > this.options.limits.fruitlessCommands)
      return this.end({ code: 421, text: '4.7.0 Too many commands without a message' });
    await this.#say(serverReply, before);
  }

  /** Writes a reply, and waits until the client reads. */
  async #say({ code, text }: ServerReply, before = ''): Promise<void> {
    const stream = this.#stream;
    if (this.#endedAt !== undefined || stream.destroyed) return;
    this.#waitingSince = this.options.monotonic();
    if (!stream.write(`${before}${code} ${text}\r\n`))
      await new Promise<void>((resolve) => {
        stream.once('drain', resolve).once('close', resolve);
      });
    this.#waitingSince = undefined;
  }
}

function invalidAddress(address: string): ServerReply | undefined {
  // RFC 6531 §3.5: without SMTPUTF8 an address is ASCII.
  if (/[^\x20-\x7e]/.test(address))
    return { code: 553, text: '5.6.7 Only ASCII addresses are accepted' };
  return undefined;
}

function notRecognized(key: string): ServerReply {
  return { code: 555, text: `5.5.4 ${key.slice(0, 40)} is not offered` };
}

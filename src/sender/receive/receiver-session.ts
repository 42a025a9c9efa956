import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Connection } from '../../net/index.js';
import { parseCommand, SmtpInput, type Command } from '../../smtp/index.js';
import { readFirstHello, type ReceivedHello } from '../../tls/index.js';
import type { CaseNames } from '../cases/case-names.js';
import type { CaseHost } from '../cases/sender-case.js';
import { cutText } from '../observation.js';
import type { CasePlace, Recorder, UnplacedObservation } from './recorder.js';
import { SigningDomains } from './signing-domains.js';

/** Limits of one connection; a connection beyond a limit gets 421 or is closed. */
export interface ReceiverLimits {
  /** Milliseconds between two commands, and for a handshake. */
  readonly commandMs: number;
  readonly sessionMs: number;
  /** Maximum octets of one message. */
  readonly maxData: number;
  readonly recipients: number;
  readonly commands: number;
}

/** The case of a connection, with its names and its host. */
export interface PlayedCase {
  readonly place: CasePlace;
  readonly names: CaseNames;
  readonly host: CaseHost;
}

/**
 * The decision about a name that the client mentions: the case to show from now on.
 * `turn`: the connection has shown another behaviour already, and the next connection
 * shows the named case. Undefined: no test runs under this name.
 */
export type NamedPlay = PlayedCase | 'turn' | undefined;

/** Finds the case of a connection whose address does not identify it. */
export interface PlaySelection {
  byServerName(serverName: string, played: PlayedCase): NamedPlay;
  /**
   * Finds the case by the domain of a recipient. `secured`: the client has seen the
   * certificate of the shown case.
   */
  byRecipient(domain: string, played: PlayedCase, secured: boolean): NamedPlay;
  /** The text after 550 for a recipient that belongs to no test. */
  readonly refusal: string;
}

export interface ReceiverSessionOptions {
  /** The case, or the first candidate if the receiver has yet to select one. */
  readonly played: PlayedCase;
  readonly selection?: PlaySelection | undefined;
  readonly recorder: Recorder;
  readonly limits: ReceiverLimits;
  contextFor(place: CasePlace, serverName: string | undefined): SecureContext;
  /**
   * Returns the group of every handshake with the host of a case, if its settings permit
   * only one group: Node.js does not report the group of a session to a server.
   */
  onlyGroup(place: CasePlace): string | undefined;
}

/** An observation without its connection. */
type SeenHere<T = UnplacedObservation> = T extends { connection: string }
  ? Omit<T, 'connection' | 'source'>
  : never;

/** Maximum size of a ClientHello that fits into one Ethernet packet, in octets. */
const ONE_PACKET = 1400;
/** Code point of the hybrid group (RFC 10024). */
const X25519MLKEM768 = 0x11ec;
/** Fatal alerts: handshake_failure and unrecognized_name (RFC 9846 §6). */
const HANDSHAKE_FAILURE = Uint8Array.of(21, 3, 3, 0, 2, 2, 40);
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

/**
 * One connection to the mail host of a case. The session implements every command of RFC
 * 5321 [5321-4.5.1-1], and rejects commands out of order with 503 [5321-4.1.4-1].
 * STARTTLS follows RFC 3207: it is never required [3207-4-3], not listed again under TLS
 * [3207-4.2-6], and it discards the earlier state of the client [3207-4.2-7].
 */
export class ReceiverSession {
  #stream: Duplex;
  #input: SmtpInput;
  #played: PlayedCase;
  readonly #id: string;
  readonly #message: 1 | 2 | undefined;
  #secured = false;
  #greeted = false;
  #recipients: number | undefined;
  #commands = 0;
  #accepted = false;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly options: ReceiverSessionOptions,
  ) {
    this.#stream = connection.stream;
    this.#input = new SmtpInput(this.#stream);
    this.#played = options.played;
    this.#id = options.recorder.nextConnection();
    this.#message = options.recorder.messageOf(options.played.place);
    this.#stream.on('error', () => this.#end(undefined));
  }

  /**
   * Serves the client until the connection ends, and resolves to whether a message was
   * accepted. Never rejects.
   */
  async run(): Promise<boolean> {
    this.#record({ kind: 'connection', to: this.connection.local.address });
    const whole = setTimeout(() => this.#end('receiver'), this.options.limits.sessionMs).unref();
    try {
      this.#say(`220 ${this.#played.names.mxHost} ESMTP`);
      while (!this.#ended) await this.#serveLine();
    } catch {
      this.#end(undefined);
    } finally {
      clearTimeout(whole);
      clearTimeout(this.#timer);
    }
    return this.#accepted;
  }

  /** Returns the case that was finally shown. */
  get place(): CasePlace {
    return this.#played.place;
  }

  async #serveLine(): Promise<void> {
    this.#awaitClient();
    const line = await this.#input.line();
    if (line.kind === 'end') return this.#end(undefined);
    if (line.kind !== 'line')
      return this.#say('500 5.5.2 End each line in CR LF after at most 2048 octets');
    if (++this.#commands > this.options.limits.commands) {
      this.#say('421 4.7.0 Too many commands');
      return this.#end('receiver');
    }
    await this.#perform(parseCommand(line.text));
  }

  /** Starts the time limit of the next command. */
  #awaitClient(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end('receiver'), this.options.limits.commandMs).unref();
  }

  async #perform(command: Command): Promise<void> {
    switch (command.verb) {
      case 'EHLO':
      case 'HELO':
        return this.#greet(command.verb, command.name);
      case 'STARTTLS':
        return this.#startTls();
      case 'MAIL':
        return this.#mail(command.address, [...command.parameters.keys()]);
      case 'RCPT':
        return this.#rcpt(command.address);
      case 'DATA':
        return this.#data();
      case 'RSET':
        this.#recipients = undefined;
        return this.#say('250 2.0.0 Ok');
      case 'NOOP':
        return this.#say('250 2.0.0 Ok');
      case 'VRFY':
        // [5321-3.5.3-1]
        return this.#say('252 2.5.0 Send a message to find out');
      case 'QUIT':
        this.#say('221 2.0.0 Bye');
        return this.#end('quit');
      default:
        return this.#say('502 5.5.1 Command not offered');
    }
  }

  #greet(verb: 'EHLO' | 'HELO', name: string): void {
    this.#greeted = true;
    this.#recipients = undefined;
    this.#record({ kind: 'ehlo', secured: this.#secured, verb, name: cutText(name), reply: 250 });
    const { mxHost } = this.#played.names;
    if (verb === 'HELO') return this.#say(`250 ${mxHost}`);
    const { starttls = 'offered', requiretls = false } = this.#played.host;
    const keywords = [
      mxHost,
      'PIPELINING',
      `SIZE ${this.options.limits.maxData}`,
      ...(starttls === 'absent' || this.#secured ? [] : ['STARTTLS']),
      ...(requiretls && this.#secured ? ['REQUIRETLS'] : []),
      'ENHANCEDSTATUSCODES',
      '8BITMIME',
    ];
    const last = keywords.length - 1;
    this.#say(...keywords.map((keyword, index) => `250${index < last ? '-' : ' '}${keyword}`));
  }

  #mail(address: string, keywords: readonly string[]): void {
    const { requiretls = false } = this.#played.host;
    // [8689-2-1]
    const offered = !keywords.includes('REQUIRETLS') || (requiretls && this.#secured);
    let reply: readonly [number, string] = [250, '2.1.0 Ok'];
    if (!this.#greeted || this.#recipients !== undefined) reply = [503, '5.5.1 Bad sequence'];
    else if (!offered) reply = [555, '5.5.4 REQUIRETLS is not offered'];
    else this.#recipients = 0;
    this.#record({
      kind: 'mail',
      secured: this.#secured,
      fromDomain: cutText(domainOf(address)),
      parameters: keywords.slice(0, 32).map(cutText),
      reply: reply[0],
    });
    this.#say(reply.join(' '));
  }

  #rcpt(address: string): void {
    const domain = domainOf(address);
    const reply = this.#replyToRecipient(domain);
    if (reply[0] === 250) this.#recipients = (this.#recipients ?? 0) + 1;
    this.#record({
      kind: 'rcpt',
      secured: this.#secured,
      domain: cutText(domain),
      reply: reply[0],
    });
    this.#say(reply.join(' '));
  }

  #replyToRecipient(domain: string): readonly [number, string] {
    const { selection, limits } = this.options;
    if (this.#recipients === undefined) return [503, '5.5.1 Bad sequence'];
    // [5321-4.5.3.1.10-2]
    if (this.#recipients >= limits.recipients) return [452, '4.5.3 Too many recipients'];
    const named = selection?.byRecipient(domain, this.#played, this.#secured);
    if (named === 'turn') return [451, '4.7.1 This case follows at your next attempt'];
    if (selection && !named) return [550, `5.7.1 ${selection.refusal}`];
    if (named) this.#played = named;
    const { names } = this.#played;
    if (domain.toLowerCase() === names.domain.toLowerCase()) return [250, '2.1.5 Ok'];
    return [550, `5.7.1 This host accepts mail for ${names.domain} only, and relays nothing`];
  }

  async #data(): Promise<void> {
    if (!this.#recipients) return this.#say('503 5.5.1 No valid recipients');
    this.#say('354 End data with <CR><LF>.<CR><LF>');
    let octets = 0;
    const signing = new SigningDomains();
    for await (const chunk of this.#input.message()) {
      octets += chunk.length;
      signing.add(chunk);
      this.#awaitClient();
      if (octets <= this.options.limits.maxData) continue;
      this.#record({ kind: 'data', secured: this.#secured, octets, reply: 552 });
      this.#say('552 5.3.4 The message is too large');
      return this.#end('receiver');
    }
    this.#accepted = true;
    this.#recipients = undefined;
    const found = signing.end();
    const signedBy = found.length === 0 ? undefined : found.map(cutText);
    this.#record({ kind: 'data', secured: this.#secured, octets, signedBy, reply: 250 });
    this.#say('250 2.0.0 Received and counted; the content is not stored');
  }

  async #startTls(): Promise<void> {
    const { starttls = 'offered' } = this.#played.host;
    if (this.#secured || starttls === 'absent') {
      this.#record({ kind: 'starttls', reply: 502 });
      return this.#say('502 5.5.1 STARTTLS is not offered');
    }
    const reply = starttls === 'deferred' ? 454 : 220;
    this.#record({ kind: 'starttls', reply });
    if (reply === 454) return this.#say('454 4.7.0 TLS is not available now');
    this.#say('220 2.0.0 Ready to start TLS');
    const { hello, octets } = await this.#clientHello();
    if (this.#ended) return;
    if (hello) this.#recordHello(hello, octets);
    await this.#answerHello(hello, octets);
  }

  #clientHello(): Promise<{ hello: ReceivedHello | undefined; octets: number }> {
    this.#awaitClient();
    return new Promise((resolve) => {
      this.#stream.once('close', () => resolve({ hello: undefined, octets: 0 }));
      this.#stream.once('close', () => this.#end(undefined));
      readFirstHello(this.#stream, (hello, octets) => resolve({ hello, octets }));
    });
  }

  async #answerHello(hello: ReceivedHello | undefined, octets: number): Promise<void> {
    const { serverName } = hello ?? {};
    if (serverName !== undefined) {
      const named = this.options.selection?.byServerName(serverName, this.#played);
      if (named === 'turn') return this.#breakOff(UNRECOGNIZED_NAME);
      if (named) this.#played = named;
    }
    const { starttls, dropsLargeHello, withoutSni, requiresHybrid } = this.#played.host;
    if (starttls === 'broken') return this.#breakOff(HANDSHAKE_FAILURE);
    if (withoutSni === 'refused' && serverName === undefined)
      return this.#breakOff(UNRECOGNIZED_NAME);
    if (requiresHybrid && !hello?.groups.includes(X25519MLKEM768))
      return this.#breakOff(HANDSHAKE_FAILURE);
    if (dropsLargeHello && octets > ONE_PACKET) {
      // The simulated middlebox sends no answer, so the client or the time limit ends the
      // connection.
      this.#stream.resume();
      await new Promise<void>((resolve) => this.#stream.once('close', resolve));
      return;
    }
    await this.#secure(serverName);
  }

  /** Ends the handshake with a fatal alert of the receiver. */
  #breakOff(alert: Uint8Array): void {
    this.#stream.resume();
    this.#stream.write(alert);
    this.#end('receiver');
  }

  async #secure(serverName: string | undefined): Promise<void> {
    const secured = new TLSSocket(this.#stream, {
      isServer: true,
      secureContext: this.options.contextFor(this.#played.place, serverName),
      requestCert: this.#played.host.asksClientCertificate === true,
      rejectUnauthorized: false,
    });
    const failed = (error: NodeJS.ErrnoException): void => this.#tlsFailed(error);
    secured.on('error', failed);
    await new Promise<void>((resolve) => {
      secured.once('secure', resolve).once('close', resolve).once('error', resolve);
    });
    if (this.#ended) return;
    // RFC 3207 §4.2: the server forgets all input before TLS, EHLO included.
    this.#stream = secured;
    this.#input = new SmtpInput(secured);
    this.#secured = true;
    this.#greeted = false;
    this.#record({
      kind: 'handshake',
      version: secured.getProtocol() ?? 'unknown',
      suite: secured.getCipher().standardName,
      group: this.options.onlyGroup(this.#played.place),
      clientCertificate: subjectOf(secured),
    });
  }

  /** Distinguishes an alert of the client, a reset, and a refusal by the receiver. */
  #tlsFailed({ code = '' }: NodeJS.ErrnoException): void {
    const alert = /ALERT_([A-Z_]+)$/.exec(code)?.[1]?.toLowerCase();
    if (alert !== undefined && !this.#ended) this.#record({ kind: 'alert', description: alert });
    const ours = alert === undefined && code.startsWith('ERR_SSL_');
    this.#end(ours ? 'receiver' : undefined);
  }

  #recordHello(hello: ReceivedHello, octets: number): void {
    const list = (values: readonly number[]): number[] => values.slice(0, 256);
    this.#record({
      kind: 'hello',
      maxVersion: hello.maxVersion,
      versions: list(hello.versions),
      suites: list(hello.suites),
      groups: list(hello.groups),
      signatureSchemes: list(hello.signatureSchemes),
      serverName: hello.serverName === undefined ? undefined : cutText(hello.serverName),
      alpn: hello.alpn.slice(0, 16).map(cutText),
      octets,
    });
  }

  #record(seen: SeenHere): void {
    const { recorder } = this.options;
    const { place } = this.#played;
    const source = this.connection.remote.address;
    recorder.record(place, { ...seen, source, connection: this.#id }, this.#message);
  }

  #say(...lines: string[]): void {
    if (this.#ended || this.#stream.destroyed) return;
    this.#stream.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /** Ends the session once, and records the party that ended it. */
  #end(by: 'quit' | 'receiver' | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#record({ kind: 'close', by: by ?? 'sender' });
    this.#input.stop();
    const { stream } = this.connection;
    if (by === undefined) return this.connection.close();
    this.#stream.end();
    setTimeout(() => this.connection.close(), 1000).unref();
    stream.resume();
  }
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** Returns the subject of the certificate of the client, if it presented one. */
function subjectOf(secured: TLSSocket): string | undefined {
  const subject = secured.getPeerX509Certificate()?.subject;
  return subject === undefined ? undefined : cutText(subject);
}

import { MalformedTls } from './byte-reader.js';
import { ProtocolVersion } from './client-hello.js';
import { readCertificateMessage, readServerHello, readServerKeyExchange } from './read-messages.js';
import type { ServerFlight } from './server-flight.js';

/**
 * `more`: incomplete; `complete`: the rest of the flight is encrypted; `alert`: the
 * server refused; `broken`: not TLS, or beyond a limit.
 */
export type FlightState = 'more' | 'complete' | 'alert' | 'broken';

/**
 * Maximum octets of a record: 2^14 and the expansion that TLS 1.2 permits
 * (RFC 5246 §6.2.3).
 */
const MAX_RECORD = 16384 + 2048;
/** Maximum octets of one handshake message. A certificate chain is the largest. */
const MAX_MESSAGE = 131072;
/** Maximum octets of a whole flight. */
const MAX_TOTAL = 262144;

/**
 * Handshake types of a server's first flight (RFC 5246 §7.4; 6: draft versions of 1.3).
 */
const HandshakeType = {
  serverHello: 2,
  helloRetryRequest: 6,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateStatus: 22,
} as const;

type Building = { -readonly [K in keyof ServerFlight]: ServerFlight[K] };

/**
 * Parses a server's first flight from octets in pieces of any size. The reader does not
 * throw, buffers at most 256 KiB, and stops at the first octets that are not TLS. The
 * messages that were read before remain in `flight`.
 */
export class FlightReader {
  state: FlightState = 'more';
  /** The reason why the state is `broken`. */
  problem = '';
  readonly flight: ServerFlight;
  readonly #flight: Building = {};
  #raw = new Uint8Array(0);
  #handshake = new Uint8Array(0);
  #total = 0;

  constructor() {
    this.flight = this.#flight;
  }

  /** Accepts octets from the server. A call after the end has no effect. */
  push(wireBytes: Uint8Array): FlightState {
    if (this.state !== 'more') return this.state;
    this.#total += wireBytes.length;
    if (this.#total > MAX_TOTAL) return this.#break('more than 256 KiB');
    this.#raw = join(this.#raw, wireBytes);
    try {
      while (this.state === 'more' && this.#takeRecord());
    } catch (error) {
      if (!(error instanceof MalformedTls)) throw error;
      this.#break(error.message);
    }
    return this.state;
  }

  #break(problem: string): FlightState {
    this.problem = problem;
    return (this.state = 'broken');
  }

  /**
   * Reads one record from the input; returns false while the record is incomplete.
   *
   *   octets   field
   *   1        type: 20 change_cipher_spec, 21 alert, 22 handshake, 23 application_data
   *   2        version: 3.x
   *   2        length of the fragment
   *   ...      fragment
   */
  #takeRecord(): boolean {
    const raw = this.#raw;
    if (raw.length < 1) return false;
    const messageType = raw[0] as number;
    if (messageType < 20 || messageType > 24) throw new MalformedTls('not a TLS record');
    if (raw.length < 5) return false;
    if (raw[1] !== 3) throw new MalformedTls('not a TLS record');
    const length = ((raw[3] as number) << 8) | (raw[4] as number);
    if (length > MAX_RECORD) throw new MalformedTls(`record of ${length} octets`);
    if (raw.length < 5 + length) return false;
    const content = raw.subarray(5, 5 + length);
    this.#raw = raw.subarray(5 + length);
    if (messageType === 21) this.#takeAlert(content);
    else if (messageType === 22) this.#takeHandshake(content);
    else if (this.#flight.hello)
      this.state = 'complete'; // ChangeCipherSpec or an encrypted record: no more plaintext follows.
    else throw new MalformedTls(`record of type ${messageType} before the server's hello`);
    return true;
  }

  /**
   * Reads an alert: one octet for the level (1 warning, 2 fatal), one for the
   * description.
   */
  #takeAlert(content: Uint8Array): void {
    if (content.length !== 2) throw new MalformedTls('alert of the wrong size');
    const [level, description] = content as unknown as [number, number];
    // RFC 6066 §3: unrecognized_name may come as a warning, and the handshake continues.
    if (level === 1 && description !== 0) return;
    this.#flight.alert = { level, description };
    this.state = 'alert';
  }

  /**
   * Collects fragments into messages: a message may span records, and a record may hold
   * several (RFC 5246 §6.2.1).
   *
   *   octets   field
   *   1        type
   *   3        length of the body
   *   ...      body
   */
  #takeHandshake(content: Uint8Array): void {
    if (content.length === 0) throw new MalformedTls('empty handshake record');
    this.#handshake = join(this.#handshake, content);
    while (this.state === 'more' && this.#handshake.length >= 4) {
      const [messageType, high, middle, low] = this.#handshake as unknown as [
        number,
        number,
        number,
        number,
      ];
      const length = (high << 16) | (middle << 8) | low;
      if (length > MAX_MESSAGE) throw new MalformedTls(`handshake message of ${length} octets`);
      if (this.#handshake.length < 4 + length) return;
      const bodyBytes = this.#handshake.subarray(4, 4 + length);
      this.#handshake = this.#handshake.subarray(4 + length);
      this.#takeMessage(messageType, bodyBytes);
    }
  }

  /**
   * Reads one message. A ServerHello of TLS 1.3 ends the flight here: everything after it
   * is encrypted (RFC 9846 §2).
   */
  #takeMessage(messageType: number, bodyBytes: Uint8Array): void {
    const flight = this.#flight;
    if (messageType === HandshakeType.serverHello) {
      if (flight.hello) throw new MalformedTls('second server hello');
      flight.hello = readServerHello(bodyBytes);
      if (flight.hello.retry || flight.hello.version >= ProtocolVersion['TLSv1.3'])
        this.state = 'complete';
      return;
    }
    if (!flight.hello)
      throw new MalformedTls(`handshake message ${messageType} before the server's hello`);
    switch (messageType) {
      case HandshakeType.certificate:
        flight.certificates = readCertificateMessage(bodyBytes);
        return;
      case HandshakeType.certificateStatus:
        flight.ocspStapled = true;
        return;
      case HandshakeType.serverKeyExchange:
        flight.keyExchange = readServerKeyExchange(
          bodyBytes,
          flight.hello.suite,
          flight.hello.version,
        );
        return;
      case HandshakeType.certificateRequest:
        flight.certificateRequested = true;
        return;
      case HandshakeType.serverHelloDone:
        this.state = 'complete';
        return;
      default: // A message of an unknown extension. The parser skips it by its length.
    }
  }
}

/** Concatenates two pieces into a new array. */
function join(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const output = new Uint8Array(left.length + right.length);
  output.set(left);
  output.set(right, left.length);
  return output;
}

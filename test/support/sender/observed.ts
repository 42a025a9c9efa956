import { caseNames, type Observation } from '../../../src/sender/index.js';

/** The place and time of a scripted attempt. */
export interface Place {
  /** Default 192.0.2.1. */
  readonly source?: string;
  /** EHLO name. Default mail.sender.test. */
  readonly name?: string;
  /** Seconds after the start of the test. Default 0. */
  readonly after?: number;
  readonly message?: 1 | 2;
}

/** Returns a moment of a scripted test. */
export function moment(seconds: number): string {
  return new Date(Date.UTC(2026, 10, 30, 12, 0, seconds)).toISOString();
}

let connections = 0;

/** The observations of one sender for one case. */
export class Observed {
  readonly #common: { readonly at: string; readonly case: string; readonly slot: string };
  readonly #source: string;
  readonly #name: string;
  readonly #connection = `c${++connections}`;

  constructor(
    private readonly caseId: string,
    { source = '192.0.2.1', name = 'mail.sender.test', after = 0, message }: Place = {},
  ) {
    this.#source = source;
    this.#name = name;
    this.#common = {
      at: moment(after),
      case: caseId,
      slot: 'me',
      ...(message === undefined ? {} : { message }),
    };
  }

  /** Returns the event that the tester handed a message to a server. */
  submitted(via = '192.0.2.1'): Observation[] {
    return [{ kind: 'submitted', ...this.#common, via }];
  }

  dns(...types: string[]): Observation[] {
    const { domain } = caseNames(this.caseId, 'me', 'sender.example');
    return types.map((type) => ({
      kind: 'dns',
      ...this.#common,
      source: '198.51.100.53',
      name: domain,
      type,
      dnssecOk: true,
    }));
  }

  fetched(status = 200): Observation[] {
    return [{ kind: 'policy', ...this.#common, source: this.#source, status }];
  }

  /** Returns an attempt that connects, greets and disconnects. */
  greets(by: 'quit' | 'sender' | 'receiver' = 'quit'): Observation[] {
    return [...this.#opening(), { ...this.#on(), kind: 'close', by }];
  }

  /** Returns an attempt that connects, greets with HELO and disconnects. */
  greetsByHelo(): Observation[] {
    return this.greets().map((one) => (one.kind === 'ehlo' ? { ...one, verb: 'HELO' } : one));
  }

  /**
   * Returns an attempt that verifies an address: the null sender, a recipient, and no
   * message.
   */
  callsOut(): Observation[] {
    const seen = this.delivers(false).filter(({ kind }) => kind !== 'data');
    return seen.map((one) => (one.kind === 'mail' ? { ...one, fromDomain: '' } : one));
  }

  /** Returns a connection without a command. */
  connects(): Observation[] {
    return [
      { ...this.#on(), kind: 'connection', to: '198.51.100.1' },
      { ...this.#on(), kind: 'close', by: 'sender' },
    ];
  }

  /**
   * Returns an attempt that begins TLS and disconnects, with an alert or after a
   * completed handshake.
   */
  leavesTls(alert?: string): Observation[] {
    return [
      ...this.#opening(),
      ...this.#hello(),
      alert === undefined
        ? { ...this.#on(), kind: 'handshake', version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256' }
        : { ...this.#on(), kind: 'alert', description: alert },
      { ...this.#on(), kind: 'close', by: 'sender' },
    ];
  }

  /**
   * Returns an attempt whose handshake starts, and whose connection ends without an
   * alert.
   */
  breaksOff(by: 'sender' | 'receiver'): Observation[] {
    return [...this.#opening(), ...this.#hello(), { ...this.#on(), kind: 'close', by }];
  }

  delivers(secured: boolean, { reply = 250, parameters = [] as string[] } = {}): Observation[] {
    const tls: Observation[] = secured
      ? [
          ...this.#hello(),
          { ...this.#on(), kind: 'handshake', version: 'TLSv1.3', suite: 'TLS_AES_128_GCM_SHA256' },
        ]
      : [];
    const end: Observation[] =
      reply < 300 ? [{ ...this.#on(), kind: 'data', secured, octets: 300, reply }] : [];
    return [
      ...this.#opening(),
      ...tls,
      {
        ...this.#on(),
        kind: 'mail',
        secured,
        fromDomain: 'sender.test',
        parameters,
        reply: 250,
      },
      { ...this.#on(), kind: 'rcpt', secured, domain: this.caseId, reply },
      ...end,
      { ...this.#on(), kind: 'close', by: 'quit' },
    ];
  }

  #on(): { at: string; case: string; slot: string; source: string; connection: string } {
    return { ...this.#common, source: this.#source, connection: this.#connection };
  }

  #opening(): Observation[] {
    return [
      { ...this.#on(), kind: 'connection', to: '198.51.100.1' },
      {
        ...this.#on(),
        kind: 'ehlo',
        secured: false,
        verb: 'EHLO',
        name: this.#name,
        reply: 250,
      },
    ];
  }

  #hello(): Observation[] {
    return [
      { ...this.#on(), kind: 'starttls', reply: 220 },
      {
        ...this.#on(),
        kind: 'hello',
        maxVersion: 0x0304,
        versions: [0x0304, 0x0303],
        suites: [0x1301],
        groups: [0x1d],
        signatureSchemes: [],
        serverName: caseNames(this.caseId, 'me', 'sender.example').mxHost,
        alpn: [],
        octets: 300,
      },
    ];
  }
}

/** Returns one attempt at a case. */
export function at(caseId: string, place?: Place): Observed {
  return new Observed(caseId, place);
}

import type { Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';

/** One entry of the question section (RFC 1035 §4.1.2). */
export interface DnsQuestion {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/**
 * EDNS(0) (RFC 6891): the content of the OPT pseudo-record. `extendedRcode` bits are
 * already merged into {@link Message.rcode}.
 */
export interface Edns {
  /** EDNS version; 0 is the only defined version. */
  readonly version: number;
  /** Largest UDP payload that the sender of the message can receive, octets. */
  readonly udpSize: number;
  /** DO: the querier wants RRSIG, NSEC and NSEC3 records (RFC 3225 §3). */
  readonly dnssecOk: boolean;
  /** Options in wire format, unknown ones included. */
  readonly options: readonly { readonly code: number; readonly data: Uint8Array }[];
}

/**
 * A DNS message without its OPT record, which {@link Message.edns} holds. The names of
 * the flags are those of RFC 1035 §4.1.1 and RFC 4035 §3.
 */
export interface Message {
  /**
   * The id that matches a response to its query; random, so that an off-path attacker
   * must guess it.
   */
  readonly id: number;
  /** Operation code: 0 is QUERY, 5 is UPDATE (RFC 2136 §2.2). */
  readonly opcode: number;
  /**
   * Response code of twelve bits, those of OPT included. No signature covers the rcode.
   */
  readonly rcode: number;
  /** QR: the message is a response. */
  readonly response: boolean;
  /** AA: the server answers from its own zone. */
  readonly authoritative: boolean;
  /** TC: the answer did not fit; the client repeats the query over TCP (RFC 7766 §5). */
  readonly truncated: boolean;
  /** RD: the client asks the server to query other servers. */
  readonly recursionDesired: boolean;
  /** RA: the server is willing to query other servers. */
  readonly recursionAvailable: boolean;
  /** AD: in a response, the resolver has validated the answer (RFC 6840 §5.7, §5.8). */
  readonly authenticData: boolean;
  /** CD: the client accepts data that the resolver could not validate (RFC 6840 §5.9). */
  readonly checkingDisabled: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** The content of the OPT record; absent if the message has no OPT record. */
  readonly edns?: Edns;
}

/**
 * Returns a response of class IN to one question, as a resolver sends it to a validating
 * client: empty except for `parts`.
 */
export function responseTo(name: Name, type: number, parts: Partial<Message> = {}): Message {
  return {
    id: 0,
    opcode: 0,
    rcode: 0,
    response: true,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: true,
    authenticData: false,
    checkingDisabled: true,
    questions: [{ name, type, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
    ...parts,
  };
}

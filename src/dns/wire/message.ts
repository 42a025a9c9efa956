import type { Name } from '../../base/index.js';
import type { ResourceRecord } from '../types.js';

export interface DnsQuestion {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

/**
 * EDNS(0) (RFC 6891): what the OPT pseudo-record says. `extendedRcode` bits are already
 * merged into {@link Message.rcode}.
 */
export interface Edns {
  readonly version: number;
  readonly udpSize: number;
  readonly dnssecOk: boolean;
  readonly options: readonly { readonly code: number; readonly data: Uint8Array }[];
}

/** A DNS message, OPT taken out of the additional section. */
export interface Message {
  readonly id: number;
  readonly opcode: number;
  readonly rcode: number;
  readonly response: boolean;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  readonly questions: readonly DnsQuestion[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  readonly edns?: Edns;
}

/**
 * A response of class IN to one question, as a validating client gets it from its
 * resolver: empty but for `parts`.
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

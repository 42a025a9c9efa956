import type { Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import type { Message } from '../../wire/message.js';
import { formatRecord } from '../../wire/presentation.js';

/** The records of one upstream answer on which a verdict depends. */
export interface ProofRecords {
  readonly name: string;
  readonly type: number;
  readonly rcode: number;
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
}

/**
 * Octets of memory for a record and its name, as measured, without the buffer of its
 * data.
 */
const RECORD_OVERHEAD = 450;

/**
 * Estimates the memory of records in octets. If the data is a view of a message, the
 * whole message stays in memory.
 */
export function recordMemory(records: Iterable<ResourceRecord>): number {
  const buffers = new Set<ArrayBufferLike>();
  let octets = 0;
  for (const { rdata } of records) {
    octets += RECORD_OVERHEAD;
    if (!buffers.has(rdata.buffer)) octets += rdata.buffer.byteLength;
    buffers.add(rdata.buffer);
  }
  return octets;
}

/**
 * The records of one upstream answer on which a verdict depends. Their text is formatted
 * at the first access: formatting costs as much as verifying a signature, and most cached
 * proofs are never displayed.
 */
export class UsedRecords {
  /** Identifier of the query: its type and name. */
  readonly key: string;
  /** Estimated memory in octets. */
  readonly octets: number;
  readonly #question: Pick<UsedResponse, 'name' | 'type'>;
  readonly #rcode: number;
  #answers: readonly ResourceRecord[];
  #authorities: readonly ResourceRecord[];
  #written: ProofRecords | undefined;

  constructor({ name, type, message }: UsedResponse, used: ReadonlySet<ResourceRecord>) {
    const isUsed = (record: ResourceRecord): boolean => used.has(record);
    this.key = `${type} ${name.key}`;
    this.#question = { name, type };
    this.#rcode = message.rcode;
    this.#answers = message.answers.filter(isUsed);
    this.#authorities =
      this.#answers.length === used.size
        ? []
        : [...message.authorities, ...message.additionals].filter(isUsed);
    this.octets = recordMemory(used);
  }

  /** Returns the records in presentation format. */
  get written(): ProofRecords {
    if (!this.#written) {
      const { name, type } = this.#question;
      this.#written = {
        name: name.toString(),
        type,
        rcode: this.#rcode,
        answers: this.#answers.map(formatRecord),
        authorities: this.#authorities.map(formatRecord),
      };
      this.#answers = [];
      this.#authorities = [];
    }
    return this.#written;
  }
}

/** The answer to one upstream query. */
interface UsedResponse {
  readonly name: Name;
  readonly type: number;
  readonly message: Message;
}

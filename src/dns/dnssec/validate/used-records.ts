import type { Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import type { Message } from '../../wire/message.js';
import { formatRecord } from '../../wire/presentation.js';

/** Records of one upstream answer that a verdict rests on. */
export interface ProofRecords {
  readonly name: string;
  readonly type: number;
  readonly rcode: number;
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
}

/** Estimated overhead in octets of a record, its name and its buffers. */
const RECORD_OVERHEAD = 300;

/**
 * The records of one upstream answer that a verdict rests on. Their text is formatted at
 * the first access: formatting costs as much as verifying a signature, and most proofs
 * are cached without being read.
 */
export class UsedRecords {
  /** Identifies the question: its type and name. */
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
    let octets = 0;
    for (const { rdata } of used) octets += rdata.length + RECORD_OVERHEAD;
    this.octets = octets;
  }

  /** The records in presentation form. */
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

/** The answer to an upstream query. */
interface UsedResponse {
  readonly name: Name;
  readonly type: number;
  readonly message: Message;
}

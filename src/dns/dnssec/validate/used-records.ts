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
  readonly name: string;
  readonly type: number;
  /** Estimated memory in octets. */
  readonly octets: number;
  readonly #rcode: number;
  #records: readonly [ResourceRecord[], ResourceRecord[]] | undefined;
  #written: ProofRecords | undefined;

  constructor({ name, type, message }: UsedResponse, isUsed: (record: ResourceRecord) => boolean) {
    this.name = name.toString();
    this.type = type;
    this.#rcode = message.rcode;
    const others = [...message.authorities, ...message.additionals];
    const records = [message.answers.filter(isUsed), others.filter(isUsed)] as const;
    this.octets = records
      .flat()
      .reduce((sum, { rdata }) => sum + rdata.length + RECORD_OVERHEAD, 0);
    this.#records = records;
  }

  /** The records in presentation form. */
  get written(): ProofRecords {
    if (!this.#written) {
      const [answers = [], authorities = []] = this.#records ?? [];
      this.#written = {
        name: this.name,
        type: this.type,
        rcode: this.#rcode,
        answers: answers.map(formatRecord),
        authorities: authorities.map(formatRecord),
      };
      this.#records = undefined;
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

import type { ProofRecords, Proof, ValidateRequest } from './types.js';
import type { UsedRecords } from './used-records.js';

type ProofVerdict = Pick<Proof, 'status' | 'dnssec'>;

/** The records of a proof: those of this question, and those of the cached zones. */
interface ProofGrounds {
  readonly cached: readonly (readonly UsedRecords[])[];
  readonly own: readonly UsedRecords[];
}

/**
 * A proof that formats its text on first access. The proof contains only the used
 * records, so that a cached answer does not retain the messages of its validation.
 */
export class WrittenProof implements Proof {
  readonly schema = 'hermetic.proof/1';
  readonly name: string;
  readonly type: number;
  readonly at: string;
  readonly status: Proof['status'];
  readonly dnssec: Proof['dnssec'];
  readonly #used: ProofGrounds;
  #grounds: readonly ProofRecords[] | undefined;

  constructor(request: ValidateRequest, { status, dnssec }: ProofVerdict, used: ProofGrounds) {
    this.name = request.name.toString();
    this.type = request.type;
    this.at = new Date(request.now).toISOString();
    this.status = status;
    this.dnssec = dnssec;
    this.#used = used;
  }

  /** Returns the records of the proof. Each upstream answer occurs once. */
  get grounds(): readonly ProofRecords[] {
    if (!this.#grounds) {
      const { cached, own } = this.#used;
      const last = [...cached.flat(), ...own].reverse();
      const once = new Map(last.map((used) => [used.key, used]));
      this.#grounds = [...once.values()].reverse().map(({ written }) => written);
    }
    return this.#grounds;
  }

  /** Returns the estimated memory in octets, without the records of cached zones. */
  get octets(): number {
    return this.#used.own.reduce((sum, { octets }) => sum + octets, 0);
  }

  /** Returns a plain object, because `JSON.stringify` omits the getters of a class. */
  toJSON(): Proof {
    const { schema, name, type, at, status, dnssec, grounds } = this;
    return { schema, name, type, at, status, dnssec, grounds };
  }
}

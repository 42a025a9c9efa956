import type { ProofRecords, Proof, ValidateRequest } from './types.js';

type ProofVerdict = Pick<Proof, 'status' | 'dnssec'>;

/**
 * A proof that formats its text on first access: formatting costs as much as verifying a
 * signature, and most proofs are cached without being read.
 */
export class WrittenProof implements Proof {
  readonly schema = 'hermetic.proof/1';
  readonly name: string;
  readonly type: number;
  readonly at: string;
  readonly status: Proof['status'];
  readonly dnssec: Proof['dnssec'];
  readonly #write: () => readonly ProofRecords[];
  #grounds: readonly ProofRecords[] | undefined;

  constructor(
    request: ValidateRequest,
    { status, dnssec }: ProofVerdict,
    write: () => readonly ProofRecords[],
  ) {
    this.name = request.name.toString();
    this.type = request.type;
    this.at = new Date(request.now).toISOString();
    this.status = status;
    this.dnssec = dnssec;
    this.#write = write;
  }

  /** Each upstream answer once. */
  get grounds(): readonly ProofRecords[] {
    this.#grounds ??= [
      ...new Map(
        this.#write()
          .map(
            (proofRecords) => [`${proofRecords.type} ${proofRecords.name}`, proofRecords] as const,
          )
          .reverse(),
      ).values(),
    ].reverse();
    return this.#grounds;
  }

  /** Returns plain data: the class computes its grounds in a getter. */
  toJSON(): Proof {
    const { schema, name, type, at, status, dnssec, grounds } = this;
    return { schema, name, type, at, status, dnssec, grounds };
  }
}

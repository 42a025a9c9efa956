import type { Failure, Name } from '../../../base/index.js';
import type { ResourceRecord } from '../../types.js';
import { dnssecFailures } from '../failures.js';
import { rrsetsOf, type RRset } from './rrset.js';
import { defaultLimits, type ValidationLimits, type ValidateRequest } from './types.js';
import { verifyRrset, type WorkBudget, type VerifyContext, type Verified } from './verify-rrset.js';
import { standardAlgorithms } from '../algorithms.js';
import type { Message } from '../../wire/message.js';
import type { ZoneKey } from './types.js';
import { UsedRecords } from './used-records.js';

/** One upstream answer with its RRsets, and the records on which the verdict depends. */
export interface DnsResponse {
  readonly name: Name;
  readonly type: number;
  readonly message: Message;
  readonly recordSets: readonly RRset[];
  readonly budget: WorkBudget;
  readonly usedRecords: Set<ResourceRecord>;
}

/** A response, or the failure that prevented it. */
export type QueryResult =
  | { readonly ok: true; readonly response: DnsResponse }
  | { readonly ok: false; readonly failure: Failure };

/**
 * The state of the validation of one question. The session sends each upstream query once
 * and limits all work with one budget.
 */
export class ValidationSession {
  readonly limits: ValidationLimits;
  readonly context: VerifyContext;
  readonly hashes: { hashes: number };
  readonly #question = { failed: 0 };
  readonly #asked = new Map<string, Promise<QueryResult>>();
  readonly #responses: DnsResponse[] = [];

  constructor(readonly request: ValidateRequest) {
    this.limits = request.limits ? { ...defaultLimits, ...request.limits } : defaultLimits;
    this.context = {
      algorithms: request.algorithms ?? standardAlgorithms,
      limits: this.limits,
      now: request.now,
    };
    this.hashes = { hashes: this.limits.hashes };
    this.#question.failed = this.limits.failedChecks;
  }

  /** Returns the response to a query, which is sent once per validation. */
  ask(domainName: Name, recordType: number): Promise<QueryResult> {
    const cacheKey = `${recordType} ${domainName.key}`;
    let asked = this.#asked.get(cacheKey);
    if (!asked) {
      asked =
        this.#asked.size >= this.limits.fetches
          ? Promise.resolve(refusal('dnssec-limit', 'too many questions'))
          : this.#fetch(domainName, recordType);
      // A caller that awaits the promise still receives the rejection.
      asked.catch(() => undefined);
      this.#asked.set(cacheKey, asked);
    }
    return asked;
  }

  /**
   * Fetches a response and groups its records into RRsets. Each response has a work
   * budget.
   */
  async #fetch(domainName: Name, recordType: number): Promise<QueryResult> {
    const fetched = await this.request.fetch(domainName, recordType);
    if (!fetched.ok) return fetched;
    const response: DnsResponse = {
      name: domainName,
      type: recordType,
      message: fetched.message,
      recordSets: rrsetsOf(fetched.message),
      budget: { checks: this.limits.checksPerMessage, question: this.#question },
      usedRecords: new Set(),
    };
    this.#responses.push(response);
    return { ok: true, response };
  }

  /**
   * Verifies an RRset. The RRset and its signature become part of the proof only through
   * {@link use}.
   */
  verify(response: DnsResponse, recordSet: RRset, zone: Name, keys: readonly ZoneKey[]): Verified {
    return verifyRrset(recordSet, { zone, keys }, this.context, response.budget);
  }

  /** Adds an RRset, and the signature that verified it, to the proof. */
  use(response: DnsResponse, recordSet: RRset, verified?: Verified): void {
    for (const resourceRecord of recordSet.records) response.usedRecords.add(resourceRecord);
    if (verified?.ok) response.usedRecords.add(verified.signature.record);
  }

  /** Returns the records on which the verdict depends, one entry per upstream answer. */
  grounds(): readonly UsedRecords[] {
    return usedRecordsOf(this.#responses);
  }
}

/**
 * Returns the used records of each response, without the responses that have no used
 * records.
 */
export function usedRecordsOf(responses: readonly DnsResponse[]): readonly UsedRecords[] {
  return responses
    .filter(({ usedRecords }) => usedRecords.size > 0)
    .map((response) => new UsedRecords(response, response.usedRecords));
}

/** Returns a failed query result. */
export function refusal(
  code: keyof typeof dnssecFailures.entries,
  detail = '',
): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: dnssecFailures.make(code, detail) };
}

import { Name, type Failure } from '../../../base/index.js';
import type { AliasStep, DnsAnswer, Dnssec, UnsupportedZone } from '../../types.js';
import { readTarget } from '../../wire/rdata.js';
import { rcodeText } from '../../wire/rcode-text.js';
import { Rcode, RRType } from '../../wire/types-registry.js';
import { dnssecFailures } from '../failures.js';
import { Chain } from './chain.js';
import { judgeDenial, type JudgedDenial } from './judge-denial.js';
import { judgeRrset } from './judge-rrset.js';
import type { RRset } from './rrset.js';
import { ValidationSession, type QueryResult, type DnsResponse } from './session.js';
import type { ValidateRequest } from './types.js';
import { WrittenProof } from './written-proof.js';

/**
 * DNSSEC statuses from best to worst: an answer has the worst status of its alias chain.
 */
const gravity: readonly Dnssec[] = ['secure', 'insecure', 'indeterminate', 'bogus'];

/**
 * Resolves and validates one question. Queries the upstream through `fetch` and follows
 * aliases. Classifies data and denials alike as secure, insecure, bogus or indeterminate
 * (RFC 4033 §5, RFC 4035 §4.3, RFC 7672 §2.1.1 [7672-2.1.1-1]). Pure apart from `fetch`;
 * rejects only if `fetch` rejects.
 */
export async function validate(request: ValidateRequest): Promise<DnsAnswer> {
  const session = new ValidationSession(request);
  return new Walk(session, new Chain(session), request).run();
}

/**
 * The resolution of one question, along its aliases to data or a denial. A step can
 * worsen the DNSSEC status and shorten the TTL, but never the reverse.
 */
class Walk {
  readonly #aliases: AliasStep[] = [];
  #weakest: Dnssec = 'secure';
  #ttl = 86400;
  #current: Name;

  constructor(
    private readonly session: ValidationSession,
    private readonly chain: Chain,
    private readonly request: ValidateRequest,
  ) {
    this.#current = request.name;
  }

  /**
   * Follows aliases until the question is answered. A loop or too many aliases make the
   * answer bogus.
   */
  async run(): Promise<DnsAnswer> {
    if (this.request.type === RRType.RRSIG) {
      const detail = this.request.name.toString();
      return this.#failed('indeterminate', dnssecFailures.make('dnssec-type-unsigned', detail));
    }
    const first = this.session.ask(this.#current, this.request.type);
    this.chain.begin(this.#current);
    let asked = await first;
    for (let followed = 0; followed <= this.session.limits.aliases; followed++) {
      const refused = refusalOf(asked);
      if (refused || !asked.ok) return this.#lost(refused ?? dnssecFailures.make('dns-rcode'));
      const { response } = asked;
      const data = this.#sets(response, this.request.type);
      const [only] = data;
      if (only && !this.#synthesised(response, only)) return this.#found(response, data);
      const next = await this.#follow(response);
      if (next === 'none') return this.#denied(response);
      if (next === 'too-long') return this.#answer('nxdomain', []);
      if (next instanceof Name) {
        if (only) return this.#implied(response, only, next);
        if (this.#aliases.some((aliasStep) => aliasStep.from.equals(next))) break;
        this.#current = next;
        if (!speaksOf(response, next)) asked = await this.session.ask(next, this.request.type);
      } else return this.#failed(next.status, next.failure);
    }
    return this.#failed(
      'bogus',
      dnssecFailures.make('dns-alias-loop', this.request.name.toString()),
    );
  }

  /**
   * Returns the RRsets in the answer section that match the query type. A query for ANY
   * matches every RRset of the name.
   */
  #sets(response: DnsResponse, recordType: number): readonly RRset[] {
    return response.recordSets.filter(
      (recordSet) =>
        (recordSet.type === recordType || recordType === RRType.ANY) &&
        recordSet.name.equals(this.#current) &&
        answers(response, recordSet),
    );
  }

  /**
   * Returns whether the answer is the unsigned CNAME that a DNAME implies. For a query
   * for CNAME or ANY, only the DNAME can then be proved.
   */
  #synthesised(response: DnsResponse, recordSet: RRset): boolean {
    return (
      recordSet.type === RRType.CNAME &&
      recordSet.signatures.length === 0 &&
      dnameAbove(response, this.#current) !== undefined
    );
  }

  /**
   * Returns the answer to a CNAME query whose response contains the CNAME that a DNAME
   * implies (RFC 6672 §5.3.1). The synthesised CNAME is unsigned, so it must equal the
   * CNAME that this method computes from the DNAME.
   */
  #implied(response: DnsResponse, data: RRset, target: Name): DnsAnswer {
    const [resourceRecord] = data.records;
    const given = resourceRecord && readTarget(resourceRecord);
    if (data.records.length !== 1 || !given?.ok || !given.value.equals(target))
      return this.#failed(
        'bogus',
        dnssecFailures.make(
          'dnssec-signature-missing',
          `${this.#current.toString()} CNAME does not follow from its DNAME`,
        ),
      );
    this.session.use(response, data);
    return this.#answer('found', data.records);
  }

  /**
   * Validates the data and returns the answer. The status depends on every RRset of the
   * answer. An answer to ANY includes records under other names.
   */
  async #found(response: DnsResponse, recordSets: readonly RRset[]): Promise<DnsAnswer> {
    const isAny = this.request.type === RRType.ANY;
    const counted = response.recordSets.filter(
      (recordSet) => recordSets.includes(recordSet) || (isAny && answers(response, recordSet)),
    );
    for (const recordSet of counted) {
      const judged = await judgeRrset(this.session, this.chain, response, recordSet);
      if ('failure' in judged) return this.#failed(judged.status, judged.failure);
      this.#weaken(judged.status, judged.ttl);
    }
    return this.#answer(
      'found',
      recordSets.flatMap(({ records }) => records),
    );
  }

  /**
   * Returns the target of an alias, `none` if there is no alias, `too-long` if the
   * substitution for a DNAME is too long, or the reason why the alias is not trusted.
   */
  async #follow(
    response: DnsResponse,
  ): Promise<
    | Name
    | 'none'
    | 'too-long'
    | { readonly status: 'bogus' | 'indeterminate'; readonly failure: Failure }
  > {
    const dname = dnameAbove(response, this.#current);
    const [cname] = this.request.type === RRType.CNAME ? [] : this.#sets(response, RRType.CNAME);
    const recordSet = dname ?? cname;
    const resourceRecord = recordSet?.records[0];
    if (!recordSet || !resourceRecord) return 'none';
    if (recordSet.records.length > 1)
      return {
        status: 'bogus',
        failure: dnssecFailures.make(
          'dns-alias-loop',
          `${recordSet.name.toString()} has several aliases`,
        ),
      };
    const judged = await judgeRrset(this.session, this.chain, response, recordSet);
    // RFC 7672 §2.1.3: a bogus link makes the whole chain unusable, and an insecure link
    // makes every later link insecure [7672-2.1.3-1, 7672-2.1.3-2].
    if ('failure' in judged) return judged;
    // RFC 4592 §4.4: a DNAME at a wildcard is undefined, so a DNAME that a wildcard
    // produced is not trusted.
    if (dname && judged.expanded)
      return {
        status: 'bogus',
        failure: dnssecFailures.make(
          'dnssec-denial-missing',
          `${recordSet.name.toString()} is a DNAME from a wildcard`,
        ),
      };
    const target = readTarget(resourceRecord);
    if (!target.ok) return { status: 'bogus', failure: target.failure };
    // RFC 6672 §5.3.1: the CNAME next to a DNAME is unsigned, so the target is computed
    // from the DNAME.
    const to = dname ? substitute(this.#current, dname.name, target.value) : target.value;
    this.#weaken(judged.status, judged.ttl);
    // RFC 6672 §2.2: YXDOMAIN means that the substituted name exceeds 255 octets. The
    // DNAME itself proves this [6672-2.2-1].
    if (!to) return 'too-long';
    this.#aliases.push({ from: this.#current, to, dnssec: judged.status });
    return to;
  }

  /** Judges the denial at the end of the alias chain. */
  async #denied(response: DnsResponse): Promise<DnsAnswer> {
    let judged = await judgeDenial(this.session, this.chain, response, {
      name: this.#current,
      type: this.request.type,
    });
    if ('failure' in judged && this.#aliases.length > 0 && !response.name.equals(this.#current)) {
      // This message answered the query for the alias. A query for the end of the chain
      // may return more records.
      const again = await this.session.ask(this.#current, this.request.type);
      if (again.ok && !refusalOf(again)) {
        const data = this.#sets(again.response, this.request.type);
        if (data.length > 0) return this.#found(again.response, data);
        judged = await judgeDenial(this.session, this.chain, again.response, {
          name: this.#current,
          type: this.request.type,
        });
      }
    }
    return this.#concluded(judged);
  }

  /** Converts a judged denial to an answer. */
  #concluded(judged: JudgedDenial): DnsAnswer {
    if ('failure' in judged) return this.#failed(judged.status, judged.failure);
    this.#weaken(judged.status, judged.ttl);
    return this.#answer(judged.kind, []);
  }

  /** Combines a link with the result: the worse DNSSEC status and the lower TTL apply. */
  #weaken(status: Dnssec, ttlSeconds: number): void {
    if (gravity.indexOf(status) > gravity.indexOf(this.#weakest)) this.#weakest = status;
    this.#ttl = Math.min(this.#ttl, ttlSeconds);
  }

  /** Returns an answer with a proof that is formatted at its first access. */
  #answer(status: 'found' | 'nodata' | 'nxdomain', records: DnsAnswer['records']): DnsAnswer {
    const dnssec = this.#weakest;
    const { session, chain } = this;
    const proof = new WrittenProof(
      this.request,
      { status, dnssec },
      { cached: chain.memory.cachedGrounds, own: session.grounds() },
    );
    const question = { name: this.request.name, type: this.request.type };
    const unsupported = dnssec === 'insecure' ? this.#unsupported() : undefined;
    return {
      question,
      status,
      dnssec,
      unsupported,
      records,
      canonicalName: this.#current,
      aliases: this.#aliases,
      ttl: this.#ttl,
      proof,
    };
  }

  /**
   * Returns the zone at or above the answer that is signed only with unsupported
   * algorithms.
   */
  #unsupported(): UnsupportedZone | undefined {
    for (const domainName of [this.request.name, ...this.#aliases.map(({ to }) => to)]) {
      const found = this.chain.memory.unsupportedAbove(domainName);
      if (found) return found;
    }
    return undefined;
  }

  /**
   * Builds a failed answer. For an address query, determines whether the answer could
   * have been secure, which decides whether DANE may apply to the host. After a secure
   * alias, DANE may apply even if the target is unsigned (RFC 7672 §2.2.2).
   */
  async #lost(failure: Failure): Promise<DnsAnswer> {
    const failed = this.#failed('indeterminate', failure);
    const { type } = this.request;
    const isAddress = type === RRType.A || type === RRType.AAAA;
    if (!isAddress || this.#aliases[0]?.dnssec === 'secure') return failed;
    const { status } = await this.chain.enclosing(this.request.name);
    if (status === 'insecure') return { ...failed, unsigned: true };
    return failed;
  }

  /**
   * Returns a failed answer, including the aliases followed so far, for the explanation.
   */
  #failed(dnssec: 'bogus' | 'indeterminate', failure: Failure): DnsAnswer {
    const question = { name: this.request.name, type: this.request.type };
    return {
      question,
      status: 'failed',
      dnssec,
      records: [],
      canonicalName: this.#current,
      aliases: this.#aliases,
      ttl: 0,
      failure,
    };
  }
}

/**
 * Returns the failure of a query without a usable response. NXDOMAIN and YXDOMAIN are not
 * failures here: the records in the message, not the rcode, prove or disprove them.
 */
function refusalOf(asked: QueryResult): Failure | undefined {
  if (!asked.ok) return asked.failure;
  const { rcode } = asked.response.message;
  if (rcode === Rcode.NOERROR || rcode === Rcode.NXDOMAIN || rcode === Rcode.YXDOMAIN)
    return undefined;
  return dnssecFailures.make(
    failureCodes.get(rcode) ?? 'dns-rcode',
    `${asked.response.name.toString()}: ${rcodeText(asked.response.message)}`,
  );
}

const failureCodes: ReadonlyMap<number, 'dns-servfail' | 'dns-refused'> = new Map([
  [Rcode.SERVFAIL, 'dns-servfail'],
  [Rcode.REFUSED, 'dns-refused'],
]);

/**
 * Returns whether a message that answered an alias also contains records of its target.
 */
function speaksOf(response: DnsResponse, domainName: Name): boolean {
  return response.recordSets.some(
    (recordSet) =>
      recordSet.name.equals(domainName) ||
      (recordSet.type === RRType.DNAME &&
        domainName.isAtOrBelow(recordSet.name) &&
        !domainName.equals(recordSet.name)) ||
      (recordSet.type === RRType.SOA && domainName.isAtOrBelow(recordSet.name)) ||
      // A denial from the target's own zone. A minimal response contains nothing else
      // about the target.
      ((recordSet.type === RRType.NSEC || recordSet.type === RRType.NSEC3) &&
        recordSet.signatures.some(({ rrsig }) => domainName.isAtOrBelow(rrsig.signer))),
  );
}

/** Returns whether the RRset is in the answer section. */
function answers(response: DnsResponse, recordSet: RRset): boolean {
  return recordSet.records.some((resourceRecord) =>
    response.message.answers.includes(resourceRecord),
  );
}

/**
 * Returns the DNAME RRset of an ancestor in the answer section. A DNAME redirects all
 * names below its owner (RFC 6672 §2.3).
 */
function dnameAbove(response: DnsResponse, domainName: Name): RRset | undefined {
  return response.recordSets.find(
    (recordSet) =>
      recordSet.type === RRType.DNAME &&
      answers(response, recordSet) &&
      domainName.isAtOrBelow(recordSet.name) &&
      !domainName.equals(recordSet.name),
  );
}

/**
 * Replaces the owner of a DNAME in a name with the target; undefined if the result is too
 * long.
 */
function substitute(domainName: Name, ownerName: Name, target: Name): Name | undefined {
  const front = domainName.labels.slice(0, domainName.labelCount - ownerName.labelCount);
  const made = Name.fromLabels([...front, ...target.labels]);
  if (made.ok) return made.value;
  return undefined;
}

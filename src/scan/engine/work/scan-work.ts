import type { Facts } from '../database/store-facts.js';

/**
 * The observations of a scan, as the engine needs them. The engine decides when and by
 * whom they are made, stores them and counts; it does not know what they contain.
 *
 * Facts are JSON. Equal facts are stored once, so they hold no times.
 */
export interface ScanWork {
  /** Looks up the records of one domain. Never rejects for the behaviour of a peer. */
  observeDomain(domain: string, signal: AbortSignal): Promise<DomainObservation>;
  /** Looks up the addresses and TLSA records of one mail host. */
  observeHost(host: string, signal: AbortSignal): Promise<HostObservation>;
  /**
   * Opens one session with a mail host at one address, and ends it with QUIT. Undefined
   * where the lease ended before the connection: the visit then stays due.
   */
  visitHost(target: VisitTarget, signal: AbortSignal): Promise<VisitObservation | undefined>;
  /** Grades a domain by its facts. Pure: equal facts give equal grades. */
  gradeDomain(facts: DomainFactSet): DomainGrade;
}

export type { Facts };

export interface DomainObservation {
  readonly facts: Facts;
  /** False where the facts could not be determined: earlier facts then stay valid. */
  readonly known: boolean;
  readonly hosts: readonly MailHostName[];
  /** The domain has a policy that depends on the certificates of its hosts. */
  readonly visitAlways: boolean;
  /** DNS questions that this observation cost. */
  readonly questions: number;
}

export interface MailHostName {
  readonly name: string;
  readonly preference: number;
}

export interface HostObservation {
  readonly facts: Facts;
  readonly known: boolean;
  /** Addresses that a scan may contact, in canonical form. */
  readonly addresses: readonly string[];
  /** The group of names that share a certificate, such as `outlook.com`. */
  readonly family: string;
  /** The host has usable TLSA records: its certificate matters. */
  readonly visitAlways: boolean;
  readonly questions: number;
}

export interface VisitTarget {
  readonly host: string;
  readonly address: string;
  /** The facts of `observeHost`. */
  readonly hostFacts: Facts;
  /**
   * Returns true while the lease of the address lasts long enough for one more
   * connection. A visit asks before each connection, and ends where it is false.
   */
  mayConnect(): boolean;
}

/**
 * The kind of answer, which decides when the address may be contacted again: a session
 * took place, the server turned the visitor away, it named too many connections, or it did
 * not answer at all.
 */
export type VisitReply = 'answered' | 'turned-away' | 'too-many' | 'silent';

export interface VisitObservation {
  readonly facts: Facts;
  readonly reply: VisitReply;
  /** The reply line or error, for `turned-away`, `too-many` and `silent`. */
  readonly reason?: string | undefined;
  /** TCP connections that were opened or attempted. */
  readonly connections: number;
}

/** All facts that are known about one domain. Hosts are in the order of preference. */
export interface DomainFactSet {
  readonly domain: string;
  readonly facts: Facts;
  readonly hosts: readonly {
    readonly name: string;
    readonly preference: number;
    readonly facts: Facts | undefined;
    readonly visits: readonly VisitFacts[];
  }[];
}

export interface VisitFacts {
  readonly address: string;
  readonly state: VisitState;
  readonly reason: string | undefined;
  readonly facts: Facts | undefined;
}

/** The result of a visit: `unreached` addresses stay undecided in every grade. */
export type VisitState = 'visited' | 'inferred' | 'opted-out' | 'unreached';

/** The grade of a domain without its names: domains with equal facts share it. */
export interface DomainGrade {
  readonly verdict: string;
  readonly findings: readonly string[];
  /** Further members, such as classes and exposure; counted by the statistics. */
  readonly [member: string]: unknown;
}

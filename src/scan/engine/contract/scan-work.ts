import type { Facts } from '../database/store-facts.js';

/**
 * The observations of a scan, as the engine needs them. The engine assigns each
 * observation to a time and a worker, and stores and counts the results, but does not
 * read their content.
 *
 * Facts are JSON. The database stores equal facts once, so facts contain no times.
 */
export interface ScanWork {
  /**
   * Looks up the records of one domain, and fetches its policy if `web` allows it. Does
   * not reject because of a peer's behaviour.
   */
  observeDomain(domain: string, signal: AbortSignal, web: WebVisits): Promise<DomainObservation>;
  /** Returns true if no resolver gave a usable answer to the latest questions. */
  resolverFails(): boolean;
  /** Looks up the addresses and TLSA records of one mail host. */
  observeHost(host: string, signal: AbortSignal): Promise<HostObservation>;
  /**
   * Opens one session with a mail host at one address, and ends it with QUIT. Undefined
   * if the lease ended before the connection: the visit then stays due.
   */
  visitHost(target: VisitTarget, signal: AbortSignal): Promise<VisitObservation | undefined>;
  /**
   * Decides when an address may be contacted again. Pure. `before`: the standing that the
   * last decision returned.
   */
  judgeVisit(before: Facts | undefined, visit: VisitObservation): ContactDecision;
  /** Decides when a web server may be contacted again, by the facts of a visit. Pure. */
  judgeWeb(before: Facts | undefined, reply: Facts): ContactDecision;
  /**
   * Decides whether a host name is visited at an address, or takes the result of another
   * name in one of the groups. Pure.
   */
  planVisit(groups: NameGroups, name: PlannedHost): VisitPlan;
  /** Returns the groups that a visit changed. Pure. */
  afterVisit(groups: NameGroups, visit: GroupVisit): readonly GroupChange[];
  /** Derives the facts of an unvisited name from the facts of the model. Pure. */
  inferredFacts(group: KnownGroup): Facts;
  /**
   * Number of equal results in a scan after which further names of a group can be
   * inferred.
   */
  readonly probedNames: number;
  /** Number of families at one address from which `planVisit` skips names. */
  readonly maxFamilies: number;
  /** Grades a domain by its facts. Pure: equal facts give equal grades. */
  gradeDomain(facts: DomainFactSet): DomainGrade;
  /** Compares a domain with its earlier facts. Pure. */
  compareDomain(
    before: Facts | undefined,
    facts: DomainFactSet,
    grade: DomainGrade,
  ): DomainComparison;
  /** Computes the statistics of a scan from all of its domains. */
  summarise(domains: AsyncIterable<GradedDomain>): Promise<readonly ScanStatistic[]>;
}

export type { Facts };

export interface DomainObservation {
  readonly facts: Facts;
  /** False if the facts could not be determined: earlier facts then stay valid. */
  readonly known: boolean;
  /** Names of the mail hosts, in the order of preference. */
  readonly hosts: readonly string[];
  /** The domain has an MTA-STS policy, so every host of the domain is visited. */
  readonly visitAlways: boolean;
  /** Number of DNS questions that this observation asked. */
  readonly questions: number;
  /**
   * Milliseconds until the policy host may be contacted: the engine then observes the
   * domain again, and does not store the present facts.
   */
  readonly deferMs?: number | undefined;
}

/** Contacts with web servers. The limits apply to all workers and scans together. */
export interface WebVisits {
  /**
   * Runs `visit` when no other visit to the address is running, and the limits of the
   * address permit a visit. `visit` opens one connection, and returns its facts for
   * `judgeWeb`. Rejects as `visit` does.
   */
  contact(target: WebTarget, visit: () => Promise<Facts>): Promise<WebOutcome>;
}

export interface WebTarget {
  readonly address: string;
  /** The host and the end of its alias chain: the list of opt-outs applies to both. */
  readonly names: readonly string[];
}

/**
 * `visited`: the visit has a result. `later`: the address rests, its budget is spent, or
 * other visits wait for it. `given-up`: the address rested too often in this scan.
 */
export type WebOutcome =
  | { readonly kind: 'visited' | 'opted-out' | 'given-up' }
  | { readonly kind: 'later'; readonly ms: number };

export interface HostObservation {
  readonly facts: Facts;
  readonly known: boolean;
  /** Addresses that a scan may contact, in canonical form. */
  readonly addresses: readonly string[];
  /** The group of names that share a certificate, such as `outlook.com`. */
  readonly family: string;
  /** The host has usable TLSA records, which its certificate must match. */
  readonly visitAlways: boolean;
  readonly questions: number;
}

export interface VisitTarget {
  readonly host: string;
  readonly address: string;
  /** The facts that `observeHost` returned. */
  readonly hostFacts: Facts;
  /**
   * Returns true while the lease of the address lasts long enough for one more
   * connection. A visit calls this function before each connection, and ends if it
   * returns false.
   */
  mayConnect(): boolean;
}

export interface VisitObservation {
  readonly facts: Facts;
  /** TCP connections that were opened or attempted. */
  readonly connections: number;
  /**
   * The operator of the host refuses visits, so the scan made no connection and has no
   * facts.
   */
  readonly optedOut?: boolean | undefined;
  /**
   * Maximum validity of the facts in milliseconds, for example until a certificate
   * expires.
   */
  readonly validMs?: number | undefined;
}

/** A host name at an address for which `planVisit` decides. */
export interface PlannedHost {
  readonly host: string;
  readonly address: string;
  /** A policy or TLSA records depend on the certificate. */
  readonly matters: boolean;
  /** Seed of the sample; each scan has its own. */
  readonly seed: string;
  /** Number of other families at the address with a visited name. */
  readonly otherFamilies: number;
}

/**
 * The groups from which a name at an address can be inferred: `family` contains the names
 * of one provider, `server` the names that the server's certificate does not cover.
 */
export type NameGroup = 'family' | 'server';

export type NameGroups = Readonly<Partial<Record<NameGroup, KnownGroup>>>;

/** A group with a visited name at the address. */
export interface KnownGroup {
  /** The state that `afterVisit` returned. */
  readonly state: Facts;
  /** The facts of the visit that represents the group; absent in `afterVisit`. */
  readonly model?: Facts | undefined;
  /** Number of equal results in the whole scan. */
  readonly equal: number;
  /** A result differed in the scan, so the engine infers no further name. */
  readonly ended: boolean;
}

/**
 * `visit`: connect. `check`: connect, to measure the errors of inference. `infer`: copy the
 * facts of the model. `leave`: do not connect, the facts stay unknown.
 */
export interface VisitPlan {
  readonly kind: 'visit' | 'check' | 'infer' | 'leave';
  /** The group of a name that is checked or inferred. */
  readonly group?: NameGroup | undefined;
}

export interface GroupVisit {
  readonly host: string;
  readonly facts: Facts;
  /**
   * The group from which the name could have been inferred: the visit measures the error
   * of inference.
   */
  readonly checks?: NameGroup | undefined;
}

export interface GroupChange {
  readonly group: NameGroup;
  readonly state: Facts;
  /** The host of this visit represents the group from now on. */
  readonly isModel: boolean;
  /** The results at this one address suffice to infer further names. */
  readonly isReady: boolean;
  /** Number of families that the group represents at its address. */
  readonly visited: number;
  /** The name and digest under which equal results are counted over all addresses. */
  readonly countedAs: string;
  readonly digest: string;
  readonly added: GroupCounts;
}

/** The numbers that one visit adds to the totals of its group in the scan. */
export interface GroupCounts {
  readonly equal: number;
  readonly checked: number;
  readonly wrong: number;
  readonly ended: boolean;
}

/** The consequences of a visit for its address. */
export interface ContactDecision {
  /** The standing of this scanner at the address, for the next decision. */
  readonly standing: Facts;
  /**
   * The facts are the result of the visit; if false, the engine repeats the visit later.
   */
  readonly isSettled: boolean;
  /** The scan abandons the address: its waiting visits end without a result. */
  readonly givesUp: boolean;
  /** Milliseconds for which the address is not contacted, in addition to the spacing. */
  readonly restMs: number;
  /** The server asked for fewer connections: the spacing doubles. */
  readonly isSlow: boolean;
  /**
   * The server did not answer, possibly because of a fault in the scanner's own network.
   */
  readonly timedOut: boolean;
  /** The reason of a rest, in one word. */
  readonly reason?: string | undefined;
}

/** All facts that are known about one domain. Hosts are in the order of preference. */
export interface DomainFactSet {
  readonly domain: string;
  /** The date of the scan (RFC 3339), at which the grader validates certificates. */
  readonly at: string;
  readonly facts: Facts;
  readonly hosts: readonly {
    readonly name: string;
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

/** The result of a visit: `unreached` addresses remain undecided in every grade. */
export type VisitState = 'visited' | 'inferred' | 'opted-out' | 'unreached';

/** The grade of a domain without its names: domains with equal facts share it. */
export interface DomainGrade {
  readonly verdict: string;
}

/** The current facts of a domain, and the changed facts. */
export interface DomainComparison {
  readonly changes: readonly DomainChange[];
  /** The latest known value of each fact, for the next comparison. */
  readonly stands: Facts;
}

export interface DomainChange {
  readonly kind: string;
  readonly was: unknown;
  readonly is: unknown;
}

/** One graded domain with the names of its hosts, for the statistics. */
export interface GradedDomain {
  readonly domain: string;
  readonly hosts: readonly string[];
  readonly grade: DomainGrade;
}

/**
 * One number of the statistics: `n` of `of` units, and the units whose answer is unknown.
 */
export interface ScanStatistic {
  readonly page: string;
  readonly key: string;
  /** The units: `domains`, `mailHosts` or `operators`. */
  readonly counted: string;
  readonly n: number;
  readonly of: number;
  readonly unknown: number;
}

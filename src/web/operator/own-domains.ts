import type { Clock } from '../../base/index.js';
import { historyTables } from '../../check/index.js';
import { ledgerTables, openLedger, type Ledger, type ServedPolicy } from '../../publish/index.js';
import { stsStore } from '../../send/index.js';
import type { StsEntry } from '../../mta-sts/index.js';
import { migrateStore, type Store, type TableSet } from '../../store/index.js';
import {
  isReported,
  listReporters,
  prepareReports,
  reportTables,
  reportedDomains,
  showOverviewInTurns,
  type DomainLine,
  type ListedReporter,
  type Overview,
} from '../../tls-rpt-receive/index.js';
import {
  openAlarms,
  prepareWatch,
  readWatch,
  watchTables,
  type DomainState,
} from '../../watch/index.js';
import { KeptAnswer } from './kept-answer.js';

/** One domain of the operator, with the facts that the jobs of the daemon have stored. */
export interface OwnDomain {
  /** The domain as A-labels, without a final dot. */
  readonly domain: string;
  /**
   * The failures according to reports; undefined if the reports of these days contain no
   * failure.
   */
  readonly failing?: DomainLine | undefined;
  /** Whether authenticated reports exist. */
  readonly reported: boolean;
  /** The stored state of the watch; undefined if the domain is not watched. */
  readonly watched?: DomainState | undefined;
  /** The number of open alarms of the watch. */
  readonly alarms: number;
}

/** All domains of the operator, worst first, and the overview of the reports. */
export interface OwnDomains {
  readonly overview: Overview;
  readonly domains: readonly OwnDomain[];
}

/** The tables of other jobs that the pages of the operator read. */
export const ownDomainsTables: readonly TableSet[] = [
  reportTables,
  watchTables,
  historyTables,
  ledgerTables,
];

/** Maximum number of cached policies that one page lists. */
const MAX_POLICIES = 200;
/**
 * Number of days that the list of reporters covers, and the maximum number of reporters.
 */
export const REPORTER_DAYS = 30;
const MAX_REPORTERS = 1000;
const DAY = 86_400_000;
/**
 * Milliseconds for which a long list is reused. A list with few domains or reports is
 * read again for each request.
 */
const KEEP_MS = 60_000;
const FEW_DOMAINS = 200;
const FEW_REPORTS = 20_000;

/**
 * Reads the domains of the operator from the tables of the jobs: the failures that
 * `tls-rpt-receive` judges, the alarms of `watch`, and the served policies in the ledger
 * of `publish`.
 */
export class OwnDomainsReader {
  readonly #store: Store;
  readonly #ledger: Ledger;
  readonly #all: KeptAnswer<OwnDomains>;
  readonly #reporters: KeptAnswer<readonly ListedReporter[]>;

  constructor(stateStore: Store, clock: Clock) {
    prepareReports(stateStore);
    prepareWatch(stateStore);
    migrateStore(stateStore, historyTables.job, historyTables.migrations);
    this.#store = stateStore;
    this.#ledger = openLedger(stateStore);
    this.#all = new KeptAnswer({
      clock,
      compute: (now) => this.#readAll(now),
      keepMs: ({ domains }) => (domains.length <= FEW_DOMAINS ? 0 : KEEP_MS),
    });
    this.#reporters = new KeptAnswer({
      clock,
      compute: (now) =>
        listReporters(stateStore, { from: now - REPORTER_DAYS * DAY, to: now }, MAX_REPORTERS),
      keepMs: (reporters) =>
        reporters.reduce((sum, { reports }) => sum + reports, 0) <= FEW_REPORTS ? 0 : KEEP_MS,
    });
  }

  get store(): Store {
    return this.#store;
  }

  get ledger(): Ledger {
    return this.#ledger;
  }

  /**
   * Returns the domains that `covers` accepts, by default all. The sums of the overview
   * always concern all domains. A long list may be a minute old.
   */
  async all(covers: (domain: string) => boolean = () => true): Promise<OwnDomains> {
    const { overview, domains } = await this.#all.get();
    return { overview, domains: domains.filter(({ domain }) => covers(domain)) };
  }

  /** Returns the reporters of the last 30 days, the most reports first. */
  async reporters(limit: number): Promise<readonly ListedReporter[]> {
    return (await this.#reporters.get()).slice(0, limit);
  }

  /**
   * Reads all domains, in steps between which the daemon does other work, so that other
   * ports do not wait for a page.
   */
  async #readAll(now: number): Promise<OwnDomains> {
    const overview = await showOverviewInTurns(this.#store, { now, withSums: true });
    // A map is used, because a report may be about a domain that has the name of a member
    // of Object.prototype.
    const watched = new Map(Object.entries(readWatch(this.#store).domains));
    const reported = reportedDomains(this.#store).filter(({ authenticated }) => authenticated);
    const published = this.#ledger.domains();
    const withReports = new Set(reported.map(({ domain }) => domain));
    const failing = new Map(overview.failing.map((line) => [line.domain, line]));
    // With DANE a reported name may be an MX host, which is not listed as a domain.
    const names = new Set([...watched.keys(), ...published, ...failing.keys()]);
    const known = new Set(names);
    for (const name of withReports) if (!isHostOf(name, known)) names.add(name);
    const domains = [...names]
      .filter((domain) => domain !== '')
      .map((domain): OwnDomain => {
        const state = watched.get(domain);
        return {
          domain,
          failing: failing.get(domain),
          reported: withReports.has(domain),
          watched: state,
          alarms: state ? openAlarms(state) : 0,
        };
      })
      .sort((left, right) => urgencyOf(right) - urgencyOf(left) || compare(left, right));
    return { overview, domains };
  }

  /**
   * Returns the policy that this program serves for a domain now; undefined if it serves
   * none.
   */
  policyOf(domain: string): ServedPolicy | undefined {
    const last = this.#ledger.domain(domain).served.at(-1);
    return last?.last === undefined ? last : undefined;
  }

  /** Returns the stored state of the watch for a domain. */
  watched(domain: string): DomainState | undefined {
    const { domains } = readWatch(this.#store);
    return Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  }

  /** Returns whether a job of the daemon knows the domain. */
  knows(domain: string): boolean {
    return (
      this.watched(domain) !== undefined ||
      this.#ledger.domains().includes(domain) ||
      isReported(this.#store, domain)
    );
  }

  /**
   * Returns the policies that the senders of this machine have cached, those with the
   * earliest refresh first.
   */
  cachedPolicies(now: number): readonly StsEntry[] {
    return stsStore(this.#store, { now: () => now }).due(Number.MAX_SAFE_INTEGER, MAX_POLICIES);
  }
}

/** Returns whether a name is below one of the domains. */
function isHostOf(name: string, domains: ReadonlySet<string>): boolean {
  const labels = name.split('.');
  return labels.some((_, index) => index > 0 && domains.has(labels.slice(index).join('.')));
}

/**
 * Returns the urgency of a domain: 3 if it is broken, 2 if it will soon be, 1 if the
 * state is unknown, 0 if it is healthy.
 */
export function urgencyOf({ failing, reported, watched, alarms }: OwnDomain): 0 | 1 | 2 | 3 {
  if (failing?.ongoing === true || watched?.verdict === 'fail') return 3;
  if (alarms > 0 || watched?.verdict === 'warn') return 2;
  if (watched?.unseen === true || watched?.verdict === 'inconclusive') return 1;
  // Without a check and without reports the state is unknown.
  if (!watched && !reported) return 1;
  return 0;
}

function compare(left: OwnDomain, right: OwnDomain): number {
  const failed = (right.failing?.failed ?? 0) - (left.failing?.failed ?? 0);
  return failed || left.domain.localeCompare(right.domain);
}

import { BoundedMap, SingleFlight, type Clock } from '../../base/index.js';
import { describeAction, type Ledger, type SubjectPlan } from '../../publish/index.js';
import { describePlan, type PlannedSubject, type PlanSources } from './plan-view.js';

/** The source of the plans that the job `publish` would execute. */
export interface PlanSource {
  /**
   * Observes a domain and its mail hosts, and returns the plans of their next steps.
   * Writes nothing.
   */
  observe(domain: string): Promise<PlansOfDomain>;
}

/** The plans of a domain and its mail hosts. */
export interface PlansOfDomain extends Pick<PlanSources, 'explain'> {
  /** The plans; empty for a domain that the section `publish` does not contain. */
  readonly plans: readonly SubjectPlan[];
}

/**
 * The plans of a domain and its mail hosts, and the time at which their observation
 * ended.
 */
export interface ObservedPlan {
  /** Milliseconds since 1970. */
  readonly observedAt: number;
  readonly subjects: readonly PlannedSubject[];
}

/** The plans, or the reason why they are not available. */
export type PlanAnswer =
  | { readonly ok: true; readonly plan: ObservedPlan }
  | {
      readonly ok: false;
      readonly code: 'web-plan-absent' | 'web-plan-pending' | 'web-plan-failed';
    };

/** The resources of {@link PlanReader}. */
export interface PlanReaderOptions {
  /** The source of the plans; undefined without the section `publish`. */
  readonly source: PlanSource | undefined;
  readonly ledger: Pick<Ledger, 'body'>;
  readonly clock: Clock;
  readonly log: { error(event: string, fields?: Readonly<Record<string, string>>): void };
}

/** Milliseconds for which an observation is reused. */
const KEEP_MS = 60_000;
const MAX_KEPT = 200;
/**
 * Maximum number of domains that are observed at the same time, since each observation
 * contacts mail servers.
 */
const MAX_CONCURRENT = 4;

/**
 * Reads plans for the pages. A plan requires an observation of name servers, policy host
 * and mail servers, which may take longer than a page can wait. An observation therefore
 * continues after the page was sent, and the next request gets its result. However often
 * a page is reloaded, a domain is observed at most once a minute.
 */
export class PlanReader {
  readonly #kept = new BoundedMap<{ readonly answer: PlanAnswer; readonly until: number }>(
    MAX_KEPT,
  );
  readonly #flights = new SingleFlight<PlanAnswer>();
  readonly #running = new Set<string>();

  constructor(private readonly options: PlanReaderOptions) {}

  /**
   * Returns the plans of a domain. If the observation takes longer than `waitMs`, returns
   * `web-plan-pending`.
   */
  async read(domain: string, waitMs: number): Promise<PlanAnswer> {
    const { clock, source } = this.options;
    if (!source) return { ok: false, code: 'web-plan-absent' };
    const kept = this.#kept.get(domain);
    if (kept && clock.monotonic() < kept.until) return kept.answer;
    const pending: PlanAnswer = { ok: false, code: 'web-plan-pending' };
    if (this.#running.size >= MAX_CONCURRENT && !this.#running.has(domain)) return pending;
    const waiting = new AbortController();
    const late = clock.sleep(waitMs, waiting.signal).then(
      () => pending,
      () => pending,
    );
    const observed = this.#flights.run(domain, () => this.#observe(domain, source));
    const answer = await Promise.race([observed, late]);
    waiting.abort();
    return answer;
  }

  async #observe(domain: string, source: PlanSource): Promise<PlanAnswer> {
    const { clock, log } = this.options;
    this.#running.add(domain);
    const answer = await this.#plan(domain, source).catch((error: unknown): PlanAnswer => {
      log.error('web-plan-failed', { domain, error: (error as Error).message });
      return { ok: false, code: 'web-plan-failed' };
    });
    this.#running.delete(domain);
    this.#kept.set(domain, { answer, until: clock.monotonic() + KEEP_MS });
    return answer;
  }

  async #plan(domain: string, source: PlanSource): Promise<PlanAnswer> {
    const { clock, ledger } = this.options;
    const { plans, explain } = await source.observe(domain);
    if (plans.length === 0) return { ok: false, code: 'web-plan-absent' };
    const sources = {
      describe: describeAction,
      explain,
      bodyOf: (name: string) => ledger.body(name),
    };
    const subjects = plans
      .map((plan) => describePlan(plan, sources))
      .sort((left, right) => left.kind.localeCompare(right.kind));
    return { ok: true, plan: { observedAt: clock.now(), subjects } };
  }
}

/**
 * Returns the part of an answer that an account may see. An account that is confined to
 * customers does not see mail hosts: the hosts may serve other customers, and their steps
 * name files on this machine.
 */
export function planFor(answer: PlanAnswer, isWhole: boolean): PlanAnswer {
  if (!answer.ok || isWhole) return answer;
  const subjects = answer.plan.subjects.filter(({ kind }) => kind === 'domain');
  return { ok: true, plan: { ...answer.plan, subjects } };
}

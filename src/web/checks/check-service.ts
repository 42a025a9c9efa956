import { randomInt } from 'node:crypto';
import { getDomain } from 'tldts';
import { BoundedMap, followSignals, type Name } from '../../base/index.js';
import {
  AddressVisits,
  collect,
  collectOptions,
  DEFAULT_BUDGET,
  findProfile,
  grade,
  nameOf,
  OptOutRecords,
  type CheckEvent,
  type OptOut,
} from '../../check/index.js';
import type { CheckResult, Evidence } from '../../evidence/index.js';
import { isStoreFailure } from '../../store/index.js';
import type { WebFailureCode } from '../failures.js';
import type { PagesSettings } from '../settings.js';
import { CheckTable, type CheckRow } from './check-table.js';
import { isLocalName } from './local-name.js';
import type { PagesContext } from './pages-context.js';
import { limitKey, savedAddress } from '../clients/client-address.js';
import { RateWindow } from '../clients/rate-window.js';

/** The request of a visitor to check a domain. */
export interface CheckRequest {
  readonly domain: Name;
  /** The address of the client. */
  readonly client: string;
  /** The id of a recent check that the visitor wants to repeat. */
  readonly again?: string | undefined;
  /**
   * Maximum age of a reused result in milliseconds. Default: the age in the
   * configuration.
   */
  readonly maxAgeMs?: number | undefined;
  /**
   * Whether the operator requests the check. If so, no client limit and no pause apply.
   */
  readonly isOperator: boolean;
}

/**
 * The id of a check that was found or started, or the reason why no check was started.
 */
export type CheckAdmission =
  | { readonly ok: true; readonly id: string; readonly started: boolean }
  | { readonly ok: false; readonly code: WebFailureCode; readonly retrySeconds: number };

/** The current state of a check. */
export interface CheckStatus extends CheckRow {
  /** The place in the queue, from 1; only while the check is queued. */
  readonly position?: number | undefined;
  /** Facts that the running check has observed so far. */
  readonly events: readonly CheckEvent[];
  /**
   * A number that grows with every change; a stream sends only a new state.
   */
  readonly revision: number;
}

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Maximum number of checks of one client that run or wait at the same time. */
const MAX_CONCURRENT = 2;
/** Maximum number of checks that one client may start in a minute. */
const BURST = 3;
/** Milliseconds between two searches for expired rows. */
const PRUNE_INTERVAL = HOUR;
/**
 * Maximum age in milliseconds of an unfinished check that a restart continues.
 */
const RESUME_MS = HOUR;
/** Maximum number of ended checks in memory whose state the database could not store. */
const MAX_UNSAVED = 1000;
/**
 * Maximum number of graded results, and of ended checks with their events, in memory.
 */
const MAX_GRADED = 50;
const ID_LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A check that has not been stored as finished. */
class Running {
  state: 'queued' | 'running' = 'queued';
  readonly events: CheckEvent[] = [];
  revision = 1;
  readonly watchers = new Set<() => void>();

  constructor(
    readonly row: CheckRow,
    readonly clientKey: string,
    readonly fresh: boolean,
  ) {}

  changed(): void {
    this.revision++;
    for (const watcher of [...this.watchers]) watcher();
  }
}

/**
 * Runs the checks that visitors ask for. Limits for each client, each organisational
 * domain and each mail server, and a bounded queue, protect mail servers and this
 * machine. An accepted check is in the database before its id is returned, so that the
 * check can continue after a restart.
 */
export class CheckService {
  readonly table: CheckTable;
  readonly #context: PagesContext;
  readonly #settings: PagesSettings;
  readonly #visits: AddressVisits;
  readonly #records: OptOutRecords;
  readonly #perClient: RateWindow;
  readonly #burst: RateWindow;
  readonly #perDomain: RateWindow;
  readonly #active = new Map<string, Running>();
  /** The ids of unfinished checks, by domain. */
  readonly #byDomain = new Map<string, Promise<string>>();
  readonly #queue: Running[] = [];
  readonly #graded = new BoundedMap<CheckResult>(MAX_GRADED);
  /** The events of ended checks, for streams that have not yet sent all of them. */
  readonly #pastEvents = new BoundedMap<readonly CheckEvent[]>(MAX_GRADED);
  /**
   * Failed checks whose state could not be saved. In the database they are unfinished.
   */
  readonly #unsaved = new BoundedMap<CheckRow>(MAX_UNSAVED);
  readonly #stopping = new AbortController();
  #running = 0;
  #prunedAt = -Infinity;
  /** Number of finished checks by state, for metrics. */
  readonly finished = new Map<string, number>();

  constructor(settings: PagesSettings, context: PagesContext, optOut?: OptOut) {
    this.#settings = settings;
    this.#context = context;
    this.table = new CheckTable(context.store);
    const { clock } = context;
    const { perClient, perDomain, perServer, reuseMinutes } = settings.limits;
    const now = (): number => clock.monotonic();
    this.#perClient = new RateWindow(perClient, HOUR, now);
    this.#burst = new RateWindow(BURST, MINUTE, now);
    this.#perDomain = new RateWindow(perDomain, HOUR, now);
    this.#records = new OptOutRecords(now);
    this.#visits = new AddressVisits({
      perVisit: DEFAULT_BUDGET,
      perDay: perServer,
      reuseMs: Math.max(HOUR, reuseMinutes * MINUTE),
      optOut,
      shared: context.sharedAddresses,
      now,
    });
    for (const row of this.table.unfinished(clock.now() - RESUME_MS, settings.limits.waiting))
      this.#enqueue(new Running({ ...row, state: 'queued' }, '', false));
  }

  /** The number of checks that wait in the queue. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Whether half of the queue is in use: checks of low priority then wait. */
  get isBusy(): boolean {
    return this.#queue.length * 2 >= Math.max(1, this.#settings.limits.waiting);
  }

  /** The number of running checks. */
  get running(): number {
    return this.#running;
  }

  /** Ends running checks; the next process starts them again. */
  stop(): void {
    this.#stopping.abort(new Error('stopped'));
  }

  /** The signal that aborts when the service stops, so that streams end. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Finds a recent or running check of a domain. Otherwise starts a check if the limits
   * permit.
   */
  async ask(request: CheckRequest): Promise<CheckAdmission> {
    const domain = request.domain.toLower();
    const { checkOptions } = this.#context;
    if (checkOptions && !checkOptions(domain))
      return { ok: false, code: 'web-domain-outside', retrySeconds: 0 };
    if (!request.isOperator && isLocalName(domain))
      return { ok: false, code: 'web-domain-local', retrySeconds: 0 };
    const running = this.#byDomain.get(domain);
    if (running) return { ok: true, id: await running, started: false };
    const newest = this.table.newest(domain);
    const age = newest ? this.#context.clock.now() - newest.askedAt : Infinity;
    const { reuseMinutes, againMinutes } = this.#settings.limits;
    const reuseMs = Math.min(request.maxAgeMs ?? Infinity, reuseMinutes * MINUTE);
    if (newest && request.again === undefined && age >= 0 && age < reuseMs)
      return { ok: true, id: newest.id, started: false };
    const pause = againMinutes * MINUTE - age;
    if (request.again !== undefined && pause > 0 && age >= 0 && !request.isOperator)
      return refused('web-again-early', pause);
    const limited = this.#limited(request, domain);
    if (limited) return limited;
    // The owner may have changed the domain since an earlier check.
    const fresh = request.again !== undefined || newest !== undefined;
    const accepted = this.#accept(request, domain, fresh);
    this.#byDomain.set(domain, accepted);
    try {
      return { ok: true, id: await accepted, started: true };
    } catch (error) {
      this.#byDomain.delete(domain);
      if (isStoreFailure(error)) return refused('web-not-saved', MINUTE);
      throw error;
    }
  }

  /** Returns the number of checks that a client may still start in this hour. */
  quotaOf(client: string): { readonly remaining: number; readonly resetMs: number } {
    return this.#perClient.quota(limitKey(client));
  }

  /** Returns the state of a check; undefined for an unknown id. */
  status(id: string): CheckStatus | undefined {
    const active = this.#active.get(id);
    if (!active) {
      const row = this.#unsaved.get(id) ?? this.table.find(id);
      return row && { ...row, events: [], revision: Number.MAX_SAFE_INTEGER };
    }
    const { row, state, events, revision } = active;
    const position = state === 'queued' ? this.#queue.indexOf(active) + 1 : undefined;
    return { ...row, state, events, revision, position };
  }

  /** Returns the facts that a check has observed; empty some time after its end. */
  eventsOf(id: string): readonly CheckEvent[] {
    return this.#active.get(id)?.events ?? this.#pastEvents.get(id) ?? [];
  }

  /**
   * Resolves when a check has changed since `revision`, at the latest after
   * `milliseconds`.
   */
  async changed(
    id: string,
    revision: number,
    milliseconds: number,
    signal: AbortSignal,
  ): Promise<void> {
    const active = this.#active.get(id);
    if (!active || active.revision !== revision) return;
    await followSignals([signal, this.signal], async (waiting) => {
      const wake = (): void => waiting.abort();
      active.watchers.add(wake);
      await this.#context.clock.sleep(milliseconds, waiting.signal).catch(() => undefined);
      active.watchers.delete(wake);
    });
  }

  /** Returns the evidence of a finished check. */
  evidence(id: string): Evidence | undefined {
    return this.table.evidence(id);
  }

  /**
   * Returns the result of a finished check under a profile. Saved evidence is graded by
   * the current rules, so a corrected rule also applies to an old result.
   */
  result(id: string, profileName = 'baseline'): CheckResult | undefined {
    const identity = `${id} ${profileName}`;
    const known = this.#graded.get(identity);
    if (known) return known;
    const profile = findProfile(profileName);
    const evidence = this.evidence(id);
    if (!profile || !evidence) return undefined;
    const result = grade(evidence, profile);
    this.#graded.set(identity, result);
    return result;
  }

  #limited(request: CheckRequest, domain: string): CheckAdmission | undefined {
    const clientKey = limitKey(request.client);
    if (this.#queue.length >= this.#settings.limits.waiting)
      return refused('web-queue-full', 60_000);
    // All names below one registered domain share a limit.
    const organisation = getDomain(domain, { allowPrivateDomains: true }) ?? domain;
    const domainWait = this.#perDomain.waitFor(organisation);
    if (domainWait > 0) return refused('web-domain-limit', domainWait);
    if (!request.isOperator) {
      const own = [...this.#active.values()].filter((one) => one.clientKey === clientKey).length;
      if (own >= MAX_CONCURRENT) return refused('web-client-limit', 30_000);
      const wait = Math.max(this.#perClient.waitFor(clientKey), this.#burst.waitFor(clientKey));
      if (wait > 0) return refused('web-client-limit', wait);
      this.#perClient.count(clientKey);
      this.#burst.count(clientKey);
    }
    this.#perDomain.count(organisation);
    return undefined;
  }

  async #accept(
    { client, again, isOperator }: CheckRequest,
    domain: string,
    fresh: boolean,
  ): Promise<string> {
    const id = Array.from({ length: 22 }, () => ID_LETTERS[randomInt(62)]).join('');
    const askedAt = this.#context.clock.now();
    const row: CheckRow = { id, domain, state: 'queued', askedAt, previous: again };
    const active = new Running(row, isOperator ? '' : limitKey(client), fresh);
    // The check counts as active before its row is durable, so that concurrent requests
    // cannot exceed the limits.
    this.#active.set(id, active);
    try {
      await this.table.insert(row, savedAddress(client));
    } catch (error) {
      this.#active.delete(id);
      throw error;
    }
    this.#enqueue(active);
    return id;
  }

  #enqueue(active: Running): void {
    const { id, domain } = active.row;
    this.#active.set(id, active);
    if (!this.#byDomain.has(domain)) this.#byDomain.set(domain, Promise.resolve(id));
    this.#queue.push(active);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#running < this.#settings.limits.running) {
      const next = this.#queue.shift();
      if (!next) return;
      this.#running++;
      next.state = 'running';
      next.changed();
      for (const waiting of this.#queue) waiting.changed();
      void this.#run(next).finally(() => {
        this.#running--;
        if (!this.signal.aborted) this.#startNext();
      });
    }
  }

  async #run(active: Running): Promise<void> {
    const { id, domain } = active.row;
    const { clock, log } = this.#context;
    try {
      const evidence = await this.#collect(active);
      await this.table.finish(id, clock.now(), evidence);
      this.#count('done');
    } catch (error) {
      // On a stop the row stays unfinished, so that the next process continues the check.
      if (this.signal.aborted) return;
      const failure = failureOf(error);
      if (failure !== 'web-check-slow')
        log.error(failure, { domain, error: (error as Error).message });
      const finishedAt = clock.now();
      await this.table
        .fail(id, finishedAt, failure)
        .catch(() =>
          this.#unsaved.set(id, { ...active.row, state: 'failed', finishedAt, failure }),
        );
      this.#count('failed');
    }
    this.#pastEvents.set(id, active.events);
    this.#active.delete(id);
    this.#byDomain.delete(domain);
    active.changed();
    await this.#prune();
  }

  /**
   * Collects the evidence of a check. Stops after the configured time, so that a tarpit
   * does not block the queue.
   */
  #collect(active: Running): Promise<Evidence> {
    const { clock } = this.#context;
    return followSignals([this.signal], async (ended) => {
      void clock
        .sleep(this.#settings.limits.seconds * 1000, ended.signal)
        .then(() => ended.abort(TOO_SLOW))
        .catch(() => undefined);
      try {
        return await this.#collectUntil(active, ended.signal);
      } finally {
        ended.abort(new Error('finished'));
      }
    });
  }

  #collectUntil(active: Running, signal: AbortSignal): Promise<Evidence> {
    const { domain } = active.row;
    const { clock, network, resolver, trustStore } = this.#context;
    const options = collectOptions({
      ...(this.#context.checkOptions?.(domain) ?? {
        network,
        resolver,
        trustStore,
        // Visitors choose the domain, so the check never contacts a private address in
        // the records of the domain.
        reach: 'internet',
      }),
      clock,
      helo: this.#settings.helo,
      signal,
      onEvent: (event) => {
        active.events.push(event);
        active.changed();
      },
    });
    const manners = this.#visits.limiter({
      fresh: active.fresh,
      refuses: (hostName) => this.#records.refuses(hostName, options.resolver, signal),
    });
    return collect(nameOf(domain), { ...options, manners });
  }

  #count(state: string): void {
    this.finished.set(state, (this.finished.get(state) ?? 0) + 1);
  }

  async #prune(): Promise<void> {
    const { clock, log } = this.#context;
    if (clock.monotonic() - this.#prunedAt < PRUNE_INTERVAL) return;
    this.#prunedAt = clock.monotonic();
    await this.table
      .prune(clock.now(), this.#settings.keepDays)
      .catch((error: unknown) =>
        log.error('web-prune-failed', { error: (error as Error).message }),
      );
  }
}

const TOO_SLOW = new Error('the check took too long');

/** Returns the code of the reason why a check has no result. */
function failureOf(error: unknown): WebFailureCode {
  if (error === TOO_SLOW) return 'web-check-slow';
  return isStoreFailure(error) ? 'web-not-saved' : 'web-check-broken';
}

function refused(code: WebFailureCode, milliseconds: number): CheckAdmission {
  return { ok: false, code, retrySeconds: Math.max(1, Math.ceil(milliseconds / 1000)) };
}

import { createHash } from 'node:crypto';
import { followSignals, parseDomain } from '../../base/index.js';
import { randomText } from '../access/random-secret.js';
import type { WebFailureCode } from '../failures.js';
import { BatchTable, type Batch, type BatchItem } from './batch-table.js';
import type { CheckService } from './check-service.js';
import type { PagesContext } from './pages-context.js';

/** A request of an account to check many domains. */
export interface BatchRequest {
  readonly owner: string;
  readonly name: string;
  readonly domains: readonly string[];
  /** The Idempotency-Key of the request. */
  readonly requestKey?: string | undefined;
}

/** A batch that was created or found by its key, or the reason for the refusal. */
export type BatchAdmission =
  | { readonly ok: true; readonly id: string; readonly isNew: boolean }
  | { readonly ok: false; readonly code: WebFailureCode };

/** Maximum number of unfinished batches of one account. */
const MAX_RUNNING = 10;
/** Maximum number of domains of batches that are checked concurrently. */
const MAX_CONCURRENT = 2;
/** Milliseconds until a full queue is examined again. */
const PAUSE_MS = 5_000;
const KEEP_MS = 30 * 86_400_000;

/**
 * Checks the domains of batches with low priority: their checks wait while half of the
 * queue is in use, so that the other half is free for visitors. The results survive a
 * restart.
 */
export class BatchService {
  readonly #table: BatchTable;
  readonly #checks: CheckService;
  readonly #context: PagesContext;
  readonly #active = new Set<string>();
  readonly #watchers = new Set<() => void>();

  constructor(checks: CheckService, context: PagesContext) {
    this.#table = new BatchTable(context.store);
    this.#checks = checks;
    this.#context = context;
    this.#startNext();
  }

  /**
   * Creates a batch and resolves when it is durable. For a repeated request resolves to
   * the earlier batch.
   */
  async create({ owner, name, domains, requestKey }: BatchRequest): Promise<BatchAdmission> {
    const requestDigest = createHash('sha256')
      .update(JSON.stringify([name, domains]))
      .digest('hex');
    const earlier = requestKey === undefined ? undefined : this.#table.byKey(owner, requestKey);
    if (earlier)
      return earlier.digest === requestDigest
        ? { ok: true, id: earlier.id, isNew: false }
        : { ok: false, code: 'web-key-reused' };
    const names: string[] = [];
    for (const typed of domains) {
      const domain = parseDomain(typed);
      if (!domain.ok) return { ok: false, code: 'web-domain-invalid' };
      names.push(domain.value.toLower());
    }
    if (this.#table.running(owner) >= MAX_RUNNING) return { ok: false, code: 'web-batch-limit' };
    const createdAt = this.#context.clock.now();
    const id = randomText(22);
    await this.#table.prune(createdAt - KEEP_MS);
    const unique = [...new Set(names)];
    try {
      await this.#table.insert({
        id,
        name,
        owner,
        createdAt,
        domains: unique,
        requestKey,
        requestDigest,
      });
    } catch (error) {
      // A parallel request with the same key created the batch first.
      const first = requestKey === undefined ? undefined : this.#table.byKey(owner, requestKey);
      if (first?.digest !== requestDigest) throw error;
      return { ok: true, id: first.id, isNew: false };
    }
    this.#startNext();
    return { ok: true, id, isNew: true };
  }

  /**
   * Returns a batch of an account; undefined for an unknown id, and for a batch of
   * another account.
   */
  find(id: string, owner: string): Batch | undefined {
    const batch = this.#table.find(id);
    return batch?.owner === owner ? batch : undefined;
  }

  /** Returns the results after a position, in the order of their completion. */
  results(id: string, after: number, limit: number): readonly BatchItem[] {
    return this.#table.results(id, after, limit);
  }

  async cancel(id: string): Promise<void> {
    await this.#table.cancel(id);
    this.#wake();
  }

  /** Resolves when a further result exists, at the latest after `milliseconds`. */
  async changed(milliseconds: number, signal: AbortSignal): Promise<void> {
    await followSignals([signal, this.#checks.signal], async (waiting) => {
      const wake = (): void => waiting.abort();
      this.#watchers.add(wake);
      await this.#context.clock.sleep(milliseconds, waiting.signal).catch(() => undefined);
      this.#watchers.delete(wake);
    });
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #startNext(): void {
    if (this.#checks.signal.aborted) return;
    for (const item of this.#table.waiting(MAX_CONCURRENT * 2)) {
      const identity = `${item.batch} ${item.number}`;
      if (this.#active.size >= MAX_CONCURRENT) return;
      if (this.#active.has(identity)) continue;
      this.#active.add(identity);
      void this.#check(item)
        .catch((error: unknown) => this.#pauseAfter(error))
        .finally(() => {
          this.#active.delete(identity);
          this.#wake();
          this.#startNext();
        });
    }
  }

  async #check(item: {
    readonly batch: string;
    readonly number: number;
    readonly domain: string;
  }): Promise<void> {
    const { signal } = this.#checks;
    const domain = parseDomain(item.domain);
    if (!domain.ok) return this.#table.finish(item, { failure: 'web-domain-invalid' });
    while (this.#checks.isBusy) await this.#context.clock.sleep(PAUSE_MS, signal);
    const admission = await this.#checks.ask({
      domain: domain.value,
      client: '',
      isOperator: true,
    });
    if (!admission.ok) {
      if (admission.code !== 'web-queue-full')
        return this.#table.finish(item, { failure: admission.code });
      return void (await this.#context.clock.sleep(PAUSE_MS, signal));
    }
    const { id } = admission;
    for (;;) {
      const status = this.#checks.status(id);
      signal.throwIfAborted();
      if (!status || status.state === 'failed')
        return this.#table.finish(item, { failure: status?.failure ?? 'web-check-broken' });
      if (status.state === 'done') return this.#table.finish(item, { check: id });
      await this.#checks.changed(id, status.revision, PAUSE_MS, signal);
    }
  }

  /**
   * Logs a failure and waits before the next item. The failed item stays unfinished, so
   * this process or its successor tries it again.
   */
  async #pauseAfter(error: unknown): Promise<void> {
    const { signal } = this.#checks;
    if (signal.aborted) return;
    this.#context.log.error('web-batch-failed', { error: (error as Error).message });
    await this.#context.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
  }
}

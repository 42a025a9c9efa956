import type { Store } from '../../store/index.js';
import { ACCESS_WRITER } from './access-tables.js';

/** Milliseconds for which a key belongs to its first body. */
const VALID_MS = 86_400_000;
/** Keys of one account; the oldest is removed. */
const MAX_KEYS = 10_000;

/** A request with its key, if it has one. */
export interface KeyedRequest {
  readonly owner: string;
  readonly requestKey: string | undefined;
  /** The digest of the body. */
  readonly digest: string;
}

/**
 * The keys of requests that may be repeated (`Idempotency-Key`). The handler is idempotent
 * by itself; a key protects a client that uses one key for two bodies by mistake.
 */
export class RequestKeys {
  constructor(private readonly store: Store) {}

  /**
   * Claims a key for a body. Resolves to false if the account used it with another
   * body.
   */
  async claim({ owner, requestKey, digest }: KeyedRequest, now: number): Promise<boolean> {
    if (requestKey === undefined) return true;
    return this.store.write(ACCESS_WRITER, () => {
      this.#prune(owner, now);
      const earlier = this.store
        .prepare<{ digest: string }>(
          'SELECT digest FROM web_request WHERE owner = ? AND request_key = ?',
        )
        .get(owner, requestKey);
      if (earlier) return earlier.digest === digest;
      this.store
        .prepare(
          'INSERT INTO web_request (owner, request_key, digest, sent_at) VALUES (?, ?, ?, ?)',
        )
        .run(owner, requestKey, digest, now);
      return true;
    });
  }

  #prune(owner: string, now: number): void {
    this.store.prepare('DELETE FROM web_request WHERE sent_at < ?').run(now - VALID_MS);
    this.store
      .prepare(
        `DELETE FROM web_request WHERE owner = ? AND request_key IN
           (SELECT request_key FROM web_request WHERE owner = ?
            ORDER BY sent_at DESC LIMIT -1 OFFSET ?)`,
      )
      .run(owner, owner, MAX_KEYS - 1);
  }
}

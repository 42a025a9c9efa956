import type { Store } from '../../store/index.js';
import { ACCESS_WRITER } from './access-tables.js';

/** Milliseconds for which a key may be used only with its first body. */
const VALID_MS = 86_400_000;
/**
 * Maximum number of keys of one account. Beyond this number the oldest key is deleted.
 */
const MAX_KEYS = 10_000;

/**
 * A request of an account, with its idempotency key, if any, and the digest of its body.
 */
export interface KeyedRequest {
  readonly owner: string;
  readonly requestKey: string | undefined;
  /** The digest of the body. */
  readonly digest: string;
}

/**
 * The idempotency keys (`Idempotency-Key`) of requests whose handler is already
 * idempotent. A key only protects a client that by mistake uses it for two different
 * bodies.
 */
export class RequestKeys {
  constructor(private readonly store: Store) {}

  /**
   * Stores a key with the digest of its body. Resolves to false if the account has used
   * the key with another body.
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

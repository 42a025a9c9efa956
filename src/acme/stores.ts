import { createHash, type KeyObject } from 'node:crypto';

/** Saved accounts, by directory URL. A change is durable once its promise resolves. */
export interface AccountStore {
  account(directory: string): AccountRecord | undefined;
  saveAccount(directory: string, account: AccountRecord | undefined): Promise<void>;
}

/** Saved open orders, by host and key. A change is durable once its promise resolves. */
export interface OrderStore {
  /**
   * Returns the open order for a key. `url` is missing if no reply to the newOrder
   * request was saved.
   */
  order(hostName: string, key: string): OpenOrder | undefined;
  saveOrder(hostName: string, key: string, openOrder: OpenOrder): Promise<void>;
  /** Returns whether the store contains an order with this URL, for any key. */
  hasOrder(url: string): boolean;
}

/**
 * Private keys of accounts, by folder and name. `make` keeps an existing key. A new key
 * is durable when `make` returns.
 */
export interface AccountKeys {
  make(folder: string, name: string, type: 'ecdsa'): unknown;
  privateKey(folder: string, name: string): KeyObject;
}

/** A saved account. */
export interface AccountRecord {
  /** URL of the account, the `kid` of its requests. */
  readonly url: string;
  /** Name of its key in the ring. */
  readonly key: string;
  /** Name of the next key, during a change of keys. */
  readonly next?: string | undefined;
}

/** A saved order that has no certificate yet. */
export interface OpenOrder {
  readonly directory: string;
  /** Requested names, in the requested order. */
  readonly names: readonly string[];
  readonly url?: string | undefined;
}

/** Returns the key ring's name for the first key of an account. */
export function accountKeyName(directory: string): string {
  return createHash('sha256').update(directory).digest('hex').slice(0, 16);
}

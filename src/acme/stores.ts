import { createHash, type KeyObject } from 'node:crypto';

/** Accounts at CAs, by directory URL. Each call is durable when it returns. */
export interface AccountStore {
  account(directory: string): BookedAccount | undefined;
  saveAccount(directory: string, account: BookedAccount | undefined): void;
}

/** Open orders, by host and key. Each call is durable when it returns. */
export interface OrderStore {
  /** The open order of a key; `url` is missing when it was about to be placed. */
  order(host: string, key: string): OpenOrder | undefined;
  saveOrder(host: string, key: string, order: OpenOrder): void;
  /** Whether an order belongs to some key already. */
  knows(url: string): boolean;
}

/** Private keys of accounts, by folder and name; `make` leaves an existing key alone. */
export interface AccountKeys {
  make(folder: string, name: string, type: 'ecdsa'): unknown;
  privateKey(folder: string, name: string): KeyObject;
}

export interface BookedAccount {
  readonly url: string;
  /** Name of its key in the ring. */
  readonly key: string;
  /** The key that the CA was asked to take in its place, or is about to be. */
  readonly next?: string;
}

export interface OpenOrder {
  readonly directory: string;
  /** Names asked for, in the order in which they were. */
  readonly names: readonly string[];
  readonly url?: string;
}

/** Name of the first key of an account in the ring. */
export function accountKeyName(directory: string): string {
  return createHash('sha256').update(directory).digest('hex').slice(0, 16);
}

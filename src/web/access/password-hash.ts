import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * Minimum and maximum characters of a password. The maximum limits the work for a guess.
 */
export const PASSWORD_LENGTH = { least: 12, most: 256 } as const;

/**
 * The cost of scrypt: 34 MB and about 270 ms (OWASP Password Storage, 2024). Each hash is
 * stored with its parameters, so that later versions can raise them.
 */
const COST: HashCost = { log2N: 15, r: 8, p: 3 };
const SALT_OCTETS = 16;
const HASH_OCTETS = 32;
/** Maximum number of passwords that wait for a comparison. */
const MAX_WAITING = 20;

/** The parameters of scrypt (RFC 7914 §2). */
export interface HashCost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** Returns whether a text may become a password. */
export function isPassword(text: string): boolean {
  const length = [...text].length;
  return length >= PASSWORD_LENGTH.least && length <= PASSWORD_LENGTH.most;
}

/** Hashes a password with a new salt: `scrypt$15$8$3$SALT$HASH`. */
export async function hashPassword(password: string, cost = COST): Promise<string> {
  const salt = randomBytes(SALT_OCTETS);
  const hash = await derive(password, salt, cost);
  const { log2N, r, p } = cost;
  return ['scrypt', log2N, r, p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/**
 * A hash that matches no password. It makes the comparison for an unknown name as slow as
 * for a known one.
 */
const decoyHash = `scrypt$${COST.log2N}$${COST.r}$${COST.p}$${Buffer.alloc(SALT_OCTETS).toString('base64url')}$${Buffer.alloc(HASH_OCTETS).toString('base64url')}`;

/**
 * Hashes and compares passwords, one at a time. Each hash occupies a thread and 34 MB for
 * a quarter of a second, so parallel hashes could stop the other work of the daemon.
 */
export class PasswordHasher {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Returns whether a password matches; undefined if too many comparisons wait. `stored`
   * is undefined for unknown names.
   */
  async verify(stored: string | undefined, password: string): Promise<boolean | undefined> {
    if (this.#waiting >= MAX_WAITING) return undefined;
    this.#waiting++;
    try {
      const isEqual = await this.#inTurn(() => compare(stored ?? decoyHash, password));
      return isEqual && stored !== undefined;
    } finally {
      this.#waiting--;
    }
  }

  /** Hashes a new password, after the hashes and comparisons that are already waiting. */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashPassword(password));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

async function compare(stored: string, password: string): Promise<boolean> {
  const [kind, log2N, r, p, salt = '', hash = ''] = stored.split('$');
  if (kind !== 'scrypt') return false;
  const expected = Buffer.from(hash, 'base64url');
  const parameters = { log2N: Number(log2N), r: Number(r), p: Number(p) };
  const derived = await derive(password, Buffer.from(salt, 'base64url'), parameters);
  return derived.length === expected.length && timingSafeEqual(derived, expected);
}

function derive(password: string, salt: Buffer, { log2N, r, p }: HashCost): Promise<Buffer> {
  const cost = 2 ** log2N;
  // The password is normalised, because keyboards produce the same letter with different
  // characters.
  const text = password.normalize('NFKC');
  return new Promise((resolve, reject) => {
    const options = { N: cost, r, p, maxmem: 256 * cost * r };
    scrypt(text, salt, HASH_OCTETS, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

import type { Dice } from '../tools/dice.js';
import { domain, firstDay } from '../tools/report-faults.js';
import type { TestDetail, TestPolicy } from './support/report/reports.js';

export type PolicyType = 'sts' | 'tlsa' | 'no-policy-found';
export const policyTypes: readonly PolicyType[] = ['sts', 'tlsa', 'no-policy-found'];

/** The policy that a report quotes. */
export interface Quoted {
  readonly mode: string;
  readonly mx: readonly string[];
  /** Seconds. */
  readonly maxAge: number;
}

/**
 * The sessions of one reporter on one day, counted for each policy. A generator of months
 * selects the details, which differ between reporters.
 */
export class SessionBook {
  readonly #sums = new Map<string, { type: PolicyType; ok: number; failed: number }>();
  readonly #details = new Map<string, Map<string, TestDetail & { count: number }>>();

  succeed(type: PolicyType, host: string): void {
    this.#sumOf(type, host).ok++;
  }

  /** Counts a failed session. Returns the number of failed sessions under this policy. */
  fail(type: PolicyType, host: string): number {
    return ++this.#sumOf(type, host).failed;
  }

  describe(type: PolicyType, host: string, detail: TestDetail): void {
    const key = keyFor(type, host);
    const known = this.#details.get(key) ?? new Map<string, TestDetail & { count: number }>();
    this.#details.set(key, known);
    const text = JSON.stringify(detail);
    known.set(text, { ...detail, count: (known.get(text)?.count ?? 0) + 1 });
  }

  policies({ mode, mx, maxAge }: Quoted): TestPolicy[] {
    return [...this.#sums].map(([key, { type, ok, failed }]) => ({
      type,
      domain: type === 'tlsa' ? key : domain,
      mode,
      mx: type === 'sts' ? mx : [],
      maxAge,
      ok,
      failed,
      details: [...(this.#details.get(key)?.values() ?? [])],
    }));
  }

  #sumOf(type: PolicyType, host: string): { ok: number; failed: number } {
    const key = keyFor(type, host);
    const known = this.#sums.get(key) ?? { type, ok: 0, failed: 0 };
    this.#sums.set(key, known);
    return known;
  }
}

/**
 * Returns the key of a policy in the book. A TLSA policy belongs to a host, and the
 * others to the domain.
 */
function keyFor(type: PolicyType, host: string): string {
  return type === 'tlsa' ? host : type;
}

/** Returns the kinds of policies that a reporter applies. */
export function someTypes(dice: Dice): readonly PolicyType[] {
  return dice.pick<readonly PolicyType[]>([
    ['sts'],
    ['sts'],
    ['tlsa'],
    ['sts', 'tlsa'],
    ['no-policy-found'],
  ]);
}

/** Returns the date of a day of the month, counted from 0. */
export function dateOf(day: number): string {
  return new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10);
}

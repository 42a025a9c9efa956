import type { Failure } from './failure.js';

/**
 * What a computation over foreign input yields: a value, or the reason there is none.
 * Peers' behaviour is data, so parsers and network calls return this and never throw for
 * it.
 */
export type Result<T, F = Failure> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: F };

/** Wraps a value. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps a reason. */
export function fail<F>(failure: F): { readonly ok: false; readonly failure: F } {
  return { ok: false, failure };
}

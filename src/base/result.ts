import type { Failure } from './failure.js';

/**
 * The outcome of an operation on foreign input: a value or a failure. Peers' behaviour is
 * data, so parsers and network calls return a Result and never throw because of a peer.
 */
export type Result<T, F = Failure> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: F };

/** Wraps a value as a successful result. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps a failure as an unsuccessful result. */
export function fail<F>(failure: F): { readonly ok: false; readonly failure: F } {
  return { ok: false, failure };
}

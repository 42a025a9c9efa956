import { neutralise } from '../base/index.js';
import type { QuirkCode } from './quirks-registry.js';

/**
 * One departure from RFC 8460, found at one or more places of a report. The registry of
 * quirks describes how the parser reads it.
 */
export interface ReportNote {
  /** The departure, a key of `reportQuirks`. */
  readonly code: QuirkCode;
  /** The first place, as `policies[0].policy.mx-host`. */
  readonly path: string;
  /** The value that the reporter wrote, neutralised and cut to 200 characters. */
  readonly detail: string;
  readonly count: number;
}

/**
 * A member that no rule covers, with its value as JSON. It is stored and shown, because
 * it may be a member that reporters have begun to send.
 */
export interface Unforeseen {
  readonly path: string;
  readonly json: string;
  readonly count: number;
}

/**
 * Maximum number of kinds of unknown members to list; the rest of the report is still
 * read.
 */
const MAX_UNFORESEEN = 50;
/**
 * Maximum characters of a quoted value. A reporter chooses the value, so it is
 * neutralised too.
 */
const MAX_DETAIL = 200;

/**
 * Gathers notes while a report is read. Notes of one code are counted with the first
 * place, so a report with many departures cannot fill memory with notes.
 */
export class Notes {
  readonly #notes = new Map<
    QuirkCode,
    { code: QuirkCode; path: string; detail: string; count: number }
  >();
  readonly #unforeseen = new Map<string, { path: string; json: string; count: number }>();

  /** Adds a departure at a place, with the value that was found there. */
  add(code: QuirkCode, path: string, found?: unknown): void {
    const known = this.#notes.get(code);
    if (known) known.count++;
    else
      this.#notes.set(code, {
        code,
        path,
        detail: found === undefined ? '' : show(found),
        count: 1,
      });
  }

  /**
   * Adds an unknown member. Indexes are removed from the path, so that an unknown member
   * in every failure is one entry.
   */
  unforeseen(memberPath: string, jsonValue: unknown): void {
    const kind = memberPath.replace(/\[\d+\]/g, '[]');
    const known = this.#unforeseen.get(kind);
    if (known) known.count++;
    else if (this.#unforeseen.size < MAX_UNFORESEEN)
      this.#unforeseen.set(kind, {
        path: neutralise(memberPath, MAX_DETAIL),
        json: show(jsonValue),
        count: 1,
      });
  }

  /** The departures, in the order of their first occurrence. */
  list(): readonly ReportNote[] {
    return [...this.#notes.values()];
  }

  /** The unknown members, at most {@link MAX_UNFORESEEN}. */
  listUnforeseen(): readonly Unforeseen[] {
    return [...this.#unforeseen.values()];
  }
}

/** A value as short text that a terminal can show. */
function show(jsonValue: unknown): string {
  return neutralise(
    typeof jsonValue === 'string' ? jsonValue : (JSON.stringify(jsonValue) ?? ''),
    MAX_DETAIL,
  );
}

import { neutralise } from '../base/index.js';
import type { QuirkCode } from './quirks-registry.js';

/**
 * One departure from RFC 8460, found at one or more places of a report. `reportQuirks`
 * describes how the parser reads such content.
 */
export interface ReportNote {
  /** The departure, a key of `reportQuirks`. */
  readonly code: QuirkCode;
  /** The first place of the departure, such as `policies[0].policy.mx-host`. */
  readonly path: string;
  /** The value that the reporter wrote, neutralised and shortened to 200 characters. */
  readonly detail: string;
  readonly count: number;
}

/**
 * A member that the parser does not know, with its value as JSON. The member is stored
 * and shown, because it may be an extension that reporters have begun to send.
 */
export interface Unforeseen {
  readonly path: string;
  readonly json: string;
  readonly count: number;
}

/**
 * Maximum number of kinds of unknown members in the list. The rest of the report is still
 * read.
 */
const MAX_UNFORESEEN = 50;
/**
 * Maximum characters of a quoted value. The reporter chooses the value, so control
 * characters in it are neutralised too.
 */
const MAX_DETAIL = 200;

/**
 * Gathers notes while a report is read. Notes with the same code become one note with a
 * count and the first place, so a report with many departures cannot fill the memory.
 */
export class Notes {
  readonly #notes = new Map<
    QuirkCode,
    { code: QuirkCode; path: string; detail: string; count: number }
  >();
  readonly #unforeseen = new Map<string, { path: string; json: string; count: number }>();

  /** Adds a departure at a place, with the value at that place. */
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
   * that every failure contains becomes one entry.
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

  /** Returns the departures, in the order of their first occurrence. */
  list(): readonly ReportNote[] {
    return [...this.#notes.values()];
  }

  /** Returns the unknown members, at most {@link MAX_UNFORESEEN}. */
  listUnforeseen(): readonly Unforeseen[] {
    return [...this.#unforeseen.values()];
  }
}

/** Returns a value as short text that is safe to print on a terminal. */
function show(jsonValue: unknown): string {
  return neutralise(
    typeof jsonValue === 'string' ? jsonValue : (JSON.stringify(jsonValue) ?? ''),
    MAX_DETAIL,
  );
}

import { neutralise } from '../base/index.js';
import type { QuirkCode } from './quirks-registry.js';

/**
 * One way in which a report departs from RFC 8460, found at one or more places. What it
 * was read as stands in the catalogue.
 */
export interface ReportNote {
  readonly code: QuirkCode;
  /** The first place, as `policies[0].policy.mx-host`. */
  readonly path: string;
  /** The value that the reporter wrote, neutralised and cut. */
  readonly detail: string;
  readonly count: number;
}

/** A member that no rule knows, with its value as JSON, cut. */
export interface Unforeseen {
  readonly path: string;
  readonly json: string;
  readonly count: number;
}

const MAX_UNFORESEEN = 50;
const MAX_DETAIL = 200;

/**
 * Gathers notes while a report is read. Equal ones are counted, so that a report of many
 * lines cannot make many notes.
 */
export class Notes {
  readonly #notes = new Map<
    QuirkCode,
    { code: QuirkCode; path: string; detail: string; count: number }
  >();
  readonly #unforeseen = new Map<string, { path: string; json: string; count: number }>();

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

  unforeseen(path: string, value: unknown): void {
    const kind = path.replace(/\[\d+\]/g, '[]');
    const known = this.#unforeseen.get(kind);
    if (known) known.count++;
    else if (this.#unforeseen.size < MAX_UNFORESEEN)
      this.#unforeseen.set(kind, {
        path: neutralise(path, MAX_DETAIL),
        json: show(value),
        count: 1,
      });
  }

  list(): readonly ReportNote[] {
    return [...this.#notes.values()];
  }

  listUnforeseen(): readonly Unforeseen[] {
    return [...this.#unforeseen.values()];
  }
}

function show(value: unknown): string {
  return neutralise(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), MAX_DETAIL);
}

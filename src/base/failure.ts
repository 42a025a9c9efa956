import { neutralise } from './neutralise.js';

/**
 * Who has to act: the other server, whoever publishes the domain's records, something in
 * between, or this machine.
 */
export type Blame = 'peer' | 'publisher' | 'network' | 'local';

/**
 * One row of a part's failure catalogue (`failures.ts`): everything a rendering needs to
 * speak about it.
 */
export interface FailureEntry {
  readonly blame: Blame;
  /** True when the same request may succeed later. */
  readonly temporary: boolean;
  /** RFC 8460 §4.3 result type this is reported as, where one fits. */
  readonly resultType?: string;
  /** Where the rule stands, as in `RFC 8461 §3.3`. */
  readonly clause?: string;
  /** What happened, one sentence for people. */
  readonly message: string;
  /** What to do about it, one sentence. */
  readonly fix: string;
}

/**
 * Something that went wrong, as data. `code` is stable and kebab-case; `detail` holds the
 * particulars, already neutralised.
 */
export interface Failure<Code extends string = string> {
  readonly code: Code;
  readonly blame: Blame;
  readonly temporary: boolean;
  readonly detail: string;
}

/**
 * A part's failures: the catalogue itself and a maker that fills in what the catalogue
 * knows.
 */
export interface FailureCatalogue<Code extends string> {
  readonly entries: Readonly<Record<Code, FailureEntry>>;
  /** Returns the entry of a code that may come from elsewhere, such as a database. */
  find(code: string): FailureEntry | undefined;
  make(code: Code, detail?: string): Failure<Code>;
}

/** Declares a part's failure catalogue. */
export function defineFailures<const Code extends string>(
  entries: Readonly<Record<Code, FailureEntry>>,
): FailureCatalogue<Code> {
  return {
    entries,
    make(code, detail = '') {
      const { blame, temporary } = entries[code];
      return { code, blame, temporary, detail: neutralise(detail) };
    },
    find(code) {
      return Object.hasOwn(entries, code) ? entries[code as Code] : undefined;
    },
  };
}

import { neutralise } from './neutralise.js';

/**
 * The party that can fix a failure: the other server (`peer`), the publisher of the
 * domain's records, the network between this machine and the server, or this machine
 * (`local`).
 */
export type Blame = 'peer' | 'publisher' | 'network' | 'local';

/**
 * One entry of a part's failure catalogue (`failures.ts`). The entry contains everything
 * that a renderer needs to describe the failure, so that renderers contain no sentences
 * about failures.
 */
export interface FailureEntry {
  readonly blame: Blame;
  /** True when the same request may succeed later. */
  readonly temporary: boolean;
  /**
   * The RFC 8460 §4.3 result type under which the failure is reported, if one matches.
   */
  readonly resultType?: string;
  /** The violated clause, such as `RFC 8461 §3.3`. */
  readonly clause?: string;
  /** The fact, as one sentence. */
  readonly message: string;
  /** The fix, as one imperative sentence. */
  readonly fix: string;
}

/**
 * A failure as data. `code` is stable, in kebab case, and documented in docs/errors.md;
 * `detail` holds the particulars of this case. A detail from a peer is already
 * neutralised.
 */
export interface Failure<Code extends string = string> {
  readonly code: Code;
  readonly blame: Blame;
  readonly temporary: boolean;
  readonly detail: string;
}

/**
 * The failures of one part: its catalogue and a constructor that fills in the fields that
 * the catalogue defines.
 */
export interface FailureCatalogue<Code extends string> {
  readonly entries: Readonly<Record<Code, FailureEntry>>;
  /**
   * Returns the entry of a code, which may come from another source such as a database.
   */
  find(code: string): FailureEntry | undefined;
  make(code: Code, detail?: string): Failure<Code>;
}

/**
 * Declares the failure catalogue of a part. The codes become the type of {@link
 * Failure.code}, so that the compiler reports a misspelt code.
 */
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
      if (Object.hasOwn(entries, code)) return entries[code as Code];
      return undefined;
    },
  };
}

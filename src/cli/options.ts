import { HermeticError } from '../base/index.js';

/**
 * Creates a usage error. `what`: the option or argument at fault.
 *
 * `why` completes the sentence that `what` begins; `fix` is an imperative.
 */
export function misuse(what: string, reason: string, fix: string): HermeticError {
  return new HermeticError('usage', `${what}: ${reason}`, { fix });
}

/** The bounds of a number on the command line. */
export interface NumberRange {
  readonly least: number;
  readonly most: number;
  /** Accepts fractions too. */
  readonly fractions?: boolean;
}

/**
 * Reads the number of an option. Throws HermeticError outside the range.
 *
 * Accepts decimal digits only: no sign, no exponent, no hexadecimal.
 */
export function readNumber(option: string, optionText: string, numberRange: NumberRange): number {
  const { least, most, fractions = false } = numberRange;
  const value = /^\d{1,10}(\.\d{1,10})?$/.test(optionText) ? Number(optionText) : NaN;
  if (value >= least && value <= most && (fractions || Number.isInteger(value))) return value;
  throw misuse(
    option,
    `${optionText} is not a number from ${least} to ${most}`,
    `Use a number from ${least} to ${most}.`,
  );
}

/** Reads a number as `readNumber` does; undefined if the option was not given. */
export function readOptionalNumber(
  option: string,
  optionText: string | undefined,
  numberRange: NumberRange,
): number | undefined {
  if (optionText === undefined) return undefined;
  return readNumber(option, optionText, numberRange);
}

/** Reads one of a few words. Throws HermeticError that names them all. */
export function readWord<const W extends string>(
  option: string,
  optionText: string,
  words: readonly W[],
): W {
  const word = words.find((known) => known === optionText);
  if (word !== undefined) return word;
  throw misuse(option, `${optionText} is not supported`, `Choose ${alternatives(words)}.`);
}

/** Returns words as the text `a, b or c`. */
export function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  if (words.length < 2) return last;
  return `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** Collects the values of an option that can be repeated, for commander. */
export function collectValues(value: string, all: readonly string[] = []): readonly string[] {
  return [...all, value];
}

/**
 * Returns the options without undefined values, so that defaults apply to them.
 *
 * A library option that is present and undefined would replace its default.
 */
export function present<T extends object>(
  options: T,
): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

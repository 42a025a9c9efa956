import type { z } from 'zod';
import { HermeticError } from '../base/index.js';
import { readFile } from './read-file.js';

/**
 * A file of one of several kinds, told apart by its field `schema`; throws with the first
 * thing in it that does not fit.
 */
export function readJson<S extends readonly z.ZodType[]>(
  file: string,
  what: string,
  fix: string,
  kinds: S,
): z.output<S[number]> {
  const text = readFile(file, what);
  const invalid = (why: string, cause?: unknown): HermeticError =>
    new HermeticError(`${what}-invalid`, `${file}: ${why}`, { cause, fix });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid('not JSON', cause);
  }
  const tried = kinds.map((kind) => kind.safeParse(value));
  const fits = tried.find((t) => t.success);
  if (fits) return fits.data as z.output<S[number]>;
  // The kind it means to be says more than the others.
  const issues =
    tried
      .map((t) => t.error?.issues ?? [])
      .find((list) => !list.some((i) => i.path.join('.') === 'schema')) ?? [];
  const issue = issues[0] ?? tried[0]?.error?.issues[0];
  throw invalid(
    `${issue?.path.join('.') ?? ''} ${issue?.message ?? 'not what it should be'}`.trim(),
  );
}

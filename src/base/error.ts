import type { Failure } from './failure.js';
import type { Result } from './result.js';

const brand = Symbol.for('hermetic.error');

/**
 * Thrown for misuse and for broken local conditions, such as an unreadable file. The
 * behaviour of a peer is never thrown: it is a {@link Result}. Recognise the error with
 * {@link isHermeticError}, which also works across two copies of the package.
 */
export class HermeticError extends Error {
  readonly code: string;
  /** The instruction for the operator, if there is one. */
  readonly fix: string | undefined;
  readonly [brand] = true;

  constructor(code: string, message: string, options: { cause?: unknown; fix?: string } = {}) {
    super(message, { cause: options.cause });
    this.name = 'HermeticError';
    this.code = code;
    this.fix = options.fix;
  }
}

/**
 * Returns the value of a result that is based on the operator's input. Throws
 * HermeticError with the code of the failure; `name` is the option or the key of the
 * configuration.
 */
export function unwrap<T>(name: string, result: Result<T, Failure>, fix: string): T {
  if (result.ok) return result.value;
  const { code, detail } = result.failure;
  throw new HermeticError(code, `${name}: ${detail || 'cannot be read'}`, { fix });
}

/** Returns true for errors of this program, also across two copies of the package. */
export function isHermeticError(value: unknown): value is HermeticError {
  return typeof value === 'object' && value !== null && brand in value;
}

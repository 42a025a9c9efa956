import type { Failure } from './failure.js';
import type { Result } from './result.js';

const brand = Symbol.for('hermetic.error');

/**
 * An error for misuse and for local faults, such as an unreadable file. A fault of a peer
 * is not thrown: functions return it as a {@link Result}. Identify the error with
 * {@link isHermeticError}, which also recognises errors of another copy of the package.
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

/**
 * Returns true for errors of this program, even if another copy of the package created
 * them.
 */
export function isHermeticError(value: unknown): value is HermeticError {
  return typeof value === 'object' && value !== null && brand in value;
}

import { readFileSync, statSync } from 'node:fs';
import { HermeticError } from './error.js';
import { describeSystemError } from './system-error.js';

export interface ReadTextFileOptions {
  /**
   * Code of the HermeticError for a file that cannot be read. Default `file-unreadable`.
   */
  readonly code?: string;
  /** The name of the file in the message, such as `roots.add:` or `profile`. */
  readonly label?: string;
  /** Larger files are refused before they are read. Default 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * Reads a UTF-8 file that the operator named, in a configuration or on a command line.
 * Throws HermeticError with the path, the cause in words and the fix, so that a mistyped
 * path does not print a stack trace.
 */
export function readTextFile(filePath: string, options: ReadTextFileOptions = {}): string {
  const { code = 'file-unreadable', label = '', maxBytes = 64 * 1024 * 1024 } = options;
  const subject = `${label} ${filePath}`.trim();
  try {
    if (statSync(filePath).size > maxBytes)
      throw new HermeticError(
        'file-too-large',
        `${subject}: larger than ${megabytes(maxBytes)} MB`,
        {
          fix: 'Give another file.',
        },
      );
    return readFileSync(filePath, 'utf8');
  } catch (cause) {
    if (cause instanceof HermeticError) throw cause;
    const { message, fix } = describeSystemError(cause);
    throw new HermeticError(code, `${subject}: ${message}`, { cause, fix });
  }
}

function megabytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}

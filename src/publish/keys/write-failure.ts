/**
 * A full disk, a folder one may not write: what the file system says, as an outcome.
 * Anything else is thrown on.
 */
export function writeFailure(error: unknown): {
  readonly status: 'failed';
  readonly code: string;
  readonly detail: string;
} {
  const { syscall, message } = error as NodeJS.ErrnoException;
  if (syscall === undefined) throw error;
  return { status: 'failed', code: 'publish-write-failed', detail: message };
}

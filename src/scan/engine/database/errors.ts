/** SQLSTATE classes of a connection that ended or a server that is starting or stopping. */
const lostConnection = /^(08...|57P0[123])$/;
const lostSocket = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT']);
/** Error texts of pg for lost connections without a code. */
const lostText = /connection terminated|connection timeout|timeout exceeded|not queryable|ended/i;

/**
 * Returns true for an error that shows an unreachable server. The same statement may
 * succeed later. The server may or may not have executed the statement.
 */
export function isConnectionLoss(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  if (code !== '') return lostConnection.test(code) || lostSocket.has(code);
  return lostText.test(message);
}

/** Returns true if a transaction lost a conflict and can succeed when it runs again. */
export function isRetryable(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === '40P01' || code === '40001';
}

/** SQLSTATE of a full disk or memory, of a missing right, and of a fault of the disk. */
const refused = /^(53...|42501|25006|58030)$/;

/** Returns true for a condition of the server that its operator has to change. */
export function isRefusal(error: unknown): boolean {
  return refused.test((error as { code?: string }).code ?? '');
}

/** Returns true for a statement that did not get its lock within `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return (error as { code?: string }).code === '55P03';
}

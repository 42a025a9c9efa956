import assert from 'node:assert/strict';

/** Longer than any busy machine needs, so a test that reaches the limit hangs. */
const MAX_WAIT_MS = 240_000;

/**
 * Polls until `look` returns a value other than `undefined` or `false`, and returns it.
 * Fails with `what` after four minutes.
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  for (const end = Date.now() + MAX_WAIT_MS; Date.now() < end;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return assert.fail(`timed out: ${what}`);
}

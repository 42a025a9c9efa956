import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Returns random letters and digits. 43 characters have 256 bits of entropy, and 22 have
 * 131.
 */
export function randomText(length: number): string {
  return Array.from({ length }, () => letters[randomInt(62)]).join('');
}

/** Returns a random key, which is valid only in this process. */
export function processKey(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * Returns the hash under which a random secret is stored. A slow hash would add no
 * protection, because the secret is random.
 */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Returns the token for the forms of a session. Each session has a different token. */
export function formTokenOf(formKey: string): string {
  return createHmac('sha256', formKey).update('form').digest('base64url');
}

/**
 * Returns whether two texts are equal, in a time that does not depend on the position of
 * their first difference.
 */
export function equalSecrets(left: string, right: string): boolean {
  return timingSafeEqual(hashOf(left), hashOf(right));
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

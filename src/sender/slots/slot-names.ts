import { randomInt } from 'node:crypto';

const labelLetters = 'abcdefghijklmnopqrstuvwxyz234567';
const idLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

function randomFrom(letters: string, length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}

/**
 * Returns a label for the names of a slot: 60 bits, so that no client finds a slot by
 * chance.
 */
export function newSlotLabel(): string {
  return randomFrom(labelLetters, 12);
}

/** Returns the secret part of the address of a page: 131 bits. */
export function newSlotId(): string {
  return randomFrom(idLetters, 22);
}

/**
 * The cost of parsing a text, measured without parsing it. A small text can describe a
 * structure that takes hundreds of times its size in memory.
 */
export interface JsonShape {
  /** The deepest nesting of objects and arrays. */
  readonly depth: number;
  /** Members of all objects, those that repeat a name included. */
  readonly members: number;
  /** Objects and arrays. */
  readonly containers: number;
  /** Members and elements. */
  readonly values: number;
}

/**
 * Measures a JSON text in one pass and without memory. A text that is not JSON gets some
 * measure too; the parser rejects it later.
 */
export function scanJson(text: string): JsonShape {
  let depth = 0;
  let deepest = 0;
  let members = 0;
  let containers = 0;
  let commas = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // "
        i = endOfString(text, i);
        break;
      case 0x3a: // :
        members++;
        break;
      case 0x2c: // ,
        commas++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        containers++;
        if (++depth > deepest) deepest = depth;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
  }
  return { depth: deepest, members, containers, values: containers + commas };
}

/**
 * The outermost objects in a text, in order, also between words, in an array or next
 * to other objects. At most `most`.
 */
export function objectsIn(text: string, most: number): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = text.indexOf('{'); i >= 0 && i < text.length && found.length < most; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22:
        if (depth > 0) i = endOfString(text, i);
        break;
      case 0x7b:
        // Outside, a brace that begins no object is a word's.
        if (depth === 0 && !beginsObject(text, i)) break;
        if (depth++ === 0) start = i;
        break;
      case 0x7d:
        if (depth > 0 && --depth === 0) found.push(text.slice(start, i + 1));
    }
  }
  return found;
}

/** A brace before a member name or before the end of an empty object. */
const objectStart = /\{[\s\0\u00a0]*["}]/y;

/** True where a brace begins an object and is not part of prose or of a style sheet. */
function beginsObject(text: string, at: number): boolean {
  objectStart.lastIndex = at;
  return objectStart.test(text);
}

/**
 * The index of the quotation mark that ends the string beginning at `start`; the length
 * of the text where none does. A mark after an odd number of backslashes is escaped.
 */
export function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return end;
  }
}

/**
 * Counts the members of a parsed value. `JSON.parse` keeps the last of equal names, so a
 * count below that of the text shows that a name was repeated (RFC 7493 §2.3).
 */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item);
    return count;
  }
  for (const key in value) count += 1 + countMembers((value as Record<string, unknown>)[key]);
  return count;
}

/**
 * The cost of parsing a text, measured without parsing it. A parsed structure can need
 * hundreds of times the memory of its text.
 */
export interface JsonShape {
  /** Maximum nesting depth of objects and arrays. */
  readonly depth: number;
  /** Number of members of all objects, including repeated names. */
  readonly members: number;
  /** Number of objects and arrays. */
  readonly containers: number;
  /** Number of members and elements. */
  readonly values: number;
}

/**
 * Measures a JSON text in one pass with constant memory. For a text that is not JSON the
 * result has no meaning. The parser rejects that text later.
 */
export function scanJson(jsonText: string): JsonShape {
  let nestingDepth = 0;
  let deepest = 0;
  let members = 0;
  let containers = 0;
  let commas = 0;
  for (let index = 0; index < jsonText.length; index++) {
    switch (jsonText.charCodeAt(index)) {
      case 0x22: // "
        index = endOfString(jsonText, index);
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
        if (++nestingDepth > deepest) deepest = nestingDepth;
        break;
      case 0x5d:
      case 0x7d:
        nestingDepth--;
    }
  }
  return { depth: deepest, members, containers, values: containers + commas };
}

/**
 * Returns the outermost objects in a text, in order. The objects may be surrounded by
 * other text, be elements of an array or follow each other. Returns at most `most`
 * objects.
 */
export function objectsIn(jsonText: string, most: number): readonly string[] {
  const found: string[] = [];
  let nestingDepth = 0;
  let startOffset = 0;
  for (
    let index = jsonText.indexOf('{');
    index >= 0 && index < jsonText.length && found.length < most;
    index++
  ) {
    switch (jsonText.charCodeAt(index)) {
      case 0x22:
        if (nestingDepth > 0) index = endOfString(jsonText, index);
        break;
      case 0x7b:
        // Outside an object, a brace that does not begin an object is part of other text.
        if (nestingDepth === 0 && !beginsObject(jsonText, index)) break;
        if (nestingDepth++ === 0) startOffset = index;
        break;
      case 0x7d:
        if (nestingDepth > 0 && --nestingDepth === 0)
          found.push(jsonText.slice(startOffset, index + 1));
    }
  }
  return found;
}

/** A brace, followed by a member name or by the end of an empty object. */
const objectStart = /\{[\s\0\u00a0]*["}]/y;

/**
 * Returns true if a brace begins an object and not a part of other text, such as a style
 * sheet.
 */
function beginsObject(jsonText: string, offset: number): boolean {
  objectStart.lastIndex = offset;
  return objectStart.test(jsonText);
}

/**
 * Returns the index of the quotation mark that ends the string beginning at `start`; the
 * length of the text if the string does not end. A quotation mark after an odd number of
 * backslashes is escaped.
 */
export function endOfString(jsonText: string, startOffset: number): number {
  let endOffset = startOffset;
  for (;;) {
    endOffset = jsonText.indexOf('"', endOffset + 1);
    if (endOffset < 0) return jsonText.length;
    let slashes = 0;
    while (jsonText.charCodeAt(endOffset - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return endOffset;
  }
}

/**
 * Counts the members of a parsed value. `JSON.parse` discards all but the last member of
 * the same name. A count below {@link JsonShape.members} therefore shows that the text
 * repeats a name (RFC 7493 §2.3).
 */
export function countMembers(jsonValue: unknown): number {
  if (typeof jsonValue !== 'object' || jsonValue === null) return 0;
  let count = 0;
  if (Array.isArray(jsonValue)) {
    for (const item of jsonValue) count += countMembers(item);
    return count;
  }
  for (const key in jsonValue)
    count += 1 + countMembers((jsonValue as Record<string, unknown>)[key]);
  return count;
}

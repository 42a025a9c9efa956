import { endOfString } from './scan-json.js';

/**
 * Returns the JSON that a text was meant to be, where that is beyond doubt: the faults of
 * programs that write JSON without a library. Takes linear time. Strings are handled
 * apart from the rest, so that their content is never changed as if it were syntax.
 */
export function repairJson(text: string): string {
  let repaired = '';
  let depth = 0;
  let end = 0;
  for (let start = 0; start < text.length; start = end) {
    if (text.charCodeAt(start) === 0x22) {
      end = endOfString(text, start) + 1;
      repaired += repairString(text.slice(start, end));
      continue;
    }
    end = text.indexOf('"', start);
    if (end < 0) end = text.length;
    const between = repairBetween(text.slice(start, end));
    for (const char of between) depth += depthOf(char);
    repaired += between;
  }
  // The report itself is not closed; what is in it is.
  return depth === 1 ? `${repaired}}` : repaired;
}

function depthOf(char: string): number {
  if (char === '{' || char === '[') return 1;
  return char === '}' || char === ']' ? -1 : 0;
}

/**
 * Escapes control characters, and backslashes that escape nothing, such as those of
 * Windows paths.
 */
function repairString(string: string): string {
  return string
    .replace(/\\(?:["\\/bfnrt]|u[0-9a-f]{4})?/gi, (escape) => (escape === '\\' ? '\\\\' : escape))
    .replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Removes characters that JSON does not accept as blanks and commas before a bracket, and
 * rewrites numbers with a sign or leading zeros, and words such as NaN.
 */
function repairBetween(text: string): string {
  return text
    .replace(/[\0\u00a0\u200b\ufeff]/g, ' ')
    .replace(/,(?=\s*[}\]])/g, '')
    .replace(/:\s*\+?0*(?=\d)/g, ':')
    .replace(/\b(?:NaN|undefined|None)\b/g, 'null');
}

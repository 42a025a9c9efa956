import { endOfString } from './scan-json.js';

/**
 * Repairs malformed JSON from programs that do not use a JSON library, if only one
 * meaning is possible. The run time is linear. Strings are handled separately, so that
 * the repair of syntax never changes their content.
 */
export function repairJson(jsonText: string): string {
  let repaired = '';
  let nestingDepth = 0;
  let endOffset = 0;
  for (let startOffset = 0; startOffset < jsonText.length; startOffset = endOffset) {
    if (jsonText.charCodeAt(startOffset) === 0x22) {
      endOffset = endOfString(jsonText, startOffset) + 1;
      repaired += repairString(jsonText.slice(startOffset, endOffset));
      continue;
    }
    endOffset = jsonText.indexOf('"', startOffset);
    if (endOffset < 0) endOffset = jsonText.length;
    const between = repairBetween(jsonText.slice(startOffset, endOffset));
    for (const char of between) nestingDepth += depthOf(char);
    repaired += between;
  }
  // The closing brace of the report is missing, but its content is complete.
  return nestingDepth === 1 ? `${repaired}}` : repaired;
}

function depthOf(char: string): number {
  if (char === '{' || char === '[') return 1;
  return char === '}' || char === ']' ? -1 : 0;
}

/**
 * Escapes control characters, and backslashes that do not start a valid escape, such as
 * those in Windows paths.
 */
function repairString(string: string): string {
  return string
    .replace(/\\(?:["\\/bfnrt]|u[0-9a-f]{4})?/gi, (escape) => (escape === '\\' ? '\\\\' : escape))
    .replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Repairs the text between strings. The function removes commas before a closing bracket
 * and spaces that JSON does not allow, and rewrites numbers with a plus sign or leading
 * zeros, and words such as NaN.
 */
function repairBetween(jsonText: string): string {
  return jsonText
    .replace(/[\0\u00a0\u200b\ufeff]/g, ' ')
    .replace(/,(?=\s*[}\]])/g, '')
    .replace(/:\s*\+?0*(?=\d)/g, ':')
    .replace(/\b(?:NaN|undefined|None)\b/g, 'null');
}

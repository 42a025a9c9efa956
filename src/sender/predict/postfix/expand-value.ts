import { enclosed } from './braces.js';

/** The value of a parameter with every `$name` replaced, or the reason why it is not known. */
export type Expanded =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

/**
 * Maximum number of references in one value, including nested references; the limit stops
 * exponential expansion.
 */
const MAX_REFERENCES = 1000;
/** Maximum characters of an expanded value. */
const MAX_EXPANDED = 200_000;

/** Returns the value of a parameter without expansion; undefined if it is not known. */
export type ValueOf = (name: string) => string | undefined;

/**
 * Expands `$name`, `${name}`, `$(name)`, `${name?text}`, `${name:text}`,
 * `${name?{text}:{text}}` and comparisons such as `${{a} == {b} ? {text} : {text}}`
 * (postconf(5), "General format"). The value of any other form is unknown.
 */
export function expandValue(value: string, valueOf: ValueOf): Expanded {
  return expand(value, { valueOf, left: MAX_REFERENCES });
}

/** The parameters, and the number of references that may still be expanded. */
interface Expansion {
  readonly valueOf: ValueOf;
  left: number;
}

function expand(value: string, expansion: Expansion): Expanded {
  let rest = value;
  let expanded = '';
  for (;;) {
    const dollar = rest.indexOf('$');
    if (dollar < 0) break;
    expanded += rest.slice(0, dollar);
    const after = rest.slice(dollar + 1);
    if (after.startsWith('$')) {
      expanded += '$';
      rest = after.slice(1);
      continue;
    }
    const reference = readReference(after);
    if (reference === undefined)
      return {
        ok: false,
        reason: `the prediction does not evaluate the expression $${after.slice(0, 40)}`,
      };
    const result = resolve(reference, expansion);
    if (!result.ok) return result;
    expanded += result.value;
    if (expanded.length > MAX_EXPANDED)
      return { ok: false, reason: 'the expansion of its $name references is too long' };
    rest = after.slice(reference.length);
  }
  return { ok: true, value: expanded + rest };
}

/** The condition of a reference: a parameter that is not empty, or a comparison. */
type Condition =
  | { readonly name: string }
  | { readonly left: string; readonly operator: string; readonly right: string };

/** A reference to a parameter, or a comparison with the texts that it selects. */
interface Reference {
  readonly condition: Condition;
  /**
   * The text if the condition is true; undefined: the value of the parameter is the text.
   */
  readonly filled?: string;
  /** The text if the condition is false. */
  readonly empty?: string;
  /** Number of characters of the reference after the dollar sign. */
  readonly length: number;
}

/** Reads the reference at the start of a text; undefined if its form is not known. */
function readReference(text: string): Reference | undefined {
  const bare = /^[A-Za-z0-9_]+/.exec(text);
  if (bare) return { condition: { name: bare[0] }, length: bare[0].length };
  const body = enclosed(text);
  if (body === undefined) return undefined;
  const length = body.length + 2;
  if (body.trimStart().startsWith('{')) return readComparison(body.trim(), length);
  const [head, name = ''] = /^\s*([A-Za-z0-9_]+)\s*/.exec(body) ?? [];
  if (head === undefined) return undefined;
  const tail = body.slice(head.length);
  if (tail === '') return { condition: { name }, length };
  const branches = readBranches(tail);
  return branches && { condition: { name }, ...branches, length };
}

/** Reads `{text} == {text} ? {text} : {text}`. */
function readComparison(body: string, length: number): Reference | undefined {
  const left = enclosed(body);
  if (left === undefined) return undefined;
  const afterLeft = body.slice(left.length + 2);
  const [matched, operator = ''] = /^\s*((?:[=!]=|[<>]=?)(?:level)?)\s*/.exec(afterLeft) ?? [];
  if (matched === undefined) return undefined;
  const afterOperator = afterLeft.slice(matched.length);
  const right = afterOperator.startsWith('{') ? enclosed(afterOperator) : undefined;
  if (right === undefined) return undefined;
  const condition = { left, operator, right };
  const tail = afterOperator.slice(right.length + 2).trimStart();
  if (tail === '') return { condition, length };
  const branches = readBranches(tail);
  if (branches?.filled === undefined) return undefined;
  return { condition, ...branches, length };
}

/** Reads `?text`, `:text` or `?{text}:{text}` after a name. */
function readBranches(tail: string): Pick<Reference, 'filled' | 'empty'> | undefined {
  const [operator, text] = [tail.slice(0, 1), tail.slice(1).trim()];
  if (operator !== '?' && operator !== ':') return undefined;
  const braced = text.startsWith('{') ? enclosed(text) : undefined;
  if (braced === undefined) {
    return operator === '?' ? { filled: text, empty: '' } : { empty: text };
  }
  const rest = text.slice(braced.length + 2).trim();
  if (operator === ':') return rest === '' ? { empty: braced.trim() } : undefined;
  if (rest === '') return { filled: braced.trim(), empty: '' };
  const other = rest.startsWith(':') ? enclosed(rest.slice(1).trim()) : undefined;
  return other === undefined ? undefined : { filled: braced.trim(), empty: other.trim() };
}

function resolve(reference: Reference, expansion: Expansion): Expanded {
  expansion.left -= 1;
  if (expansion.left < 0)
    return { ok: false, reason: 'its $name references form a loop or are too many' };
  const { condition, filled, empty } = reference;
  const value =
    'name' in condition ? parameter(condition.name, expansion) : compare(condition, expansion);
  if (!value.ok) return value;
  if (filled === undefined && empty === undefined) return value;
  return expand((value.value === '' ? empty : filled) ?? '', expansion);
}

function parameter(name: string, expansion: Expansion): Expanded {
  const raw = expansion.valueOf(name);
  if (raw !== undefined) return expand(raw, expansion);
  return { ok: false, reason: `it refers to $${name}, which the input does not show` };
}

/** Returns the result of a comparison: empty if it is false. */
function compare(
  { left, operator, right }: Extract<Condition, { operator: string }>,
  expansion: Expansion,
): Expanded {
  const values: string[] = [];
  for (const side of [left, right]) {
    const expanded = expand(side, expansion);
    if (!expanded.ok) return expanded;
    values.push(expanded.value);
  }
  const [one = '', other = ''] = values;
  const difference = operator.endsWith('level')
    ? compareLevels(one, other)
    : compareTexts(one, other);
  return { ok: true, value: holds(operator.replace('level', ''), difference) ? 'true' : '' };
}

/**
 * Compares numbers as numbers, and other texts by their characters
 * (mac_expand.c).
 */
function compareTexts(left: string, right: string): number {
  if (/^\d+$/.test(left) && /^\d+$/.test(right)) return Number(left) - Number(right);
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Compares compatibility levels such as `3.6` part by part. */
function compareLevels(left: string, right: string): number {
  const [parts, others] = [left.split('.').map(Number), right.split('.').map(Number)];
  for (let index = 0; index < 3; index += 1) {
    const difference = (parts[index] ?? 0) - (others[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function holds(operator: string, difference: number): boolean {
  switch (operator) {
    case '==':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    default:
      return difference >= 0;
  }
}

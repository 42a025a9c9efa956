import { enclosed } from './braces.js';

/** The value of a parameter with every `$name` replaced, or the reason why it is not known. */
export type Expanded =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

/** References that one value may need, nested ones included; doubling ones end here. */
const MAX_REFERENCES = 1000;
/** Characters of an expanded value. */
const MAX_EXPANDED = 200_000;

/** Returns the value of a parameter without expansion; undefined where it is not known. */
export type ValueOf = (name: string) => string | undefined;

/**
 * Expands `$name`, `${name}`, `$(name)`, `${name?text}`, `${name:text}` and
 * `${name?{text}:{text}}` (postconf(5), "General format"). Comparisons such as
 * `${{a} == {b} ? ...}` and functions are not evaluated: the value is then not known.
 */
export function expandValue(value: string, valueOf: ValueOf): Expanded {
  return expand(value, { valueOf, left: MAX_REFERENCES });
}

/** The parameters, and the references that may still be followed. */
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
      return { ok: false, reason: `the expression $${after.slice(0, 40)} is not evaluated` };
    const result = resolve(reference, expansion);
    if (!result.ok) return result;
    expanded += result.value;
    if (expanded.length > MAX_EXPANDED)
      return { ok: false, reason: 'its $name references expand to too long a text' };
    rest = after.slice(reference.length);
  }
  return { ok: true, value: expanded + rest };
}

/** A reference to a parameter. */
interface Reference {
  readonly name: string;
  /** The text where the parameter is not empty; undefined for its value. */
  readonly filled?: string;
  /** The text where the parameter is empty. */
  readonly empty?: string;
  /** Characters of the reference after the dollar sign. */
  readonly length: number;
}

/** Reads the reference at the start of a text; undefined where its form is not known. */
function readReference(text: string): Reference | undefined {
  const bare = /^[A-Za-z0-9_]+/.exec(text);
  if (bare) return { name: bare[0], length: bare[0].length };
  const body = enclosed(text);
  if (body === undefined) return undefined;
  const length = body.length + 2;
  const [head, name = ''] = /^\s*([A-Za-z0-9_]+)\s*/.exec(body) ?? [];
  if (head === undefined) return undefined;
  const tail = body.slice(head.length);
  if (tail === '') return { name, length };
  const branches = readBranches(tail);
  return branches && { name, ...branches, length };
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
  if (expansion.left < 0) return { ok: false, reason: 'its $name references do not end' };
  const raw = expansion.valueOf(reference.name);
  if (raw === undefined)
    return { ok: false, reason: `it refers to $${reference.name}, which the input does not show` };
  const value = expand(raw, expansion);
  if (!value.ok) return value;
  const { filled, empty } = reference;
  if (filled === undefined && empty === undefined) return value;
  if (value.value !== '') return filled === undefined ? value : expand(filled, expansion);
  return expand(empty ?? '', expansion);
}

import { LineCounter, parseDocument, isMap, isNode, isScalar, type Document } from 'yaml';
import { z } from 'zod';
import { fail, nearest, ok, type Result } from '../../base/index.js';

/** What is wrong with a configuration, at which line, and what to do. */
export interface ConfigProblem {
  /** From 1. */
  readonly line: number;
  /** `postfix.listen`; empty for the file as a whole. */
  readonly path: string;
  readonly says: string;
  readonly fix: string;
}

const LIMIT = 1024 * 1024;

/**
 * Reads `hermetic.yaml` by a schema. Every problem is told, each with its line; a key
 * that is not known is refused, with the known one that it resembles, so that a slip of
 * the pen never leaves a protection out.
 */
export function loadConfig<T>(
  text: string,
  schema: z.ZodType<T>,
): Result<T, readonly ConfigProblem[]> {
  if (text.length > LIMIT)
    return fail([
      { line: 1, path: '', says: 'the file is larger than 1 MiB', fix: 'Name the right file.' },
    ]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0)
    return fail(
      document.errors.map((error) => ({
        line: lineAt(error.pos[0]),
        path: '',
        says: (error.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, ''),
        fix: 'Correct the YAML.',
      })),
    );
  // Aliases are not resolved without bound: a small file must not become a large one.
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (parsed.success) return ok(parsed.data);
  const problems = parsed.error.issues.flatMap((issue) =>
    problemsOf(issue, document, lineAt, schema),
  );
  return fail(problems.sort((a, b) => a.line - b.line));
}

function problemsOf(
  issue: z.core.$ZodIssue,
  document: Document,
  lineAt: (offset: number) => number,
  schema: z.ZodType,
): readonly ConfigProblem[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const line = lineAt(offsetOf(document, path));
  if (issue.code !== 'unrecognized_keys')
    return [{ line, path: path.join('.'), ...wording(issue) }];
  const known = knownKeys(schema, path);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    return {
      line: lineAt(keyOffset(document, path, key)),
      path: [...path, key].join('.'),
      says: 'is not known here',
      fix: near === undefined ? `Known are: ${known.join(', ')}.` : `Did you mean ${near}?`,
    };
  });
}

function wording(issue: z.core.$ZodIssue): { says: string; fix: string } {
  const missing = { says: 'is missing', fix: 'Add it; docs/serve.md shows the form.' };
  // A schema that words its own problems knows best: `what is wrong: what to write`.
  if (!issue.message.startsWith('Invalid ')) return split(issue.message);
  if (/received undefined/.test(JSON.stringify(issue))) return missing;
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected);
    case 'invalid_value':
      return {
        says: 'is not one of the words known here',
        fix: `Write ${issue.values.map(String).join(' or ')}.`,
      };
    default:
      return { says: 'has the wrong form', fix: 'See docs/serve.md for the form.' };
  }
}

/** The words for the types of YAML, with the form that each is written in. */
const typeNames: Readonly<Record<string, readonly [name: string, form: string]>> = {
  array: ['a list', 'Write it as [one, two].'],
  object: ['a section', 'Write it as key: value, indented below its name.'],
  record: ['a section', 'Write it as key: value, indented below its name.'],
  string: ['a text', 'Write a text here, in quotes where it has special characters.'],
  number: ['a number', 'Write a number here, without quotes.'],
  int: ['a whole number', 'Write a whole number here, without quotes.'],
  boolean: ['true or false', 'Write true or false here.'],
};

function wrongType(expected: string): { says: string; fix: string } {
  const [name, fix] = typeNames[expected] ?? [`of type ${expected}`, 'See docs/serve.md.'];
  return { says: `must be ${name}`, fix };
}

function split(message: string): { says: string; fix: string } {
  const [says = '', ...rest] = message.split(': ');
  const fix = rest.join(': ');
  return {
    says,
    fix: fix === '' ? 'See docs/serve.md.' : `${fix.charAt(0).toUpperCase()}${fix.slice(1)}.`,
  };
}

/** Where the value at a path stands, or the nearest thing around it that is there. */
function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    const key = path[length - 1];
    if (isNode(node))
      return typeof key === 'string'
        ? keyOffset(document, path.slice(0, length - 1), key)
        : (node.range?.[0] ?? 0);
  }
  return 0;
}

function keyOffset(document: Document, path: readonly (string | number)[], key: string): number {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  const pair = isMap(map)
    ? map.items.find((item) => isScalar(item.key) && item.key.value === key)
    : undefined;
  return isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** What a map by name holds; false where every key is known. */
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** The keys a schema knows at a path. */
function knownKeys(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let at = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema];
  for (const step of path) {
    at = at
      .flatMap((s) => [s, ...(s.anyOf ?? [])])
      .flatMap(
        (s) =>
          (typeof step === 'number' ? s.items : (s.properties?.[step] ?? s.additionalProperties)) ||
          [],
      );
  }
  return at.flatMap((s) => [s, ...(s.anyOf ?? [])]).flatMap((s) => Object.keys(s.properties ?? {}));
}

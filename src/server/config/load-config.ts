import { z } from 'zod';
import { fail, nearest, ok, type Result } from '../../base/index.js';
import {
  MergedFiles,
  parseFile,
  typeNames,
  type ConfigProblem,
  type ConfigSource,
  type ParsedFile,
} from './merged-files.js';

type Path = readonly (string | number)[];

/**
 * Validates a configuration of one or more files against a schema. Each file holds whole
 * sections. If a section occurs in two files, a problem names both files. Every problem
 * names the file and the line. For an unknown key the problem names the most similar
 * known key: a typo must never disable a protection.
 */
export function loadConfig<T>(
  sources: readonly ConfigSource[],
  schema: z.ZodType<T>,
): Result<T, readonly ConfigProblem[]> {
  const parsedFiles: ParsedFile[] = [];
  const problems: ConfigProblem[] = [];
  for (const configSource of sources) {
    const parsed = parseFile(configSource);
    if (parsed.ok) parsedFiles.push(parsed.value);
    else problems.push(...parsed.failure);
  }
  const merged = new MergedFiles(parsedFiles);
  problems.push(...merged.repeated);
  // A file that could not be parsed may hold required sections, and the schema would
  // report them as missing.
  if (problems.length > 0) return fail(problems);
  const parsed = schema.safeParse(merged.sections);
  if (parsed.success) return ok(parsed.data);
  const found = parsed.error.issues.flatMap((issue) => problemsOf(issue, merged, schema));
  const rank = ({ file }: ConfigProblem): number =>
    sources.findIndex((configSource) => configSource.file === file);
  return fail(found.sort((left, right) => rank(left) - rank(right) || left.line - right.line));
}

function problemsOf(
  issue: z.core.$ZodIssue,
  merged: MergedFiles,
  schema: z.ZodType,
): readonly ConfigProblem[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code !== 'unrecognized_keys')
    return [{ ...merged.placeOf(path), path: path.join('.'), ...wording(issue) }];
  const known = knownKeys(schema, path);
  const isSection = path.length === 0;
  const says = isSection ? 'is not a section' : 'is not a key of this section';
  const all = isSection ? 'The sections' : 'Its keys';
  return issue.keys.map((optionName) => {
    const similar = nearest(optionName, known);
    return {
      ...merged.placeOf([...path, optionName]),
      path: [...path, optionName].join('.'),
      says,
      fix: similar === undefined ? `${all} are ${known.join(', ')}.` : `Did you mean ${similar}?`,
    };
  });
}

function wording(issue: z.core.$ZodIssue): { says: string; fix: string } {
  const missing = { says: 'is missing', fix: 'Add it; docs/serve.md shows the form.' };
  // The message of a schema is used verbatim if it has the form `fault: fix`.
  if (!issue.message.startsWith('Invalid ')) return split(issue.message);
  if (/received undefined/.test(JSON.stringify(issue))) return missing;
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected);
    case 'invalid_value':
      return {
        says: 'is not a known value',
        fix: `Write ${issue.values.map(String).join(' or ')}.`,
      };
    default:
      return { says: 'has the wrong form', fix: 'See docs/serve.md for the form.' };
  }
}

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

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /**
   * The schema of the values whose keys the operator chooses; false if the schema names
   * every permitted key.
   */
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** Returns the keys that a schema defines at a path. */
function knownKeys(schema: z.ZodType, validationPath: Path): readonly string[] {
  let at = [z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema];
  for (const step of validationPath) {
    at = at
      .flatMap((schemaNode) => [schemaNode, ...(schemaNode.anyOf ?? [])])
      .flatMap(
        (schemaNode) =>
          (typeof step === 'number'
            ? schemaNode.items
            : (schemaNode.properties?.[step] ?? schemaNode.additionalProperties)) || [],
      );
  }
  return at
    .flatMap((schemaNode) => [schemaNode, ...(schemaNode.anyOf ?? [])])
    .flatMap((schemaNode) => Object.keys(schemaNode.properties ?? {}));
}

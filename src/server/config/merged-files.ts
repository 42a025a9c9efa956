import {
  LineCounter,
  parseDocument,
  isMap,
  isNode,
  isScalar,
  type Document,
  type ErrorCode,
} from 'yaml';
import { fail, ok, type Result } from '../../base/index.js';

/** One file of a configuration. */
export interface ConfigSource {
  /** The path, as shown in messages. */
  readonly file: string;
  readonly text: string;
}

/** A problem in a configuration, with its place and its fix. */
export interface ConfigProblem {
  readonly file: string;
  /** The number of the line, from 1. */
  readonly line: number;
  /** The key, such as `postfix.listen`; empty for a problem of the whole file. */
  readonly path: string;
  readonly says: string;
  readonly fix: string;
}

const LIMIT = 1024 * 1024;

/** A file of a configuration after parsing. */
export interface ParsedFile {
  readonly file: string;
  readonly document: Document;
  readonly sections: Readonly<Record<string, unknown>>;
  /** Returns the line, from 1, of an offset in the text. */
  lineAt(offset: number): number;
}

/**
 * The names of the types of zod for messages, each with a fix that shows the YAML syntax.
 */
export const typeNames: Readonly<Record<string, readonly [name: string, form: string]>> = {
  array: ['a list', 'Write it as [one, two].'],
  object: ['a section', 'Write it as key: value, indented below its name.'],
  record: ['a section', 'Write it as key: value, indented below its name.'],
  string: ['a text', 'Write a text here, in quotes if it has special characters.'],
  number: ['a number', 'Write a number here, without quotes.'],
  int: ['a whole number', 'Write a whole number here, without quotes.'],
  boolean: ['true or false', 'Write true or false here.'],
};

const CORRECT_YAML = 'Compare this line and the one above with the examples of docs/serve.md.';
/** Fixes of syntax errors, by the codes of the YAML parser. */
const yamlFixes: Readonly<Partial<Record<ErrorCode, string>>> = {
  BAD_INDENT: 'Begin all keys of a section in the same column, and close every bracket.',
  BAD_SCALAR_START: 'Write the value in quotes.',
  BLOCK_AS_IMPLICIT_KEY: 'Write the value in quotes, or on a line of its own.',
  DUPLICATE_KEY: 'Keep one of the keys of this name, and move the content of the other into it.',
  MISSING_CHAR: 'Close the bracket or quotation mark that opens here or above.',
  MULTIPLE_DOCS: 'Remove the line --- and put all sections into one document.',
  TAB_AS_INDENT: 'Indent with spaces.',
  UNEXPECTED_TOKEN: 'Remove the character, or write the value in quotes.',
};

/** Parses one file, whose content must be sections. */
export function parseFile({
  file,
  text,
}: ConfigSource): Result<ParsedFile, readonly ConfigProblem[]> {
  const problem = (line: number, says: string, fix: string): ConfigProblem => {
    return { file, line, path: '', says, fix };
  };
  if (text.length > LIMIT)
    return fail([problem(1, 'the file is larger than 1 MiB', 'Name the right file.')]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  if (document.errors.length > 0)
    return fail(
      document.errors.map(({ code, message, pos: [offset] }) => {
        const says = (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
        return problem(lineAt(offset), says, yamlFixes[code] ?? CORRECT_YAML);
      }),
    );
  let jsonValue: unknown;
  try {
    // The number of aliases is limited, so that a small file cannot expand to a large
    // value.
    jsonValue = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return fail([problem(1, (error as Error).message, 'Write the values out, without aliases.')]);
  }
  // A file that contains only comments has no section.
  if (jsonValue === null || isMap(document.contents))
    return ok({ file, document, lineAt, sections: (jsonValue ?? {}) as ParsedFile['sections'] });
  const [name, form] = typeNames['object'] ?? ['', ''];
  return fail([problem(1, `the content must be ${name}`, form)]);
}

type Path = readonly (string | number)[];

/** The sections of all files, each with the file that holds it. */
export class MergedFiles {
  readonly sections: Readonly<Record<string, unknown>>;
  /** The problems of sections that occur in a second file. */
  readonly repeated: readonly ConfigProblem[];
  readonly #first: ParsedFile | undefined;
  readonly #holders = new Map<string, ParsedFile>();

  constructor(parsedFiles: readonly ParsedFile[]) {
    this.#first = parsedFiles[0];
    const repeated: ConfigProblem[] = [];
    const entries: [string, unknown][] = [];
    for (const parsedFile of parsedFiles) {
      for (const [section, jsonValue] of Object.entries(parsedFile.sections)) {
        const holder = this.#holders.get(section);
        if (holder) repeated.push(repetition(section, holder, parsedFile));
        else this.#holders.set(section, parsedFile);
        entries.push([section, jsonValue]);
      }
    }
    this.repeated = repeated;
    this.sections = Object.fromEntries(entries);
  }

  /** Returns the file and line of a value, or of the innermost value that contains it. */
  placeOf(validationPath: Path): { readonly file: string; readonly line: number } {
    const holder = this.#holders.get(String(validationPath[0])) ?? this.#first;
    if (!holder) return { file: '', line: 1 };
    return { file: holder.file, line: holder.lineAt(offsetOf(holder.document, validationPath)) };
  }
}

function repetition(section: string, holder: ParsedFile, parsedFile: ParsedFile): ConfigProblem {
  const lineIn = ({ document, lineAt }: ParsedFile): number =>
    lineAt(keyOffset(document, [], section));
  return {
    file: parsedFile.file,
    line: lineIn(parsedFile),
    path: section,
    says: `${holder.file}:${lineIn(holder)} has this section too`,
    fix: 'Keep the section in one of the two files.',
  };
}

function offsetOf(document: Document, validationPath: Path): number {
  for (let length = validationPath.length; length > 0; length--) {
    const node = document.getIn(validationPath.slice(0, length), true);
    const key = validationPath[length - 1];
    if (node === undefined) continue;
    if (typeof key === 'string')
      return keyOffset(document, validationPath.slice(0, length - 1), key);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return 0;
}

function keyOffset(document: Document, validationPath: Path, optionName: string): number {
  const mapping =
    validationPath.length === 0 ? document.contents : document.getIn(validationPath, true);
  const pair = isMap(mapping)
    ? mapping.items.find((item) => isScalar(item.key) && String(item.key.value) === optionName)
    : undefined;
  return isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
}

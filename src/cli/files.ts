import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { describeSystemError, HermeticError } from '../base/index.js';
import { misuse } from './options.js';

/** The name that means standard input or standard output. */
export const STANDARD_STREAM = '-';

/** Path of the daemon's database unless `--store` names another. */
export const DEFAULT_STORE = '/var/lib/hermetic/hermetic.db';

/**
 * Maximum octets of an input file. The largest genuine input is evidence of a few
 * megabytes.
 */
const MAX_INPUT_BYTES = 64 * 1024 * 1024;

/**
 * Reads a file that the command line names, or standard input for `-`. Throws
 * HermeticError for an unreadable file, and above 64 MB. `what`: the option or role, for
 * messages.
 */
export function readFile(filePath: string, what: string): string {
  if (filePath === STANDARD_STREAM) return readDescriptor(0, `${what}: standard input`);
  let descriptor: number | undefined;
  try {
    if (statSync(filePath).size > MAX_INPUT_BYTES) throw tooLarge(`${what} ${filePath}`);
    descriptor = openSync(filePath, 'r');
    return readDescriptor(descriptor, `${what} ${filePath}`);
  } catch (error) {
    if (error instanceof HermeticError) throw error;
    throw unreadable(`${what} ${filePath}`, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * Throws HermeticError unless a path names a regular file: a read of a pipe or a device
 * may never end.
 */
export function assertRegular(filePath: string, what: string): void {
  if (statSync(filePath, { throwIfNoEntry: false })?.isFile() !== false) return;
  throw new HermeticError('file-unreadable', `${what} ${filePath}: is not a regular file`, {
    fix: 'Specify a regular file.',
  });
}

/** Throws HermeticError unless an input file can be read. */
export function assertReadable(filePath: string, what: string): void {
  try {
    accessSync(filePath, constants.R_OK);
  } catch (error) {
    throw unreadable(`${what} ${filePath}`, error);
  }
}

/** Returns the error for an input that cannot be read. */
function unreadable(what: string, cause: unknown): HermeticError {
  const { message: says, fix } = describeSystemError(cause);
  return new HermeticError('file-unreadable', `${what}: ${says}`, { cause, fix });
}

/** Reads a file or a stream to its end. Throws HermeticError as {@link readFile} does. */
function readDescriptor(descriptor: number, what: string): string {
  const parts: Buffer[] = [];
  let total = 0;
  for (;;) {
    const part = Buffer.alloc(65_536);
    let count = 0;
    try {
      count = readSync(descriptor, part);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A terminal or pipe that another process has made non-blocking: try again shortly.
      if (code === 'EAGAIN') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
        continue;
      }
      if (code !== 'EOF') throw unreadable(what, error);
    }
    if (count === 0) return Buffer.concat(parts).toString('utf8');
    parts.push(part.subarray(0, count));
    total += count;
    if (total > MAX_INPUT_BYTES) throw tooLarge(what);
  }
}

/** Returns the error for an input above the limit. */
function tooLarge(what: string): HermeticError {
  return new HermeticError('file-too-large', `${what}: larger than 64 MB`, {
    fix: 'Use a smaller file.',
  });
}

/**
 * Throws HermeticError unless an output file can be written, and leaves no file behind.
 * Commands call this function before the first packet: a check of real hosts takes
 * minutes.
 */
export function assertWritable(filePath: string, what: string): void {
  if (filePath === STANDARD_STREAM) return;
  try {
    const found = statSync(filePath, { throwIfNoEntry: false });
    if (found?.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' });
    if (found) accessSync(filePath, constants.W_OK);
    // A regular file is replaced by a new one in the same folder.
    if (!found || found.isFile()) {
      const folder = dirname(filePath);
      if (!statSync(folder).isDirectory())
        throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
      accessSync(folder, constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    throw unwritable(filePath, what, error);
  }
}

/**
 * Writes a file that the command line names, whole or not at all: the old content remains
 * until the new content is complete. Throws HermeticError.
 */
export function writeFile(filePath: string, text: string, what: string): void {
  let part: string | undefined;
  try {
    // Pipes, devices and the targets of links are written in place.
    if (lstatSync(filePath, { throwIfNoEntry: false })?.isFile())
      part = `${filePath}.${process.pid}.part`;
    writeFileSync(part ?? filePath, text);
    if (part !== undefined) renameSync(part, filePath);
  } catch (error) {
    if (part !== undefined) rmSync(part, { force: true });
    throw unwritable(filePath, what, error);
  }
}

/** Returns the error for an output file, with the reason of the system. */
function unwritable(filePath: string, what: string, cause: unknown): HermeticError {
  const { message: says, fix } = describeSystemError(cause);
  return new HermeticError('file-unwritable', `${what} ${filePath}: ${says}`, { cause, fix });
}

/**
 * Returns the path of a database; throws for `-`, because a database is never a stream.
 */
export function databaseFile(filePath: string): string {
  if (filePath !== STANDARD_STREAM) return filePath;
  throw misuse('--store', 'a database cannot be a stream', 'Specify a file.');
}

/** A kind of JSON file that a command reads. */
export interface JsonKind<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** The value of the field `schema` in such files. */
  readonly id: string;
}

/** The role of each file this program writes, and the command that writes it. */
const writtenBy: Readonly<Record<string, string>> = {
  'hermetic.evidence/1': 'evidence, written by hermetic check --evidence',
  'hermetic.check/1': 'a result, written by hermetic check --json',
  'hermetic.watch-state/1': 'a state, written by hermetic watch --state',
  'hermetic.watch-digest/1': 'a digest, written by hermetic digest --json',
  'hermetic.sender-prediction/1': 'a prediction, written by hermetic sender predict --json',
  'hermetic.sender/1': 'a result, written by hermetic sender test --json',
  'hermetic.diff/1': 'a comparison, written by hermetic diff --json',
  'hermetic.proof/1': 'a proof, written by hermetic dnssec --proof',
  'hermetic.policy/1': 'a decision, written by hermetic policy --json',
  'hermetic.outcome/1': 'a delivery, written by hermetic send --json',
  'hermetic.report/1': 'a report, written by hermetic report import --json',
  'hermetic.report-view/1': 'a view of reports, written by hermetic report show --json',
  'hermetic.report-overview/1': 'an overview of reports, written by hermetic report show --json',
};

/** The code, role and kinds of the JSON file that a command expects. */
export interface ExpectedJson<K extends readonly JsonKind[]> {
  readonly what: string;
  readonly code: string;
  readonly kinds: K;
}

/**
 * Reads a JSON file of one of several kinds, distinguished by its field `schema`. Throws
 * HermeticError that names the kind of the file, or the first member that does not match.
 */
export function readJson<const K extends readonly JsonKind[]>(
  filePath: string,
  { what, code, kinds }: ExpectedJson<K>,
): z.output<K[number]['schema']> {
  const text = readFile(filePath, what);
  const name = filePath === STANDARD_STREAM ? 'standard input' : filePath;
  const wanted = kinds.map(({ id }) => writtenBy[id] ?? id).join(', or ');
  const invalid = (reason: string, cause?: unknown): HermeticError =>
    new HermeticError(code, `${name} ${reason}`, { cause, fix: `Give ${wanted}.` });
  let jsonValue: unknown;
  try {
    jsonValue = JSON.parse(text);
  } catch (cause) {
    throw invalid('is not JSON', cause);
  }
  const id = idOf(jsonValue);
  if (id === undefined) throw invalid('was not written by this program');
  const jsonKind = kinds.find((known) => known.id === id);
  if (!jsonKind) throw invalid(`is ${writtenBy[id] ?? 'of an unknown kind'}`);
  const parsed = jsonKind.schema.safeParse(jsonValue);
  if (parsed.success) return parsed.data as z.output<K[number]['schema']>;
  const [issue] = parsed.error.issues;
  throw invalid(`is damaged at ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Returns the field `schema` of a value, if it has one. */
function idOf(jsonValue: unknown): string | undefined {
  const id = (jsonValue as { schema?: unknown } | null)?.schema;
  if (typeof id === 'string') return id;
  return undefined;
}

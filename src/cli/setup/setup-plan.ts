import { HermeticError, isHermeticError } from '../../base/index.js';
import type { Machine } from './machine.js';

/** One file that setup writes. */
export interface SetupStep {
  readonly path: string;
  readonly text: string;
  /** The effect of the file, for the operator. */
  readonly purpose: string;
  /**
   * Makes the file effective, after it was written and after it was restored. Throws
   * HermeticError; setup then restores every file.
   */
  activate(): Promise<void>;
}

/** The saved state of one changed file. */
interface SavedFile {
  readonly path: string;
  /** Null: the file did not exist. */
  readonly before: string | null;
  /** The content that setup wrote. */
  readonly after: string;
}

interface Journal {
  readonly schema: 'hermetic.setup/1';
  readonly files: readonly SavedFile[];
}

const JOURNALS = '/var/lib/hermetic/setup';

/** Returns the folder with the files as they were before `hermetic setup USE`. */
export function journalPath(use: string): string {
  return `${JOURNALS}/${use}.json`;
}

/**
 * Writes the files in order and activates each. Saves their former content first. When
 * one step fails, restores all files and throws the reason.
 */
export async function applySetup(
  use: string,
  steps: readonly SetupStep[],
  machine: Machine,
): Promise<void> {
  const earlier = readJournal(use, machine)?.files ?? [];
  const files = steps.map(({ path, text }): SavedFile => {
    const now = machine.read(path);
    const known = earlier.find((saved) => saved.path === path);
    // A second setup keeps the files saved by the first setup.
    const before = known && now === known.after ? known.before : now;
    return { path, before: before ?? null, after: text };
  });
  const others = earlier.filter(({ path }) => !steps.some((step) => step.path === path));
  writeJournal(use, [...others, ...files], machine);
  const done: { readonly step: SetupStep; readonly before: string | undefined }[] = [];
  try {
    for (const step of steps) {
      done.unshift({ step, before: machine.read(step.path) });
      machine.write(step.path, step.text);
      await step.activate();
    }
  } catch (error) {
    for (const { step, before } of done) {
      restore(step.path, before ?? null, machine);
      await step.activate().catch(ignoreFailure);
    }
    if (earlier.length > 0) writeJournal(use, earlier, machine);
    else machine.remove(journalPath(use));
    throw error;
  }
}

/**
 * Restores every file that setup wrote, the last first. Stops at a file that was changed
 * since, and returns its path: the changed file may need the files that setup wrote
 * earlier. Throws HermeticError without a saved state.
 */
export async function undoSetup(
  use: string,
  activate: (path: string) => Promise<void>,
  machine: Machine,
): Promise<string | undefined> {
  const journal = readJournal(use, machine);
  if (!journal)
    throw new HermeticError('setup-absent', `${use}: there is no setup to undo`, {
      fix: `Its record would be ${journalPath(use)}.`,
    });
  for (const [index, saved] of [...journal.files.entries()].reverse()) {
    const now = machine.read(saved.path);
    const restored = now === undefined || now === saved.after ? saved.before : revert(now, saved);
    if (restored === undefined) {
      writeJournal(use, journal.files.slice(0, index + 1), machine);
      return saved.path;
    }
    restore(saved.path, restored, machine);
    await activate(saved.path);
  }
  machine.remove(journalPath(use));
  return undefined;
}

function restore(path: string, before: string | null, machine: Machine): void {
  if (before === null) machine.remove(path);
  else machine.write(path, before);
}

/**
 * Ignores a later failure, because setup reports only the first failure; throws other
 * errors.
 */
function ignoreFailure(error: unknown): void {
  if (!isHermeticError(error)) throw error;
}

function readJournal(use: string, machine: Machine): Journal | undefined {
  const text = machine.read(journalPath(use));
  return text === undefined ? undefined : (JSON.parse(text) as Journal);
}

function writeJournal(use: string, files: readonly SavedFile[], machine: Machine): void {
  const journal: Journal = { schema: 'hermetic.setup/1', files };
  // The former content of a file may contain a secret.
  machine.write(journalPath(use), `${JSON.stringify(journal, null, 2)}\n`, 0o600);
}

/**
 * Removes the lines of setup from a file with later changes, such as `main.cf`: each
 * former line replaces the line with the same name. Undefined if the lines of setup no
 * longer exist, or a former value has several lines.
 */
function revert(now: string, { before, after }: SavedFile): string | undefined {
  if (before === null) return undefined;
  const [old, fresh, lines] = [before, after, now].map((text) => text.split('\n'));
  if (!old || !fresh || !lines) return undefined;
  const added = new Set(fresh.filter((line) => !old.includes(line)));
  const removed = old.filter((line) => !fresh.includes(line));
  const isWhole = [...added].every((line) => lines.includes(line));
  if (!isWhole || [...added, ...removed].some((line) => /^\s/.test(line))) return undefined;
  const reverted = lines.flatMap((line) => {
    if (!added.has(line)) return [line];
    return removed.filter((former) => nameOf(former) === nameOf(line));
  });
  const isComplete = removed.every((line) => reverted.includes(line));
  return isComplete ? reverted.join('\n') : undefined;
}

/** Returns the name of a setting: the text before the equals sign. */
function nameOf(line: string): string {
  return (line.split('=')[0] ?? '').trim();
}

import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeSystemError, HermeticError } from '../base/index.js';
import type {
  Config,
  ConfigProblem,
  ConfigSource,
  parseConfigFiles as ParseConfigFiles,
} from '../server/index.js';
import { assertRegular, readFile, STANDARD_STREAM } from './files.js';
import { complain, type Output } from './output.js';

/** Path of the daemon's configuration unless `--config` names another. */
export const DEFAULT_CONFIG = '/etc/hermetic/hermetic.yaml';

/**
 * The configuration path of version 0.1. If a file exists here but not at the default
 * path, the error tells the operator to move it.
 */
const FORMER_CONFIG = '/etc/hermetic.yaml';

/**
 * Name of the folder next to the configuration, for more files with sections of their
 * own.
 */
const CONFIG_FOLDER = 'conf.d';

const MAX_CONFIG_FILES = 100;

/**
 * Maximum number of configuration problems shown; a file of another kind has thousands.
 */
const MAX_PROBLEMS = 20;

/**
 * Reads a configuration file and `conf.d/*.yaml` next to it, in the order of their names.
 * Standard input (`-`) has no such folder. Throws HermeticError for a file that cannot be
 * read, and for a file in `conf.d` whose name ends in `.yml` or `.YAML`. With
 * `onlyRegular` the function also throws for pipes and devices.
 */
export function readConfigSources(
  filePath: string,
  { onlyRegular = false } = {},
): readonly ConfigSource[] {
  const more = filePath === STANDARD_STREAM ? [] : filesOf(join(dirname(filePath), CONFIG_FOLDER));
  if (filePath === DEFAULT_CONFIG && !existsSync(filePath) && existsSync(FORMER_CONFIG))
    throw new HermeticError('file-unreadable', `--config ${filePath}: there is no such file`, {
      fix: `Move ${FORMER_CONFIG} to ${DEFAULT_CONFIG}.`,
    });
  const files = [filePath, ...more];
  if (onlyRegular) for (const path of files) assertRegular(path, '--config');
  return files.map((path) => ({ file: path, text: readFile(path, '--config') }));
}

function filesOf(folder: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    const { message, fix } = describeSystemError(error);
    throw new HermeticError('file-unreadable', `${folder}: ${message}`, { cause: error, fix });
  }
  const misnamed = names.find(
    (fileName) => /^[^.].*\.ya?ml$/i.test(fileName) && !fileName.endsWith('.yaml'),
  );
  if (misnamed !== undefined)
    throw new HermeticError(
      'config-invalid',
      `${join(folder, misnamed)}: the daemon does not read this file`,
      {
        fix: 'Rename it to end in .yaml, or move it out of the folder.',
      },
    );
  const files = names.filter((fileName) => fileName.endsWith('.yaml') && !fileName.startsWith('.'));
  if (files.length > MAX_CONFIG_FILES)
    throw new HermeticError('config-invalid', `${folder}: more than ${MAX_CONFIG_FILES} files`, {
      fix: 'Join files.',
    });
  return files.map((fileName) => join(folder, fileName));
}

/**
 * Reads the configuration, or prints every problem and returns undefined. `parse` is a
 * parameter because importing its part loads every job of the daemon.
 */
export function readConfig(
  filePath: string,
  parse: typeof ParseConfigFiles,
  output: Output,
): Config | undefined {
  const parsed = parse(readConfigSources(filePath));
  if (parsed.ok) return parsed.value;
  for (const problem of parsed.failure.slice(0, MAX_PROBLEMS))
    complain(output, describeProblem(problem));
  const more = parsed.failure.length - MAX_PROBLEMS;
  if (more > 0) output.err(`hermetic: ${filePath}: ${more} more problems (config-invalid)\n`);
  return undefined;
}

/** Returns whether a configuration enables no job and no metrics. */
export function isIdle({ metrics, jobs }: Config): boolean {
  return !metrics && Object.values(jobs).every((job) => job === undefined);
}

/** Returns a problem of a configuration as the error `config-invalid`. */
export function describeProblem({ file, line, path, says, fix }: ConfigProblem): HermeticError {
  return new HermeticError('config-invalid', `${file}:${line}: ${path}${path ? ': ' : ''}${says}`, {
    fix,
  });
}

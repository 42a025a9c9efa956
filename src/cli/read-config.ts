import { HermeticError } from '../base/index.js';
import type { Config, ConfigProblem, parseConfig as ParseConfig } from '../server/index.js';
import { complain, type Output } from './output.js';
import { readFile } from './read-file.js';

/** Where the daemon's configuration is looked for. */
export const DEFAULT_CONFIG = '/etc/hermetic.yaml';

/** Problems that are told one by one; a file that is none has thousands. */
const MOST = 20;

/**
 * The configuration, or undefined after every problem was told. `parseConfig` is given:
 * the part it is in brings every job with it.
 */
export function readConfig(
  file: string,
  parseConfig: typeof ParseConfig,
  output: Output,
): Config | undefined {
  const parsed = parseConfig(readFile(file, '--config'));
  if (parsed.ok) return parsed.value;
  for (const problem of parsed.failure.slice(0, MOST)) complain(output, asError(file, problem));
  if (parsed.failure.length > MOST)
    output.err(
      `hermetic: ${file}: ${parsed.failure.length - MOST} problems more (config-invalid)\n`,
    );
  return undefined;
}

function asError(file: string, { line, path, says, fix }: ConfigProblem): HermeticError {
  return new HermeticError('config-invalid', `${file}:${line}: ${path}${path ? ': ' : ''}${says}`, {
    fix,
  });
}

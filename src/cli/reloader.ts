import { HermeticError, isHermeticError } from '../base/index.js';
import type * as ServerModule from '../server/index.js';
import type { Daemon, Log, ReloadProblem, ReloadResult } from '../server/index.js';
import { describeProblem, readConfigSources } from './config-files.js';

/** The functions of the part `server` that a reload calls. */
type ServerPart = Pick<typeof ServerModule, 'parseConfigFiles'>;

/**
 * Reloads the configuration of a daemon, one reload after another. An invalid
 * configuration leaves the old configuration active. Requests that arrive before the next
 * reload begins share that reload: many signals cause only two reloads, and do not delay
 * the exit of the daemon.
 */
export class Reloader {
  readonly #file: string;
  readonly #server: ServerPart;
  readonly #log: Log;
  #current: Promise<unknown> = Promise.resolve();
  /** The reload that has not begun yet. */
  #next: Promise<ReloadResult> | undefined;
  #isEnding = false;

  constructor(filePath: string, server: ServerPart, logger: Log) {
    this.#file = filePath;
    this.#server = server;
    this.#log = logger;
  }

  /** Logs every problem, and resolves to the problems. */
  reload(starting: Promise<Daemon>): Promise<ReloadResult> {
    this.#next ??= this.#afterCurrent(starting);
    return this.#next;
  }

  /** Resolves when no reload is running. No reload begins afterwards. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#next;
    await this.#current;
  }

  async #afterCurrent(starting: Promise<Daemon>): Promise<ReloadResult> {
    const started = Promise.all([starting, this.#current]);
    const work = started.then(([daemon]) => {
      this.#next = undefined;
      return this.#reload(daemon);
    });
    const problems = work.catch((error: unknown): readonly ReloadProblem[] => {
      this.#next = undefined;
      this.#log.error('reload-failed', { error: (error as Error).message });
      return [problemOf(error as Error)];
    });
    this.#current = problems;
    return { problems: await problems, at: new Date().toISOString() };
  }

  /** Reads the configuration again and hands it to the daemon when it is valid. */
  async #reload(daemon: Daemon): Promise<readonly ReloadProblem[]> {
    if (this.#isEnding) throw new Error('the daemon ends');
    // A read that blocks on a pipe would delay the answers of every port.
    const sources = readConfigSources(this.#file, { onlyRegular: true });
    const parsed = this.#server.parseConfigFiles(sources);
    // An editor may have truncated the file before it writes the new content.
    if (daemon.listening.length > 0 && sources.every(({ text }) => !/^[^\s#]/m.test(text)))
      throw new HermeticError('config-invalid', `${this.#file}: has no section`, {
        fix: 'Stop the daemon to end its jobs, or add a section.',
      });
    if (parsed.ok) {
      await daemon.reload(parsed.value);
      return [];
    }
    const effect = 'the old configuration stays active';
    const shown = parsed.failure.slice(0, MAX_LOGGED_PROBLEMS);
    for (const { file, line, path, says, fix } of shown)
      this.#log.error('reload-failed', { file, line, path, says, fix, effect });
    return shown.map((problem) => problemOf(describeProblem(problem)));
  }
}

/**
 * Maximum number of logged problems of a configuration; a file of another kind has
 * thousands.
 */
const MAX_LOGGED_PROBLEMS = 20;

function problemOf(error: Error): ReloadProblem {
  if (isHermeticError(error))
    return { code: error.code, message: error.message, fix: error.fix ?? '' };
  return { code: 'reload-failed', message: error.message, fix: '' };
}

import { isHermeticError, neutralise } from '../base/index.js';

/** Where the command line writes and what it is connected to; tests give their own. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
  /** Nobody reads any more, as behind `| head`: what only prints may stop. */
  readonly gone?: boolean;
  readonly width: number;
  readonly color: boolean;
  /** Standard error is a terminal. */
  readonly interactive: boolean;
}

/** The process's own. */
export function processOutput(): Output {
  const { stdout, stderr, env } = process;
  let gone = false;
  stdout.on('error', ({ code }: NodeJS.ErrnoException) => (gone ||= code === 'EPIPE'));
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    get gone() {
      return gone;
    },
    width: stdout.isTTY ? stdout.columns : 80,
    color: stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    interactive: stderr.isTTY,
  };
}

/** `hermetic: <what>: <why> (<code>)` and what to do. */
export function complain(output: Output, error: unknown): void {
  if (!isHermeticError(error)) throw error;
  output.err(`hermetic: ${neutralise(error.message, 400)} (${error.code})\n`);
  if (error.fix) output.err(`  ${neutralise(error.fix)}\n`);
}

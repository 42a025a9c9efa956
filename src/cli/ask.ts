import { createInterface } from 'node:readline/promises';

/** The terminal on which a question is asked. Default: the terminal of this process. */
export interface QuestionTerminal {
  /** The signal that aborts the question. */
  readonly signal: AbortSignal;
  readonly input?: NodeJS.ReadStream;
  readonly output?: NodeJS.WritableStream;
  /**
   * Handles ctrl-C: during a question, the terminal does not turn ctrl-C into a signal.
   */
  interrupt?(): void;
}

/**
 * Asks a question on the terminal. Resolves to an empty text without a terminal and after
 * ctrl-D. Rejects when the signal aborts the question.
 */
export async function ask(question: string, options: QuestionTerminal): Promise<string> {
  const { signal, input = process.stdin, output = process.stderr } = options;
  const { interrupt = () => process.kill(process.pid, 'SIGINT') } = options;
  if (!input.isTTY) return '';
  const terminal = createInterface({ input, output, terminal: true });
  terminal.on('SIGINT', () => interrupt());
  try {
    return (await terminal.question(question, { signal })).trim();
  } catch (error) {
    if (signal.aborted) throw error;
    output.write('\n');
    return '';
  } finally {
    terminal.close();
  }
}

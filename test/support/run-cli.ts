import { run } from '../../src/cli/run.js';

/** The exit status of a command line and the text it printed. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a command line, without `hermetic`, at 80 columns and without colour; for tests.
 */
export async function runCli(
  args: readonly string[],
  width = 80,
  signal: AbortSignal = new AbortController().signal,
  onOutput: () => void = () => undefined,
): Promise<Ran> {
  let [out, err] = ['', ''];
  const write = {
    out: (text: string) => {
      out += text;
      onOutput();
    },
    err: (text: string) => void (err += text),
  };
  const code = await run(args, { ...write, width, color: false, interactive: false }, signal);
  return { code, out, err };
}

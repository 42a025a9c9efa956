import { run } from '../../src/cli/run.js';

/** What a command line printed and came to. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a command line as a person would type it, without `hermetic`, at 80 columns and
 * without colour; for tests.
 */
export async function runCli(
  args: readonly string[],
  width = 80,
  signal: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  let [out, err] = ['', ''];
  const write = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
  };
  const code = await run(args, { ...write, width, color: false, interactive: false }, signal);
  return { code, out, err };
}

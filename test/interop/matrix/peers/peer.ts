import { runProgram } from '../../process.js';
import type { MatrixServer } from '../matrix.js';
import type { Surface } from '../surface.js';

/** Another program that examines the TLS of a server. */
export interface Peer {
  readonly name: string;
  look(server: MatrixServer): Promise<Look>;
}

/** The observed surface, with its cost. */
export interface Look extends Cost {
  readonly surface: Surface;
}

export interface Cost {
  /** Seconds of wall-clock time. */
  readonly wall: number;
  /** Seconds of CPU time, with child processes. */
  readonly cpu: number;
}

/** Runs a program to its end and measures it. */
export async function timed(
  command: string,
  args: readonly string[],
  timeoutMs = 580_000,
): Promise<Cost & { readonly out: string }> {
  const script = `TIMEFORMAT='%R %U %S'; time "$@"`;
  const { out, err } = await runProgram('bash', ['-c', script, 'timed', command, ...args], {
    anyStatus: true,
    timeoutMs,
  });
  const [wall, user, system] = (/(\d+\.\d+) (\d+\.\d+) (\d+\.\d+)\s*$/.exec(err) ?? [])
    .slice(1)
    .map(Number);
  if (wall === undefined || user === undefined || system === undefined)
    throw new Error(`${command} did not end\n${out}\n${err}`);
  return { wall, cpu: user + system, out };
}

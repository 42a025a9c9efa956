import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Usage } from './usage.js';

/** A server under measurement. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly map: string;
  usage(): Promise<Usage>;
  stop(): void;
}

/** Starts one of the server programs of this folder. */
export async function startServer(
  name: string,
  program: string,
  ...args: readonly string[]
): Promise<Server> {
  const child = fork(join(import.meta.dirname, program), [...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const { port } = await reply<{ port: number }>(child);
  return {
    name,
    port,
    map: 'hermetic',
    usage() {
      const said = reply<Usage>(child);
      child.send('usage');
      return said;
    },
    stop: () => void child.kill(),
  };
}

/**
 * Returns the resource usage of a program that does not report its usage, from /proc: CPU
 * time in steps of 10 ms.
 */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return { cpu: (user + system) * 10_000, rss: rss * 1024 };
}

function reply<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`a server ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });
}

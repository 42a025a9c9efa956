import { execFile } from 'node:child_process';
import type { Outcome } from '../apply/hands.js';

const MINUTE = 60_000;

/** Tells a mail server to read its files again: a program with its arguments, without a shell, given a minute. */
export function runReload(
  [command = '', ...args]: readonly string[],
  signal?: AbortSignal,
  timeout = MINUTE,
): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { timeout, killSignal: 'SIGKILL', ...(signal ? { signal } : {}) },
      (error, _stdout, stderr) => {
        if (!error) return resolve({ status: 'done' });
        const why = error.killed
          ? `no end within ${timeout / 1000} s`
          : (stderr || error.message).slice(0, 500).trim();
        resolve({ status: 'failed', code: 'publish-reload-failed', detail: `${command}: ${why}` });
      },
    );
  });
}

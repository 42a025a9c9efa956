import { execFile } from 'node:child_process';
import { commandFailure } from '../command-failure.js';
import type { DnsWriter } from '../actions.js';

const LONGEST_MS = 120_000;

/**
 * Changes records by a command of the operator. It reads one JSON object, `{name, type,
 * from, to, ttl}`, from its standard input, makes the RRset exactly `to`, or changes
 * nothing and exits with a status other than 0. No part of the object becomes part of a
 * command line. docs/dns-hook.md describes the protocol.
 */
export function hookWriter(
  [command = '', ...args]: readonly string[],
  timeout = LONGEST_MS,
): DnsWriter {
  return ({ name, type, from, to, ttl }, signal) =>
    new Promise((resolve) => {
      const child = execFile(
        command,
        args,
        { timeout, killSignal: 'SIGKILL', ...(signal ? { signal } : {}) },
        (error, _stdout, stderr) => {
          if (!error) return resolve({ status: 'done' });
          resolve({
            status: 'failed',
            code: 'publish-hook-failed',
            detail: commandFailure(command, error, stderr, timeout),
          });
        },
      );
      child.stdin
        ?.on('error', () => undefined)
        .end(`${JSON.stringify({ name, type, from, to, ttl })}\n`);
    });
}

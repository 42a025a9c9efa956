import { execFile } from 'node:child_process';
import { commandFailure } from '../../base/index.js';
import type { DnsWriter } from '../actions.js';

/** Default timeout, milliseconds. A command that runs longer is killed. */
const TIMEOUT_MS = 120_000;
/** Octets of output that a command may write; Hermetic ignores standard output. */
const MAX_OUTPUT = 16_777_216;

/**
 * Returns a writer that runs a command of the operator. The command reads one JSON object
 * `{name, type, from, to, ttl}` from its standard input. The command makes the RRset
 * exactly `to`, or exits with a status other than 0 without any change. No part of the
 * object becomes part of a command line. docs/dns-hook.md describes the protocol.
 */
export function hookWriter(
  [command = '', ...args]: readonly string[],
  timeout = TIMEOUT_MS,
): DnsWriter {
  return ({ name, type, from, to, ttl }, signal) =>
    new Promise((resolve) => {
      const maxBuffer = MAX_OUTPUT;
      const options = { timeout, killSignal: 'SIGKILL', signal, maxBuffer } as const;
      const child = execFile(command, args, options, (error, _stdout, stderr) => {
        if (!error) return resolve({ status: 'done' });
        const detail = commandFailure(command, error, stderr, timeout);
        resolve({ status: 'failed', code: 'publish-hook-failed', detail });
      });
      // A command may exit without reading its input. Only its exit status decides the
      // outcome.
      child.stdin
        ?.on('error', () => undefined)
        .end(`${JSON.stringify({ name, type, from, to, ttl })}\n`);
    });
}

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Output } from './output.js';

/**
 * Reads a password: from a terminal without showing it, else the first line of standard
 * input. No option accepts a password, because every user of the machine can list the
 * arguments of a process.
 */
export async function readPassword(output: Output): Promise<string> {
  const isTerminal = process.stdin.isTTY;
  if (isTerminal) output.err('Password: ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({
    input: process.stdin,
    output: silent,
    terminal: isTerminal,
    historySize: 0,
  });
  try {
    for await (const line of reader) return line;
    return '';
  } finally {
    reader.close();
    if (isTerminal) output.err('\n');
  }
}

import { connect } from 'node:net';

/** A question to a program on this machine over a UNIX socket. */
export interface SocketQuestion {
  readonly path: string;
  /**
   * The text of the question, sent at once; the server answers and closes the connection.
   */
  readonly text: string;
  readonly timeoutMs: number;
  /** Maximum number of octets of the answer. */
  readonly maxBytes: number;
}

/**
 * Sends one question to the UNIX socket at a path and resolves to the whole answer.
 * Rejects with the system error, with `ETIMEDOUT` after `timeoutMs`, and with `EMSGSIZE`
 * for an answer that is too long.
 */
export function askSocket({ path, text, timeoutMs, maxBytes }: SocketQuestion): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const parts: Buffer[] = [];
    let octets = 0;
    const give = (code: string): void => {
      socket.destroy(Object.assign(new Error(`${code}: ${path}`), { code }));
    };
    const timer = setTimeout(() => give('ETIMEDOUT'), timeoutMs);
    socket.on('data', (part: Buffer) => {
      octets += part.length;
      if (octets > maxBytes) give('EMSGSIZE');
      else parts.push(part);
    });
    socket.once('close', () => clearTimeout(timer));
    socket.once('error', reject);
    socket.once('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    // The code does not call end(), since the server answers only on a connection that is
    // open in both directions.
    socket.write(text);
  });
}

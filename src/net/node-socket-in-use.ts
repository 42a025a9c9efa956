import { connect } from 'node:net';

/**
 * Returns true if a process listens on the UNIX socket at a path. Only a refused
 * connection proves the opposite: a full queue or a missing permission does not.
 */
export function isSocketInUse(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

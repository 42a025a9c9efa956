import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isSocketInUse } from '../../net/index.js';

/**
 * Milliseconds that a start waits for another start at the same path, and milliseconds
 * between two attempts.
 */
const CLAIM = { wait: 5000, pause: 20 } as const;

/**
 * Listens at a path, with `mode` as permission bits. Replaces a stale socket, but never a
 * socket on which a process listens. Rejects with `EADDRINUSE` for a socket in use,
 * `EEXIST` for any other file.
 *
 * The socket is created under a separate name and then linked to the path, which fails if
 * the path exists. The socket therefore has its mode from the start, and the process
 * never removes the socket of a successor when it closes its own.
 */
export async function listenAtPath(
  server: Server,
  socketPath: string,
  mode = 0o666,
): Promise<void> {
  const isOwn = besides(socketPath);
  await listening(server, isOwn);
  try {
    // By default every user with access to the folder may connect, for instance the user
    // of Postfix.
    chmodSync(isOwn, mode);
    if (!linked(isOwn, socketPath)) await replaceStale(isOwn, socketPath);
  } catch (error) {
    server.close();
    throw error;
  }
  const { ino } = lstatSync(isOwn);
  unlinkSync(isOwn);
  server.once('close', () => {
    if (lstatSync(socketPath, { throwIfNoEntry: false })?.ino === ino) unlinkSync(socketPath);
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((done, reject) => {
    server.once('error', reject).listen({ path }, () => done());
  });
}

/**
 * Replaces a stale socket. One process at a time examines whether the existing socket is
 * stale: two processes that start at the same time would both replace it.
 */
async function replaceStale(isOwn: string, socketPath: string): Promise<void> {
  const unlock = await lock(socketPath);
  try {
    await removeStale(socketPath);
    if (!linked(isOwn, socketPath)) throw refusal('EADDRINUSE', socketPath);
  } finally {
    unlock();
  }
}

/**
 * Takes a lock, and returns the function that releases it. The lock is an abstract socket
 * (unix(7)): only one process can bind its name, and the kernel releases the name when
 * the process ends. Only Linux has abstract sockets.
 */
async function lock(socketPath: string): Promise<() => void> {
  if (process.platform !== 'linux') return () => undefined;
  const abstractName = `\0hermetic-${createHash('sha256').update(resolve(socketPath)).digest('hex')}`;
  for (let waited = 0; ; waited += CLAIM.pause) {
    const holder = createServer();
    try {
      await listening(holder, abstractName);
      return () => holder.close();
    } catch (error) {
      if (waited >= CLAIM.wait) throw error;
      await setTimeout(CLAIM.pause);
    }
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function removeStale(socketPath: string): Promise<void> {
  const stats = lstatSync(socketPath, { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isSocket()) throw refusal('EEXIST', socketPath);
  if (await isSocketInUse(socketPath)) throw refusal('EADDRINUSE', socketPath);
  if (lstatSync(socketPath, { throwIfNoEntry: false })?.ino === stats.ino) unlinkSync(socketPath);
}

/**
 * Returns a path with a short random name in the same folder, because a socket path has
 * at most 107 octets (unix(7)).
 */
function besides(socketPath: string): string {
  return join(dirname(socketPath), `.${randomBytes(3).toString('hex')}`);
}

function refusal(code: 'EADDRINUSE' | 'EEXIST', socketPath: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${socketPath}`), { code });
}

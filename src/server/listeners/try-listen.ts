import { accessSync, constants, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import type { HermeticError } from '../../base/index.js';
import { isSocketInUse } from '../../net/index.js';
import type { ListenAddress } from '../listen-address.js';
import { unavailable } from './open-port.js';

/**
 * Returns the error if the process cannot listen on an address; undefined if it can. The
 * test leaves no trace: it binds and releases a port, or examines the folder of a UNIX
 * socket. A port that a `hermetic serve` uses counts as free, because the operator will
 * reload that process.
 */
export async function tryListen(address: ListenAddress): Promise<HermeticError | undefined> {
  if ('path' in address) return trySocket(address.path);
  if (address.port === 0) return undefined;
  const error = await bind(address.address, address.port);
  if (!error || (error.code === 'EADDRINUSE' && isHeldByDaemon(() => listeningOn(address.port))))
    return undefined;
  return unavailable(address, error);
}

function bind(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function trySocket(socketPath: string): Promise<HermeticError | undefined> {
  const refuse = (code: string): HermeticError =>
    unavailable({ path: socketPath }, Object.assign(new Error(`${code}: ${socketPath}`), { code }));
  try {
    accessSync(dirname(socketPath), constants.W_OK | constants.X_OK);
  } catch (error) {
    return unavailable({ path: socketPath }, error as NodeJS.ErrnoException);
  }
  const existing = lstatSync(socketPath, { throwIfNoEntry: false });
  if (!existing) return undefined;
  if (!existing.isSocket()) return refuse('EEXIST');
  const taken = (await isSocketInUse(socketPath)) && !isHeldByDaemon(() => listeningAt(socketPath));
  return taken ? refuse('EADDRINUSE') : undefined;
}

/**
 * Returns whether a running daemon uses one of the sockets. Only Linux reports the
 * listening process. On other systems the function returns false.
 */
function isHeldByDaemon(inodesOf: () => ReadonlySet<string>): boolean {
  try {
    const inodes = inodesOf();
    return processes().some(
      (pid) => isDaemon(pid) && socketsOf(pid).some((inode) => inodes.has(inode)),
    );
  } catch {
    return false;
  }
}

/**
 * Returns the inodes of the sockets that listen on a TCP port (proc(5): state 0A, the
 * port in hexadecimal).
 */
function listeningOn(portNumber: number): ReadonlySet<string> {
  const hex = portNumber.toString(16).toUpperCase().padStart(4, '0');
  const rows = ['tcp', 'tcp6'].flatMap((protocol) => readTable(protocol));
  return new Set(
    rows.flatMap(([, local = '', , state, , , , , , inode = '']) =>
      state === '0A' && local.endsWith(`:${hex}`) ? [inode] : [],
    ),
  );
}

/**
 * Returns the inodes of the sockets that listen at a path. The daemon binds a hidden name
 * in the same folder and links that name to the path, so the function accepts both names.
 */
function listeningAt(socketPath: string): ReadonlySet<string> {
  const isAt = (bound: string): boolean =>
    bound === socketPath ||
    (dirname(bound) === dirname(socketPath) && /^\.[0-9a-f]{6}$/.test(basename(bound)));
  const rows = readTable('unix').filter((columns) => isAt(columns[7] ?? ''));
  return new Set(rows.map((columns) => columns[6] ?? ''));
}

function readTable(protocol: string): readonly (readonly string[])[] {
  try {
    const lines = readFileSync(`/proc/net/${protocol}`, 'utf8').split('\n').slice(1);
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}

function processes(): readonly string[] {
  return readdirSync('/proc').filter(
    (entryName) => /^\d+$/.test(entryName) && entryName !== String(process.pid),
  );
}

function isDaemon(pid: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes('serve') && words.some((word) => /hermetic|cli\/main\.js$/.test(word));
  } catch {
    return false;
  }
}

function socketsOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const link = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [];
    });
  } catch {
    return [];
  }
}

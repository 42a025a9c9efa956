import { spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../../../base/index.js';
import { scanError } from './failures.js';
import { Database } from './database.js';

/** Name of the database role in a local cluster. */
const ROLE = 'hermetic';
/** The system user that owns a cluster when the command runs as root. */
const SERVER_USER = 'postgres';
/** Longest path of a Unix socket: `sun_path` has 108 octets, with the final zero. */
const MAX_SOCKET_PATH = 107;
const SOCKET_NAME = '.s.PGSQL.5432';
const START_ATTEMPTS = 60;
const PAUSE_MS = 500;

/**
 * Settings of the local server. The server accepts connections only on a Unix socket in
 * its folder. Writes are durable as by default: each commit flushes the WAL, so the WAL
 * writer has nothing left to write. JIT compilation costs more than it saves for short
 * statements. Statements use indexes, so the planner needs few statistics.
 */
const serverSettings: Readonly<Record<string, string>> = {
  listen_addresses: '',
  max_connections: '60',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  jit: 'off',
  wal_writer_delay: '10s',
  bgwriter_lru_maxpages: '0',
  checkpoint_timeout: '30min',
  default_statistics_target: '10',
  log_min_messages: 'warning',
};

/** A local PostgreSQL server whose data, socket and log are in one folder. */
export interface LocalCluster {
  /**
   * Opens a pool of connections to the server, and restarts the server if it has stopped.
   */
  open(options?: { maxConnections?: number; onError?: (error: Error) => void }): Promise<Database>;
  /** Stops the server unless another process uses it. */
  close(): Promise<void>;
}

/**
 * Opens the PostgreSQL cluster in `folder`. Uses the newest installed server. `create`:
 * creates the cluster if the folder is absent or empty.
 *
 * PostgreSQL refuses to run as root: if the command runs as root, it starts the server as
 * the system user `postgres`, which owns the folder. Several processes may use the same
 * folder; the last process stops the server.
 *
 * Throws HermeticError `scan-server-missing`, `scan-server-user` or `scan-server-failed`;
 * without `create` also `scan-database-empty`.
 */
export async function openCluster(
  folder: string,
  { create = false }: { readonly create?: boolean } = {},
): Promise<LocalCluster> {
  const at = resolve(folder);
  if (!create && !existsSync(at)) throw scanError('scan-database-empty', at);
  const socketFolder = join(at, 'socket');
  if (Buffer.byteLength(join(socketFolder, SOCKET_NAME)) > MAX_SOCKET_PATH)
    throw scanError('scan-server-failed', `the path ${at} is too long for a Unix socket`);
  const server = new Server(findPrograms(), at, socketFolder);
  await server.prepare(create);
  await server.start();
  return {
    open: (options = {}) => server.connect(options),
    close: () => server.stopUnlessUsed(),
  };
}

interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** One cluster and the programs that control it. */
class Server {
  readonly #programs: string;
  readonly #folder: string;
  readonly #socketFolder: string;
  readonly #user: SystemUser | undefined;

  constructor(programs: string, folder: string, socketFolder: string) {
    this.#programs = programs;
    this.#folder = folder;
    this.#socketFolder = socketFolder;
    this.#user = serverUser();
  }

  /**
   * Creates the files of the cluster if they are absent. Without `create`, throws
   * `scan-database-empty` instead.
   */
  async prepare(create: boolean): Promise<void> {
    const data = this.#data;
    if (existsSync(join(data, 'PG_VERSION'))) return;
    if (!create) throw scanError('scan-database-empty', this.#folder);
    // The server's system user needs access to the parents of its folder.
    mkdirSync(dirname(this.#folder), { recursive: true });
    for (const made of [this.#folder, this.#socketFolder]) {
      mkdirSync(made, { recursive: true, mode: 0o700 });
      if (this.#user) chownSync(made, this.#user.uid, this.#user.gid);
    }
    const made = await this.#run('initdb', [
      ...['-D', data, '-U', ROLE, '--auth=trust', '-E', 'UTF8', '--locale=C'],
    ]);
    if (made.status !== 0)
      throw scanError('scan-server-failed', made.text.trim().replace(/\s*\n\s*/g, '; '));
  }

  /** Starts the server unless it runs. */
  async start(): Promise<void> {
    if ((await this.#run('pg_ctl', ['-D', this.#data, 'status'])).status === 0) return;
    const settings = Object.entries({
      ...serverSettings,
      unix_socket_directories: this.#socketFolder,
    }).map(([name, value]) => `-c ${name}='${value.replaceAll("'", "'\\''")}'`);
    const log = join(this.#folder, 'server.log');
    const started = await this.#run('pg_ctl', [
      ...['-D', this.#data, '-l', log, '-w', '-t', '60', '-o', settings.join(' '), 'start'],
    ]);
    if (started.status === 0) return;
    // Another process may have started the server at the same moment.
    if ((await this.#run('pg_ctl', ['-D', this.#data, 'status'])).status === 0) return;
    throw scanError('scan-server-failed', `see ${log}: ${lastLine(log)}`);
  }

  /** Opens a pool. If another process is stopping the server, starts the server again. */
  async connect(options: {
    maxConnections?: number;
    onError?: (error: Error) => void;
  }): Promise<Database> {
    const connection = { socketFolder: this.#socketFolder, user: ROLE };
    for (let attempt = 1; ; attempt++)
      try {
        return await Database.open({ ...options, connection });
      } catch (error) {
        if (attempt >= START_ATTEMPTS) throw error;
        await systemClock.sleep(PAUSE_MS);
        await this.start();
      }
  }

  async stopUnlessUsed(): Promise<void> {
    if ((await this.#run('pg_ctl', ['-D', this.#data, 'status'])).status !== 0) return;
    const database = await this.connect({ maxConnections: 1 });
    const [row] = await database.query<{ others: number }>(
      `SELECT count(*) AS others FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    await database.close();
    if (row?.others === 0) await this.#run('pg_ctl', ['-D', this.#data, '-m', 'fast', 'stop']);
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  /** Runs a program of PostgreSQL as the owner of the cluster. */
  #run(program: string, args: readonly string[]): Promise<{ status: number; text: string }> {
    return new Promise((done, reject) => {
      const child = spawn(join(this.#programs, program), [...args], {
        cwd: this.#folder,
        uid: this.#user?.uid,
        gid: this.#user?.gid,
        env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
        // The server would inherit a pipe and keep it open, so only initdb gets a pipe.
        stdio: ['ignore', 'ignore', program === 'initdb' ? 'pipe' : 'ignore'],
        // Ctrl-C signals the process group of the terminal, and must not stop the server.
        detached: true,
      });
      let text = '';
      child.stderr?.on('data', (octets: Buffer) => {
        text = (text + octets.toString()).slice(-500);
      });
      child.on('error', (error) => reject(scanError('scan-server-failed', error.message, error)));
      child.on('close', (status) => done({ status: status ?? -1, text: text.trim() }));
    });
  }
}

/** Returns the folder with the programs of the newest installed server. */
function findPrograms(): string {
  // Debian keeps each version in a folder of its own, outside PATH.
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(base, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':').filter((entry) => entry.startsWith('/')),
  ];
  const found = folders.find((entry) =>
    ['initdb', 'pg_ctl', 'postgres'].every((program) => existsSync(join(entry, program))),
  );
  if (found === undefined) throw scanError('scan-server-missing', 'initdb was not found');
  return found;
}

/**
 * Returns the user that owns the cluster if the command runs as root; otherwise
 * undefined.
 */
function serverUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = accounts.find(([name]) => name === SERVER_USER) ?? [];
  if (uid === undefined || gid === undefined) throw scanError('scan-server-user', SERVER_USER);
  return { uid: Number(uid), gid: Number(gid) };
}

function lastLine(file: string): string {
  if (!existsSync(file)) return `${dirname(file)} has no log`;
  return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}

import type { Duplex } from 'node:stream';
import type { Config } from '../config/config.js';
import type { Log } from '../log.js';
import type { Degraded, StreamPort } from '../service.js';

/**
 * A request of `hermetic status` or `hermetic reload`: one line of JSON. The daemon
 * answers with one line and closes the connection.
 */
export interface ControlRequest {
  readonly do: 'status' | 'reload';
}

/** The state of a running daemon, as `hermetic status --json` prints it. */
export interface DaemonStatus {
  readonly schema: 'hermetic.status/1';
  readonly version: string;
  readonly node: string;
  readonly pid: number;
  /** RFC 3339, UTC. */
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  /** Whether every job has started and every port is open. */
  readonly ready: boolean;
  /** Parts of jobs that do not work, each with the code of the failure. */
  readonly degraded: readonly Degraded[];
  /** The sections of the configuration that enable a job. */
  readonly jobs: readonly string[];
  readonly listening: readonly { readonly what: string; readonly at: string }[];
  /** Absent until the first reload. */
  readonly lastReload?: ReloadResult;
}

/** The result of a reload. */
export interface ReloadResult {
  /** RFC 3339, UTC. */
  readonly at: string;
  /**
   * The problems that prevented the reload, so that the old configuration stays active;
   * empty after a successful reload.
   */
  readonly problems: readonly ReloadProblem[];
}

export interface ReloadProblem {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** An answer over the control socket. */
export type ControlAnswer =
  | { readonly ok: true; readonly status: DaemonStatus }
  | { readonly ok: false; readonly problems: readonly ReloadProblem[] };

/** The functions behind the control socket. */
export interface ControlHandlers {
  status(): DaemonStatus;
  /** Reads the configuration again, and resolves when it is active or refused. */
  reload(): Promise<ReloadResult>;
}

/**
 * Permission bits of the socket: only root and the user and group of the daemon may
 * control the daemon.
 */
const SOCKET_MODE = 0o660;
const MAX_REQUEST = 4096;
/**
 * Milliseconds that a connection may stay silent; a reload takes as long as the jobs need
 * to start.
 */
const IDLE = 120_000;

/**
 * Returns the control address of a daemon with this configuration: the configured socket,
 * else `control.sock` in the first folder of systemd's `RuntimeDirectory=`.
 */
export function controlSocket(
  { control }: Pick<Config, 'control'>,
  { RUNTIME_DIRECTORY = '' }: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  const [folder = ''] = RUNTIME_DIRECTORY.split(':');
  return control.socket ?? (folder === '' ? undefined : `${folder}/control.sock`);
}

/** Returns the port that answers `hermetic status` and `hermetic reload`. */
export function controlPort(path: string, handlers: ControlHandlers, logger: Log): StreamPort {
  return {
    what: 'control',
    listen: [{ path, mode: SOCKET_MODE }],
    // A reload replaces this port too, but the daemon must still answer the command that
    // requested the reload.
    limits: { connections: 16, idleMs: IDLE, endedByJob: true },
    serve({ stream, close }) {
      void answer(stream, handlers).catch((error: unknown) => {
        logger.warn('control-failed', { error: (error as Error).message });
        close();
      });
    },
  };
}

async function answer(stream: Duplex, handlers: ControlHandlers): Promise<void> {
  const line = await readLine(stream);
  const reply = await handle(line, handlers);
  stream.end(`${JSON.stringify(reply)}\n`);
}

async function handle(line: string, handlers: ControlHandlers): Promise<ControlAnswer> {
  switch (actionOf(line)) {
    case 'status':
      return { ok: true, status: handlers.status() };
    case 'reload': {
      const { problems } = await handlers.reload();
      return problems.length === 0
        ? { ok: true, status: handlers.status() }
        : { ok: false, problems };
    }
    default:
      return {
        ok: false,
        problems: [
          {
            code: 'control-unknown',
            message: 'the daemon does not know this request',
            fix: 'Use the hermetic command of the same version.',
          },
        ],
      };
  }
}

function actionOf(line: string): unknown {
  try {
    return (JSON.parse(line) as { do?: unknown } | null)?.do;
  } catch {
    return undefined;
  }
}

function readLine(stream: Duplex): Promise<string> {
  return new Promise((resolve, reject) => {
    let requestText = '';
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      requestText += part;
      const endOffset = requestText.indexOf('\n');
      if (endOffset >= 0) resolve(requestText.slice(0, endOffset));
      else if (requestText.length > MAX_REQUEST) reject(new Error('the request is too long'));
    });
    stream.once('end', () => resolve(requestText));
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the client closed the connection')));
  });
}

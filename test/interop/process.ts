import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';

/**
 * Runs a program to its end. Rejects with the output if the exit status is not 0, unless
 * `anyStatus` is set.
 */
export function runProgram(
  command: string,
  args: readonly string[],
  options: {
    cwd?: string;
    anyStatus?: boolean;
    timeoutMs?: number;
    env?: Readonly<Record<string, string>>;
  } = {},
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    execFile(
      command,
      [...args],
      {
        cwd: options.cwd,
        timeout: options.timeoutMs ?? 60_000,
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, ...options.env },
      },
      (error, out, err) => {
        // Without a status the program did not start, or ended by a signal.
        let code = 0;
        if (error) code = typeof error.code === 'number' ? error.code : -1;
        if (error && !options.anyStatus)
          reject(new Error(`${error.message} (status ${code})\n${out}`));
        else resolve({ code, out, err });
      },
    );
  });
}

/** A program in the foreground, with its output. */
export class Daemon {
  log = '';
  readonly #child: ChildProcess;

  /** `answer`: the input to write when the program prints something. */
  constructor(
    command: string,
    args: readonly string[],
    cwd: string,
    answer?: (printed: string) => string,
  ) {
    this.#child = spawn(command, [...args], {
      cwd,
      stdio: [answer ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    const { stdin } = this.#child;
    if (answer)
      this.#child.stdout?.on('data', (bytes: Buffer) => stdin?.write(answer(bytes.toString())));
    const keep = (bytes: Buffer): void =>
      void (this.log = (this.log + bytes.toString()).slice(-100_000));
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#child.on('error', (error) => (this.log += error.message));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(hard);
  }
}

/** Polls until the condition is true or a time limit has passed. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  log: () => string,
  timeoutMs = 60_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > end) throw new Error(`${what} did not come about\n${log()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Returns whether an SMTP server at the address sends a greeting. */
export function greets(host: string, port: number): Promise<boolean> {
  return firstEvent(host, port, 'data');
}

/** Returns whether a server at the address accepts connections. */
export function accepts(host: string, port: number): Promise<boolean> {
  return firstEvent(host, port, 'connect');
}

function firstEvent(host: string, port: number, event: 'connect' | 'data'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5000 });
    const done = (came: boolean): void => {
      socket.destroy();
      resolve(came);
    };
    socket.once(event, (bytes?: Buffer) => done(!bytes || bytes.toString().startsWith('220')));
    socket.once('error', () => done(false)).once('timeout', () => done(false));
  });
}

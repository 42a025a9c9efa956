import type { Connection } from '../../net/index.js';
import { ServerSession, sessionLimits, type ServerSessionOptions } from './server-session.js';

export interface SmtpServerOptions extends Omit<ServerSessionOptions, 'limits'> {
  readonly limits?: Partial<ServerSessionOptions['limits']> | undefined;
}

/** Milliseconds between two checks of the sessions' time limits. */
const LOOK = 1000;
/** Milliseconds to complete running messages when the server stops. */
const GRACE = 10_000;
const PAUSE = 20;

/** Serves SMTP sessions on connections that the caller accepts. */
export class SmtpServer {
  readonly #sessions = new Map<Connection, ServerSession>();
  readonly #options: ServerSessionOptions;
  readonly #timer: NodeJS.Timeout;
  #stopping = false;

  constructor(options: SmtpServerOptions) {
    this.#options = { ...options, limits: { ...sessionLimits, ...options.limits } };
    this.#timer = setInterval(() => this.checkTimes(), LOOK).unref();
  }

  /** Number of open sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  serve(connection: Connection): void {
    const session = new ServerSession(connection, this.#options);
    this.#sessions.set(connection, session);
    connection.stream.once('close', () => {
      session.close();
      this.#sessions.delete(connection);
    });
    if (this.#stopping) session.end(GOING_DOWN);
    else void session.run();
  }

  /**
   * Ends with 421 a session whose connection must make room for a new one (RFC 5321
   * §3.8).
   */
  evict(connection: Connection): void {
    const session = this.#sessions.get(connection);
    if (session) session.giveWay();
    else connection.close();
  }

  /** Ends every session that exceeds one of its limits. Called every second. */
  checkTimes(): void {
    for (const session of this.#sessions.values()) session.checkTime();
  }

  /**
   * Ends sessions with 421 (RFC 5321 §3.8): between two messages immediately, others
   * after the reply to their message, or after ten seconds.
   */
  async stop(): Promise<void> {
    this.#stopping = true;
    const began = this.#options.monotonic();
    while (this.#sessions.size > 0) {
      const spent = this.#options.monotonic() - began;
      for (const session of this.#sessions.values()) {
        if (spent > GRACE || !session.hasMail) session.end(GOING_DOWN);
        if (spent > GRACE + LOOK) session.close();
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    clearInterval(this.#timer);
  }
}

const GOING_DOWN = { code: 421, text: '4.3.2 The server is going down, try again later' };

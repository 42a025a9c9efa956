import { read } from 'node:fs';
import type { Clock, Failure } from '../../base/index.js';
import { parseDatagram } from './parse-datagram.js';
import type { SessionEvent } from './session-event.js';

export interface CollectOptions {
  /** The kernel's queue is short (`net.unix.max_dgram_qlen`): what this does has to be quick, or the senders drop. */
  onEvents(events: readonly SessionEvent[]): void;
  onMalformed(failure: Failure): void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Longest datagram a sender of Linux can make with its default buffer. */
const LONGEST = 262_144;

/**
 * Reads datagrams of libtlsrpt from an inherited descriptor, one a read, until aborted. Node opens no UNIX datagram sockets, but it can read one that
 * systemd opened (`ListenDatagram=`). Ends when the descriptor does; a read that waits ends with the process, or with one datagram more.
 */
export function collectDatagrams(fd: number, { onEvents, onMalformed, clock, signal }: CollectOptions): Promise<void> {
  const buffer = Buffer.allocUnsafe(LONGEST);
  return new Promise((resolve, reject) => {
    const next = (): void => {
      if (signal.aborted) return resolve();
      read(fd, buffer, 0, LONGEST, null, (error, length) => {
        if (error) return error.code === 'EAGAIN' ? void setTimeout(next, 20) : reject(error);
        // A stream that ended, as a file would; an empty datagram is none of libtlsrpt's.
        if (length === 0) return resolve();
        const parsed = parseDatagram(buffer.subarray(0, length), clock.now());
        if (parsed.ok) onEvents(parsed.value);
        else onMalformed(parsed.failure);
        next();
      });
    };
    next();
  });
}

/** The descriptor that systemd hands over (sd_listen_fds(3)): the first is 3. Undefined where there is none for this process. */
export function inheritedDescriptor(environment: Readonly<Record<string, string | undefined>>, pid: number): number | undefined {
  return Number(environment['LISTEN_PID']) === pid && Number(environment['LISTEN_FDS']) >= 1 ? 3 : undefined;
}

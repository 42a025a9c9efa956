import { read } from 'node:fs';
import type { Clock, Failure } from '../base/index.js';
import { parseDatagram } from './parse-datagram.js';
import type { SessionEvent } from './session-event.js';

export interface CollectOptions {
  /**
   * The kernel's queue is short (`net.unix.max_dgram_qlen`): what this does has to be
   * quick, or the senders drop.
   */
  onEvents(events: readonly SessionEvent[]): void;
  onMalformed(failure: Failure): void;
  /** The descriptor cannot be read any more. */
  onError(error: Error): void;
  readonly clock: Clock;
}

/** Longest datagram a sender of Linux can make with its default buffer. */
const LONGEST = 262_144;
/**
 * Who takes what each descriptor brings. A read that waits cannot be called back, so
 * there is one reader a descriptor, and takers follow one another.
 */
const takers = new Map<number, CollectOptions>();

/**
 * Reads datagrams of libtlsrpt from an inherited descriptor, one a read, for as long as
 * the process lives; a later call for the same descriptor takes over from the earlier.
 * Node opens no UNIX datagram sockets, but it can read one that systemd opened
 * (`ListenDatagram=`).
 */
export function collectDatagrams(fd: number, options: CollectOptions): void {
  const runs = takers.has(fd);
  takers.set(fd, options);
  if (!runs) readNext(fd, Buffer.allocUnsafe(LONGEST));
}

function readNext(fd: number, buffer: Buffer): void {
  read(fd, buffer, 0, buffer.length, null, (error, length) => {
    const taker = takers.get(fd);
    if (!taker) return;
    if (error?.code === 'EAGAIN') return void setTimeout(readNext, 20, fd, buffer);
    // A stream that ended, as a file would; an empty datagram is none of libtlsrpt's.
    if (error || length === 0) {
      takers.delete(fd);
      return taker.onError(error ?? new Error(`descriptor ${fd} has ended`));
    }
    const parsed = parseDatagram(buffer.subarray(0, length), taker.clock.now());
    if (parsed.ok) taker.onEvents(parsed.value);
    else taker.onMalformed(parsed.failure);
    readNext(fd, buffer);
  });
}

/**
 * The descriptor that systemd hands over (sd_listen_fds(3)): the first is 3. Undefined
 * where there is none for this process.
 */
export function inheritedDescriptor(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  return Number(environment['LISTEN_PID']) === pid && Number(environment['LISTEN_FDS']) >= 1
    ? 3
    : undefined;
}

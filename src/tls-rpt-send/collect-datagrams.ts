import { read } from 'node:fs';
import type { Clock, Failure } from '../base/index.js';
import { parseDatagram } from './parse-datagram.js';
import type { SessionEvent } from './session-event.js';

/** The callbacks for the events that are read from a descriptor. */
export interface DatagramCollectorOptions {
  /**
   * Receives the events of one datagram. The function must return quickly: the kernel's
   * queue is short (`net.unix.max_dgram_qlen`), and the mail servers drop events if it is
   * full.
   */
  onEvents(sessionEvents: readonly SessionEvent[]): void;
  onMalformed(failure: Failure): void;
  /** Receives the error after which the descriptor can no longer be read. */
  onError(error: Error): void;
  readonly clock: Clock;
}

/**
 * Maximum octets of a datagram. A process on Linux cannot send a larger datagram with the
 * default buffer size.
 */
const LONGEST = 262_144;
/**
 * The current callbacks for each descriptor. A pending read cannot be cancelled, so the
 * loop that reads a descriptor runs until the process ends. A reload of the configuration
 * replaces the callbacks.
 */
const receivers = new Map<number, DatagramCollectorOptions>();

/**
 * Reads datagrams of libtlsrpt from an inherited descriptor until the process ends, one
 * datagram per read. A later call for the same descriptor replaces the callbacks. Node
 * cannot open UNIX datagram sockets, but can read a socket that systemd opened
 * (`ListenDatagram=`).
 */
export function collectDatagrams(descriptor: number, options: DatagramCollectorOptions): void {
  const isRead = receivers.has(descriptor);
  receivers.set(descriptor, options);
  if (!isRead) readNext(descriptor, Buffer.allocUnsafe(LONGEST));
}

function readNext(descriptor: number, buffer: Buffer): void {
  read(descriptor, buffer, 0, buffer.length, null, (error, length) => {
    const receiver = receivers.get(descriptor);
    if (!receiver) return;
    if (error?.code === 'EAGAIN') return void setTimeout(readNext, 20, descriptor, buffer);
    // A read of zero octets means the end of a stream: libtlsrpt never sends an empty
    // datagram.
    if (error || length === 0) {
      receivers.delete(descriptor);
      return receiver.onError(error ?? new Error(`descriptor ${descriptor} has ended`));
    }
    const parsed = parseDatagram(buffer.subarray(0, length), receiver.clock.now());
    if (parsed.ok) receiver.onEvents(parsed.value);
    else receiver.onMalformed(parsed.failure);
    readNext(descriptor, buffer);
  });
}

/**
 * Returns the first descriptor that systemd passed to this process, which is 3
 * (sd_listen_fds(3)); undefined if systemd passed no descriptor.
 */
export function inheritedDescriptor(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  return Number(environment['LISTEN_PID']) === pid && Number(environment['LISTEN_FDS']) >= 1
    ? 3
    : undefined;
}

import { Duplex } from 'node:stream';
import type { Connection } from '../net/index.js';

/** A connection whose end is observed below and above TLS. */
export interface WatchedClosure {
  /** The stream that TLS gets instead of the connection. */
  readonly connection: Connection;
  /** Starts to observe the end of the TLS stream on this connection. */
  watch(secured: Duplex): void;
  /**
   * Returns true once TLS ended with a closure alert (RFC 9846 §6.1). False for a bare
   * FIN, which an on-path attacker can send.
   */
  closedByAlert(): boolean;
}

/**
 * Distinguishes a closure alert from a bare FIN. Node ends the stream in both cases and
 * does not report the cause. Only the order of events shows the cause: after an alert,
 * TLS ends before the transport has delivered its own end; after a bare FIN, TLS ends
 * later. The transport is wrapped, because Node reads a plain socket below JavaScript,
 * which hides the order.
 */
export function watchClosure(connection: Connection): WatchedClosure {
  const transport = wrap(connection.stream);
  let byAlert: boolean | undefined;
  return {
    connection: {
      stream: transport,
      local: connection.local,
      remote: connection.remote,
      close: () => {
        transport.destroy();
        connection.close();
      },
    },
    watch(secured) {
      const push = secured.push.bind(secured);
      secured.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
        if (chunk === null) byAlert ??= !transport.readableEnded;
        return push(chunk, encoding);
      };
    },
    closedByAlert: () => byAlert ?? false,
  };
}

function wrap(inner: Duplex): Duplex {
  const outer = new Duplex({
    allowHalfOpen: true,
    read: () => void inner.resume(),
    write: (chunk: Buffer, _encoding, done) => void inner.write(chunk, done),
    final: (done) => void inner.end(done),
    destroy(error, done) {
      inner.destroy();
      done(error);
    },
  });
  inner.on('data', (chunk: Buffer) => {
    if (!outer.push(chunk)) inner.pause();
  });
  inner.on('end', () => outer.push(null));
  inner.on('error', (error) => outer.destroy(error));
  inner.on('close', () => {
    if (!inner.readableEnded) outer.destroy();
  });
  inner.pause();
  return outer;
}

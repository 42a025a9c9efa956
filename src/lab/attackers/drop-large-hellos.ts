import type { Socket } from 'node:net';
import type { Endpoint, Network } from '../../net/index.js';

/** `drop` forwards nothing more, `reset` ends the connection, `alert` refuses the hello. */
export type LargeHelloLoss = 'drop' | 'reset' | 'alert';

/** A fatal alert: decode_error. */
const DECODE_ERROR = Uint8Array.of(21, 3, 3, 0, 2, 2, 50);

/** The maximum octets of a ClientHello that the middlebox forwards. */
export const MAX_PASSED_HELLO = 1400;

/** First octets of a record of type handshake, as every ClientHello begins. */
const HANDSHAKE = [22, 3] as const;

/**
 * Returns a middlebox that loses a ClientHello of more than {@link MAX_PASSED_HELLO}
 * octets, regardless of the number of its segments. Everything else passes, so a sender
 * with a small hello is not affected.
 *
 * @param target address of the real server
 */
export function dropLargeHellos(
  network: Network,
  target: Endpoint,
  loss: LargeHelloLoss,
): (socket: Socket) => void {
  return (client) => {
    client.pause();
    client.on('error', () => undefined);
    void network.dial(target).then((dialled) => {
      if (!dialled.ok) return client.destroy();
      const server = dialled.connection.stream;
      server.on('data', (bytes: Buffer) => client.write(bytes));
      server.on('end', () => client.end()).on('error', () => client.destroy());
      client.on('close', () => dialled.connection.close());
      let isDecided = false;
      client.on('data', (bytes: Buffer) => {
        const isHello = !isDecided && HANDSHAKE.every((octet, index) => bytes[index] === octet);
        if (!isHello) return void (server.destroyed || server.write(bytes));
        isDecided = true;
        const length = 5 + bytes.readUInt16BE(3);
        if (length <= MAX_PASSED_HELLO) return void server.write(bytes);
        if (loss === 'reset') return void client.resetAndDestroy();
        if (loss === 'alert') return void client.end(DECODE_ERROR);
        client.removeAllListeners('data').on('data', () => undefined);
      });
      client.resume();
    });
  };
}

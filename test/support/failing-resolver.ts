import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A resolver on a free loopback port that answers every query with SERVFAIL at once. */
export interface FailingResolver {
  /** `127.0.0.1:port`, in the form of options and configuration. */
  readonly at: string;
  close(): void;
}

export async function failingResolver(): Promise<FailingResolver> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const reply = Buffer.from(query);
    reply[2] = (reply.readUInt8(2) & 0x01) | 0x80;
    reply[3] = 0x82;
    socket.send(reply, from.port, from.address, () => undefined);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    at: `127.0.0.1:${socket.address().port}`,
    close: () => void socket.close(),
  };
}

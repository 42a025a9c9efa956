import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const given = new Set<number>();

/**
 * Returns a port of 127.0.0.1 that is free for TCP and UDP. The port is below the
 * ephemeral ports of Linux, so that no other test receives it before the caller listens,
 * or between two starts of one daemon.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_240, 32_768);
    if (given.has(port)) continue;
    given.add(port);
    if ((await isFreeTcp(port)) && (await isFreeUdp(port))) return port;
  }
}

function isFreeTcp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function isFreeUdp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
}

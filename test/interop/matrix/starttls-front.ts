import {
  connect,
  createServer,
  type AddressInfo,
  type Server as Listener,
  type Socket,
} from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoint } from '../../../src/net/index.js';

/**
 * Starts a front for a server that speaks only TLS, with SMTP in plaintext: greeting,
 * EHLO, STARTTLS. After STARTTLS the front relays all octets unchanged.
 */
export function starttlsFront(name: string, tls: Endpoint): (client: Socket) => void {
  return (client) => {
    client.on('error', () => undefined).setNoDelay(true);
    client.write(`220 ${name} ESMTP\r\n`);
    onLines(client, (line, stop) => {
      const verb = line.slice(0, 8).trim().toUpperCase();
      if (/^(EHLO|HELO)/.test(verb)) client.write(`250-${name}\r\n250 STARTTLS\r\n`);
      else if (verb === 'QUIT') client.end('221 2.0.0 Bye\r\n');
      else if (verb !== 'STARTTLS')
        client.write('530 5.7.0 Must issue a STARTTLS command first\r\n');
      else {
        stop();
        const server = connect({ host: tls.address, port: tls.port, noDelay: true });
        const both = (): void => void [client, server].forEach((socket) => socket.destroy());
        server.on('error', both).on('close', () => client.end());
        client.on('close', () => server.end());
        server.once('connect', () => {
          client.pipe(server);
          server.pipe(client);
          client.write('220 2.0.0 Ready to start TLS\r\n');
        });
      }
    });
  };
}

/** Answers the rest of the session, inside TLS: only EHLO and QUIT. */
export function smtpInside(stream: Duplex): void {
  stream.on('error', () => undefined);
  onLines(stream, (line) => {
    if (/^QUIT/i.test(line)) stream.end('221 2.0.0 Bye\r\n');
    else stream.write('250 2.0.0 Ok\r\n');
  });
}

/**
 * Calls the handler for each line. After `stop` the function reads no more, and drops the
 * octets that follow the line in the same segment.
 */
function onLines(stream: Duplex, take: (line: string, stop: () => void) => void): void {
  let pending = '';
  const read = (bytes: Buffer): void => {
    const lines = (pending + bytes.toString('latin1')).split('\r\n');
    pending = (lines.pop() ?? '').slice(-1000);
    let stopped = false;
    for (const line of lines) {
      take(line, () => {
        stopped = true;
        stream.off('data', read);
        stream.pause();
      });
      if (stopped) return;
    }
  };
  stream.on('data', read);
}

/** Listens on loopback; port 0 selects a free port. */
export async function listen(
  serve: (socket: Socket) => void,
  port = 0,
  address = '127.0.0.1',
): Promise<{ listener: Listener; at: Endpoint }> {
  const listener = createServer(serve);
  await new Promise<void>((resolve, reject) =>
    listener.once('error', reject).listen(port, address, resolve),
  );
  return { listener, at: { address, port: (listener.address() as AddressInfo).port } };
}

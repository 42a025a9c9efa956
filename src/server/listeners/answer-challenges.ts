import type { Server, Socket } from 'node:net';
import { createServer, type SecureContext } from 'node:tls';
import { readClientHello } from '../../tls/index.js';

const PROTOCOL = 'acme-tls/1';
/** A hello that is still incomplete goes to TLS unread. */
const MAX_OCTETS = 16 * 1024;
const LONGEST_MS = 10_000;

/**
 * Answers tls-alpn-01 (RFC 8737) on a port that serves other protocols. Hellos that offer
 * only `acme-tls/1` go to a separate TLS server, which has only the certificate of the
 * challenge. Node chooses certificates before it knows the protocol, so the hello is
 * inspected first, and only while `challenges` gives an answer. No data passes over the
 * connection of a challenge. [8737-3-2, 8737-4-1]
 */
export function answerChallenges(
  server: Server,
  challenges: () => ((hostName: string) => SecureContext | undefined) | undefined,
): void {
  const serve = server
    .listeners('connection')
    .map((listener) => (socket: Socket) => void listener.call(server, socket));
  const challenged = createServer(
    {
      ALPNProtocols: [PROTOCOL],
      minVersion: 'TLSv1.2',
      SNICallback: (hostName, done) => done(null, challenges()?.(hostName.toLowerCase())),
    },
    (socket) => socket.end(),
  );
  challenged.on('tlsClientError', () => undefined);
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (!challenges()) return serve.forEach((listener) => listener(socket));
    peek(socket, (alpn) => {
      if (alpn.length === 1 && alpn[0] === PROTOCOL) challenged.emit('connection', socket);
      else serve.forEach((listener) => listener(socket));
    });
  });
}

/**
 * Passes the protocols of the hello on, with every octet back in the stream. Passes
 * nothing on when the client disconnects first.
 */
function peek(socket: Socket, done: (alpn: readonly string[]) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const settle = (): void => {
    clearTimeout(timer);
    socket.off('readable', look).off('error', settle).off('close', settle);
  };
  const look = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    seen = Buffer.concat([seen, bytes]);
    const hello = readClientHello(seen);
    if (hello === 'more' && seen.length < MAX_OCTETS) return;
    settle();
    socket.unshift(seen);
    done(typeof hello === 'object' ? hello.alpn : []);
  };
  const timer = setTimeout(() => {
    settle();
    socket.destroy();
  }, LONGEST_MS);
  socket.on('readable', look).once('error', settle).once('close', settle);
}

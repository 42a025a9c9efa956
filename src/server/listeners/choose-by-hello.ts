import type { Server, Socket } from 'node:net';
import { createServer, type SecureContext, type TlsOptions } from 'node:tls';
import { readClientHello, type ReceivedHello } from '../../tls/index.js';
import type { WaitingLine } from './waiting-line.js';

const PROTOCOL = 'acme-tls/1';
/**
 * Maximum octets and milliseconds of inspection. Beyond these limits a ClientHello that
 * is still incomplete is passed to the TLS server.
 */
const MAX_OCTETS = 16 * 1024;
const LONGEST_MS = 10_000;

/**
 * The inputs for the choice of a TLS server, in addition to the certificate for clients
 * without SNI.
 */
export interface HelloChoice {
  /**
   * Returns the certificates of tls-alpn-01 by name; undefined while no challenge is
   * pending.
   */
  challenges(): ((hostName: string) => SecureContext | undefined) | undefined;
  /** The certificates by name; if absent, the TLS server itself chooses a certificate. */
  readonly named?: NamedCertificates | undefined;
  readonly overload?: Overload | undefined;
}

/** The connections to overloaded sites, and the functions that report an overload. */
interface Overload {
  readonly line: WaitingLine;
  /** Returns true if every site of the port is overloaded. */
  ofPort(): boolean;
  /** Returns whether the site of a server name is overloaded. */
  ofName(serverName: string): boolean;
  /** Returns whether any site is overloaded. */
  isPossible(): boolean;
}

interface NamedCertificates {
  /** TLS options with an `SNICallback` and without a certificate. */
  readonly tls: TlsOptions;
  /** Returns whether the server has a certificate for clients without SNI. */
  hasFallback(): boolean;
  /**
   * Returns whether a name has a certificate; other names get the fallback certificate.
   */
  has(serverName: string): boolean;
}

/**
 * Chooses the TLS server of each connection by its hello, if the choice of Node would
 * be wrong:
 *
 * - tls-alpn-01 (RFC 8737): hellos that offer only `acme-tls/1` go to a server with only
 *   the certificate of the challenge. Node chooses certificates before it knows the
 *   protocol. No data passes over such a connection. [8737-3-2, 8737-4-1]
 * - SNI: Node replaces the certificate of one key type, and Node 20 and 22 keep the
 *   certificates of other key types. A host with an RSA certificate would present the
 *   ECDSA certificate of the fallback. Hellos with a known name therefore go to a server
 *   without a certificate of its own.
 *
 * Connections to an overloaded site wait here, before TLS and HTTP use CPU time for them.
 *
 * Other ports do not inspect hellos.
 */
export function chooseByHello(server: Server, choice: HelloChoice): void {
  const { challenges, named, overload } = choice;
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
  const byName = named && createServer(named.tls);
  for (const event of ['secureConnection', 'tlsClientError'])
    byName?.on(event, (...values: unknown[]) => void server.emit(event, ...values));
  server.removeAllListeners('connection');
  const choose = (socket: Socket): void => {
    const mayBeNamed = named?.hasFallback() === true;
    const mayWait = named !== undefined && overload?.isPossible() === true;
    if (!mayBeNamed && !mayWait && !challenges())
      return serve.forEach((listener) => listener(socket));
    peek(socket, (hello) => {
      const { alpn = [], serverName } = hello ?? {};
      const isChallenge = alpn.length === 1 && alpn[0] === PROTOCOL && challenges() !== undefined;
      const go = (): void => {
        if (isChallenge) challenged.emit('connection', socket);
        else if (mayBeNamed && serverName !== undefined && named.has(serverName))
          byName?.emit('connection', socket);
        else serve.forEach((listener) => listener(socket));
      };
      const waits = mayWait && !isChallenge && overload?.ofName(serverName ?? '') === true;
      if (waits) overload?.line.hold(socket, go);
      else go();
    });
  };
  server.on('connection', (socket: Socket) => {
    if (overload?.ofPort()) overload.line.hold(socket, () => choose(socket));
    else choose(socket);
  });
}

/**
 * Calls `done` with the hello, after every octet was put back into the stream; with
 * undefined if the hello is unreadable. Does not call `done` if the client disconnects
 * first.
 */
function peek(socket: Socket, done: (hello: ReceivedHello | undefined) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const settle = (): void => {
    clearTimeout(timer);
    socket.off('readable', inspect).off('error', settle).off('close', settle);
  };
  const inspect = (): void => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return;
    seen = Buffer.concat([seen, bytes]);
    const hello = readClientHello(seen);
    if (hello === 'more' && seen.length < MAX_OCTETS) return;
    settle();
    socket.unshift(seen);
    done(typeof hello === 'object' ? hello : undefined);
  };
  const timer = setTimeout(() => {
    settle();
    socket.destroy();
  }, LONGEST_MS);
  socket.on('readable', inspect).once('error', settle).once('close', settle);
}

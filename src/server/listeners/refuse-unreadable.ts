import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Milliseconds in which the client can read the answer before the connection closes. */
const LINGER_MS = 1000;

/** The status lines of RFC 9110 §15.5 and RFC 6585 by the error code of the parser. */
const answers: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/**
 * Answers requests that the parser cannot read, and closes their connections. Octets that
 * still arrive are discarded for a short time (RFC 9112 §9.6): after a reset the client
 * could lose the answer.
 */
export function refuseUnreadable(server: Server): void {
  const refused = new WeakSet<Duplex>();
  const current = new WeakMap<Duplex, ServerResponse>();
  const remember = ({ socket }: IncomingMessage, outgoing: ServerResponse): void =>
    void current.set(socket, outgoing);
  server.prependListener('request', remember);
  server.prependListener('checkContinue', remember);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // After the first fault the parser reports every further octet of the connection as
    // an error.
    if (refused.has(socket)) return;
    refused.add(socket);
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    socket.on('error', () => socket.destroy());
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
    const outgoing = current.get(socket);
    const isAnswered = outgoing?.headersSent === true && !outgoing.writableFinished;
    const status = answers[error.code ?? ''] ?? '400 Bad Request';
    if (!isAnswered) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  });
}

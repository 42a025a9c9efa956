import { constants } from 'node:crypto';
import {
  createServer as createPlain,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { SecureContext, TlsOptions } from 'node:tls';
import { isHermeticError } from '../../base/index.js';
import { servingTls } from '../../tls/index.js';
import type { ListenAddress } from '../listen-address.js';
import type { Log } from '../log.js';
import type { PortLimits, SharedPortSite } from '../service.js';
import { expectsContinue, faultOfForm, targetOf, toRequest } from './to-request.js';
import type { Listener } from './listener-set.js';
import { isStreamed, StreamSender } from './stream-sender.js';
import { chooseByHello } from './choose-by-hello.js';
import { openPort } from './open-port.js';
import { refuseUnreadable } from './refuse-unreadable.js';
import { WaitingLine } from './waiting-line.js';

export interface WebSettings {
  readonly sites: readonly SharedPortSite[];
  /**
   * Returns the certificate for a server name of SNI, which is empty without SNI;
   * undefined refuses the handshake. Absent for plain HTTP.
   */
  readonly certificateFor?: (serverName: string) => SecureContext | undefined;
  /**
   * The certificate for clients that send no SNI (RFC 6066 §3). Without this certificate
   * the port refuses their handshakes.
   */
  readonly fallback?: { readonly cert: string; readonly key: string } | undefined;
  /** The certificates for pending tls-alpn-01 challenges, if any. */
  readonly challengeFor?: SharedPortSite['challengeFor'];
  readonly limits: WebLimits;
  readonly log: Log;
}

interface WebLimits extends Pick<PortLimits, 'connections'> {
  /**
   * Milliseconds until a slow connection may be closed for a new one. Default 10 000,
   * because a report may take that long to arrive.
   */
  readonly patienceMs?: number;
}

/**
 * Limits of one connection, with the milliseconds that a slow or silent client may hold
 * it.
 */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1024,
} as const;
const requestsPerConnection = 100;
/** Maximum octets of a request's body, unless a site sets its own limit. */
const MAX_BODY = 64 * 1024;

const NO_PROXY =
  'HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, POST\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Opens one web port for all sites. SNI selects the certificate; Host and path select the
 * site. Rejects with HermeticError when the address is not available.
 */
export async function listenWeb(
  listenAddress: ListenAddress,
  settings: WebSettings,
): Promise<Listener<WebSettings>> {
  let current = settings;
  const streams = new StreamSender(() => current.limits.connections);
  const line = new WaitingLine(() => !current.sites.some(isBusy));
  // While other connections wait, a new connection must also wait.
  const isHeld = (site: SharedPortSite): boolean =>
    site.isBusy !== undefined && (line.length > 0 || site.isBusy());
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    void respond({ incoming, outgoing }, current, { streams, line });
  const tls: TlsOptions = {
    ...servingTls,
    handshakeTimeout: limits.headersTimeout,
    ALPNProtocols: ['http/1.1'],
    // Session tickets would be useless: senders and reporters connect about once a day,
    // and a ticket has expired by then.
    secureOptions: constants.SSL_OP_NO_TICKET,
    // Without a context the handshake ends with an alert; an error would drop the
    // connection without an alert.
    SNICallback: (hostName, done) => done(null, current.certificateFor?.(hostName.toLowerCase())),
  };
  const secure = settings.certificateFor && createSecure({ ...limits, ...tls }, answer);
  secure?.setSecureContext({ ...servingTls, ...settings.fallback });
  const server: Server = secure ?? createPlain(limits, answer);
  // `respond` decides whether a client may send its body.
  server.on('checkContinue', answer);
  refuseUnreadable(server);
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(NO_PROXY, () => socket.destroy());
  });
  chooseByHello(server, {
    challenges: () => current.challengeFor?.(),
    named: secure && {
      tls,
      hasFallback: () => current.fallback !== undefined,
      has: (hostName) => current.certificateFor?.(hostName.toLowerCase()) !== undefined,
    },
    overload: {
      line,
      // If several sites share the port, the host name selects the site. Over plain HTTP
      // the name is not yet known here.
      ofPort: () => current.sites.length > 0 && current.sites.every(isHeld),
      ofName: (hostName) =>
        current.sites.some((site) => isHeld(site) && site.serves(hostName, '/')),
      isPossible: () => current.sites.some(isHeld),
    },
  });
  server.maxRequestsPerSocket = requestsPerConnection;
  const openedPort = await openPort(server, listenAddress, settings.limits.connections);
  openedPort.patienceMs = settings.limits.patienceMs ?? openedPort.patienceMs;
  const close = openedPort.close.bind(openedPort);
  return Object.assign(openedPort, {
    close(graceMs: number) {
      const closed = close(graceMs);
      streams.endAll();
      return closed;
    },
    use(next: WebSettings) {
      current = next;
      secure?.setSecureContext({ ...servingTls, ...next.fallback });
      openedPort.most = next.limits.connections;
    },
  });
}

function maxBodyOf({ maxBody }: SharedPortSite, path: string): number {
  return (typeof maxBody === 'function' ? maxBody(path) : maxBody) ?? MAX_BODY;
}

function isBusy(site: SharedPortSite): boolean {
  return site.isBusy?.() ?? false;
}

interface PortState {
  readonly streams: StreamSender;
  readonly line: WaitingLine;
}

async function respond(
  exchange: Exchange,
  { sites, certificateFor, log }: WebSettings,
  { streams, line }: PortState,
): Promise<void> {
  const { incoming, outgoing } = exchange;
  try {
    const target = faultOfForm(incoming) ?? targetOf(incoming, certificateFor ? 'https' : 'http');
    if (typeof target === 'number') return sendPlain(exchange, target, 'at once');
    const { host, pathname } = target;
    const { method = 'GET' } = incoming;
    // The target `*` of OPTIONS means the server as a whole (RFC 9110 §9.3.7).
    if (pathname === '*') return sendAnswer(exchange, { status: 204, headers: [], body: '' });
    const site = sites.find((s) => s.serves(host, pathname));
    if (!site) return sendPlain(exchange, 404);
    const answered = site.answer?.(method, host, pathname);
    const plainAnswer = answered instanceof Promise ? await answered : answered;
    if (plainAnswer?.status === 503 && site.isBusy) waitAfter(exchange, line);
    if (plainAnswer)
      return sendAnswer(exchange, { ...plainAnswer, headers: Object.entries(plainAnswer.headers) });
    const maxBody = maxBodyOf(site, pathname);
    if (Number(incoming.headers['content-length'] ?? 0) > maxBody) return sendPlain(exchange, 413);
    const { remoteAddress = '', remotePort = 0 } = incoming.socket;
    const request = toRequest(incoming, outgoing, target, maxBody);
    if (!request) return sendPlain(exchange, 400);
    const response = await site.handle(request, { address: remoteAddress, port: remotePort });
    if (isStreamed(response) && method !== 'HEAD') return await streams.send(response, outgoing);
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status === 503 && isBusy(site)) waitAfter(exchange, line);
    sendAnswer(exchange, { status: response.status, headers: [...response.headers], body });
  } catch (error) {
    const tooLarge = isHermeticError(error) && error.code === 'body-too-large';
    // An early disconnect of a client is not a fault of the server and is not logged.
    if (!tooLarge && !incoming.readableAborted)
      log.error('web-handler-failed', { path: incoming.url, error: (error as Error).message });
    if (outgoing.headersSent) outgoing.destroy();
    else sendPlain(exchange, tooLarge ? 413 : 500);
  }
}

/**
 * Makes the connection of a refused client wait in the line before its next request is
 * read.
 */
function waitAfter({ incoming: { socket }, outgoing }: Exchange, line: WaitingLine): void {
  outgoing.once('finish', () => {
    if (socket.destroyed) return;
    socket.pause();
    line.hold(socket, () => socket.resume());
  });
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | Buffer;
  /** `at once`: the end of the body cannot be found, so the connection closes at once. */
  readonly when?: 'at once' | undefined;
}

/**
 * Maximum milliseconds and octets for which a body is still discarded after an early
 * answer.
 */
const LINGER_MS = 5000;
const MAX_LINGER = 32 * 1024 * 1024;

/**
 * Sends an answer. If the body of the request is still arriving, discards it for a short
 * time before the connection closes (RFC 9112 §9.6): after a reset the client could lose
 * the answer.
 */
function sendAnswer(
  { incoming, outgoing }: Exchange,
  { status, headers, body, when }: Answer,
): void {
  const length = status === 204 ? [] : [['content-length', String(Buffer.byteLength(body))]];
  const refusal = !incoming.complete && hasBody(incoming);
  const close = refusal ? [['connection', 'close']] : [];
  outgoing.writeHead(status, [...headers, ...length, ...close].flat());
  const content = incoming.method === 'HEAD' || body.length === 0 ? undefined : body;
  // A client that waits for `100 Continue` sends no body after a final answer.
  if (!refusal || when || expectsContinue(incoming)) return void outgoing.end(content);
  if (content === undefined) outgoing.flushHeaders();
  else outgoing.write(content);
  discard(incoming, () => outgoing.end());
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function discard(incoming: IncomingMessage, done: () => void): void {
  let octets = 0;
  const finish = (): void => {
    clearTimeout(timer);
    incoming.off('data', count).off('end', finish).off('close', finish);
    done();
  };
  const count = ({ length }: Buffer): void => {
    octets += length;
    if (octets > MAX_LINGER) finish();
  };
  const timer = setTimeout(finish, LINGER_MS);
  incoming.on('data', count).once('end', finish).once('close', finish).resume();
}

const words: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  413: 'Too large',
  421: 'Use https',
  500: 'Internal error',
  501: 'Unknown transfer coding',
  505: 'HTTP/1.1 only',
};

function sendPlain(exchange: Exchange, status: number, when?: Answer['when']): void {
  const headers = [['content-type', 'text/plain; charset=utf-8']] as const;
  // After a malformed request the server cannot find the start of the next request (RFC
  // 9112 §9.6).
  if (status !== 404) exchange.outgoing.shouldKeepAlive = false;
  sendAnswer(exchange, { status, headers, when, body: `${words[status] ?? status}\n` });
}

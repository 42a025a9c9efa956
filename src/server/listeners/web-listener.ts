import { constants } from 'node:crypto';
import {
  createServer as createPlain,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { SecureContext } from 'node:tls';
import { isHermeticError } from '../../base/index.js';
import { servingTls } from '../../tls/index.js';
import type { ListenAddress } from '../config/listen-address.js';
import type { Log } from '../log.js';
import type { PortLimits, Site } from '../service.js';
import { toRequest } from './to-request.js';
import type { Listener } from './listener-set.js';
import { answerChallenges } from './answer-challenges.js';
import { openPort } from './open-port.js';

export interface WebSettings {
  readonly sites: readonly Site[];
  /** The certificate for a name of SNI (empty without one); undefined refuses the handshake. Left out for plain HTTP. */
  readonly certificateFor?: (serverName: string) => SecureContext | undefined;
  /** Certificates for tls-alpn-01 challenges, while there are any. */
  readonly challengeFor?: Site['challengeFor'];
  readonly limits: Pick<PortLimits, 'connections'>;
  readonly log: Log;
}

/** A slow or silent client holds a connection for so long at most. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1024,
} as const;
const requestsPerConnection = 100;

/** One web port for every site: certificate by SNI, site by Host and path. Rejects with HermeticError when the address cannot be had. */
export async function listenWeb(
  at: ListenAddress,
  settings: WebSettings,
): Promise<Listener<WebSettings>> {
  let current = settings;
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse): void =>
    void respond(incoming, outgoing, current);
  const server: Server = settings.certificateFor
    ? createSecure(
        {
          ...limits,
          ...servingTls,
          handshakeTimeout: limits.headersTimeout,
          ALPNProtocols: ['http/1.1'],
          // Nobody comes back while a ticket is good: senders ask once a day, reporters too.
          secureOptions: constants.SSL_OP_NO_TICKET,
          SNICallback: (name, done) => choose(name, done),
        },
        answer,
      )
    : createPlain(limits, answer);
  const choose = (
    name: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): void => {
    const context = current.certificateFor?.(name.toLowerCase());
    // Without a context the handshake ends with an alert; an error would drop the connection without a word.
    done(null, context);
  };
  answerChallenges(server, () => current.challengeFor?.());
  server.maxRequestsPerSocket = requestsPerConnection;
  const port = await openPort(server, at, settings.limits.connections);
  return Object.assign(port, {
    use(next: WebSettings) {
      current = next;
      port.most = next.limits.connections;
    },
  });
}

async function respond(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { sites, certificateFor, log }: WebSettings,
): Promise<void> {
  const scheme = certificateFor ? 'https' : 'http';
  try {
    const host = (incoming.headers.host ?? '').toLowerCase().replace(/:\d*$/, '');
    const path = (incoming.url ?? '').split('?')[0] ?? '';
    const site = path.startsWith('/') ? sites.find((s) => s.serves(host, path)) : undefined;
    if (!site) return plain(outgoing, path.startsWith('/') ? 404 : 400);
    const answer = site.answer?.(incoming.method ?? 'GET', host, path);
    if (answer) {
      const length = String(Buffer.byteLength(answer.body));
      outgoing.writeHead(answer.status, { ...answer.headers, 'content-length': length });
      outgoing.end(incoming.method === 'HEAD' ? undefined : answer.body);
      return;
    }
    const peer = {
      address: incoming.socket.remoteAddress ?? '',
      port: incoming.socket.remotePort ?? 0,
    };
    const request = toRequest(incoming, scheme, site.maxBody);
    if (!request) return plain(outgoing, 400);
    const response = await site.handle(request, peer);
    const body = Buffer.from(await response.arrayBuffer());
    outgoing.writeHead(
      response.status,
      [...response.headers, ['content-length', String(body.length)]].flat(),
    );
    outgoing.end(incoming.method === 'HEAD' ? undefined : body);
  } catch (error) {
    const tooLarge = isHermeticError(error) && error.code === 'body-too-large';
    // Who breaks off is no fault of ours, and shall not fill the log.
    if (!tooLarge && !incoming.readableAborted)
      log.error('web-handler-failed', { path: incoming.url, error: (error as Error).message });
    if (outgoing.headersSent) outgoing.destroy();
    else plain(outgoing.setHeader('connection', 'close'), tooLarge ? 413 : 500);
  }
}

const words: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  413: 'Too large',
  500: 'Internal error',
};

function plain(outgoing: ServerResponse, status: number): void {
  outgoing
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
    .end(`${words[status] ?? status}\n`);
}

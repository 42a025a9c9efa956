import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import type { Issued } from '../../pki/index.js';

/** The policy of one domain, and the behaviour of its host. */
export interface PolicySite {
  readonly certificate: Issued;
  /** Body of `/.well-known/mta-sts.txt`. */
  readonly policy: string;
  /**
   * `overloaded` answers 503; `endless` never ends its body; `silent` sends nothing after
   * the handshake.
   */
  readonly habit?:
    'good' | 'redirects' | 'not-found' | 'overloaded' | 'html' | 'endless' | 'silent';
  /** Returns a function that answers every path and replaces `policy` and `habit`. */
  answer?(path: string): PolicyReply;
}

/** One answer of a policy host. */
export interface PolicyReply {
  readonly status: number;
  readonly contentType: string;
  readonly location?: string | undefined;
  readonly body: string;
}

/** A request to a policy host, or a failed handshake with the host. */
export interface PolicyRequest {
  readonly serverName: string;
  readonly source: string;
  readonly tlsVersion: string | undefined;
  /** Absent if the handshake failed. */
  readonly status?: number | undefined;
  readonly userAgent?: string | undefined;
  /** Error code of OpenSSL, with the alert of the client. */
  readonly error?: string | undefined;
}

/** An HTTPS server for many policy domains, selected by SNI and Host (RFC 8461 §3.3). */
export class PolicyHost {
  readonly #sites = new Map<string, PolicySite>();
  readonly #contexts = new Map<string, SecureContext>();
  readonly #http: Server = createServer((request, response) => {
    const serverName = (request.headers.host ?? '').replace(/:\d+$/, '');
    response.once('finish', () =>
      this.#report(request.socket as TLSSocket, serverName, {
        status: response.statusCode,
        userAgent: request.headers['user-agent'],
      }),
    );
    answer(this.#sites.get(serverName), request.url ?? '', response);
  });

  /** @param onVisit receives each request and each failed handshake */
  constructor(private readonly onVisit?: (visit: PolicyRequest) => void) {}

  /** @param name such as `mta-sts.example.com` */
  add(serverName: string, policySite: PolicySite): void {
    this.#sites.set(serverName, policySite);
    this.#contexts.delete(serverName);
  }

  /** Removes a name: the host no longer answers requests and handshakes for this name. */
  remove(serverName: string): void {
    this.#sites.delete(serverName);
    this.#contexts.delete(serverName);
  }

  site(serverName: string): PolicySite | undefined {
    return this.#sites.get(serverName);
  }

  readonly serve = (socket: Socket): void => this.serveWith(socket, () => undefined);

  /**
   * Serves a connection. `prepare` can add the site of a name before the host selects it.
   */
  serveWith(socket: Socket, prepare: (serverName: string) => void): void {
    const secured = new TLSSocket(socket, {
      isServer: true,
      SNICallback: (serverName, done) => {
        prepare(serverName.toLowerCase());
        const context = this.#contextOf(serverName.toLowerCase());
        if (context) done(null, context);
        else done(new Error('unknown name'));
      },
    });
    secured.on('error', ({ code }: NodeJS.ErrnoException) => {
      // The declared type of the property omits that a server sets it in the handshake.
      const { servername: serverName } = secured as unknown as { servername?: string | false };
      if (serverName) this.#report(secured, serverName, { error: code });
      socket.destroy();
    });
    secured.once('secure', () => this.#http.emit('connection', secured));
  }

  #report(
    secured: TLSSocket,
    serverName: string,
    outcome: Pick<PolicyRequest, 'status' | 'userAgent' | 'error'>,
  ): void {
    this.onVisit?.({
      serverName,
      source: secured.remoteAddress ?? '',
      tlsVersion: secured.getProtocol() ?? undefined,
      ...outcome,
    });
  }

  #contextOf(serverName: string): SecureContext | undefined {
    const policySite = this.#sites.get(serverName);
    const known = this.#contexts.get(serverName);
    if (!policySite || known) return known;
    const { keyPem, chainPem } = policySite.certificate;
    const context = createSecureContext({
      key: keyPem,
      cert: chainPem,
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    this.#contexts.set(serverName, context);
    return context;
  }
}

function answer(policySite: PolicySite | undefined, url: string, response: ServerResponse): void {
  const { habit = 'good', policy = '' } = policySite ?? {};
  if (policySite?.answer) {
    const { status, contentType, location, body } = policySite.answer(url);
    response.setHeader('content-type', contentType);
    if (location !== undefined) response.setHeader('location', location);
    return void response.writeHead(status).end(body);
  }
  // Some hosts send the policy with status 404: a client must not use that policy (RFC
  // 8461 §3.3).
  if (!policySite || url !== '/.well-known/mta-sts.txt' || habit === 'not-found')
    return void response
      .writeHead(404, { 'content-type': 'text/plain' })
      .end(policy || 'Not found\n');
  switch (habit) {
    case 'redirects':
      return void response
        .writeHead(301, { location: 'https://www.lab.example/mta-sts.txt' })
        .end();
    case 'overloaded':
      return void response.writeHead(503, { 'content-type': 'text/plain' }).end('Busy\n');
    case 'html':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(policy);
    case 'silent':
      return;
    case 'endless': {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const more = setInterval(() => response.write(`# ${'x'.repeat(1000)}\n`), 5);
      return void response.on('close', () => clearInterval(more));
    }
    case 'good':
      return void response
        .writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
        .end(policy);
  }
}

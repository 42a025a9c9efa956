import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import type { Issued } from '../../pki/index.js';

/** The policy of one domain, and the behaviour of its host. */
export interface PolicySite {
  readonly certificate: Issued;
  /** Body of `/.well-known/mta-sts.txt`. */
  readonly policy: string;
  /** `overloaded` answers 503; `endless` never ends its body; `silent` sends nothing after the handshake. */
  readonly habit?:
    'good' | 'redirects' | 'not-found' | 'overloaded' | 'html' | 'endless' | 'silent';
}

/** An HTTPS server for many policy domains, selected by SNI and Host (RFC 8461 §3.3). */
export class PolicyHost {
  readonly #sites = new Map<string, PolicySite>();
  readonly #contexts = new Map<string, SecureContext>();
  readonly #http: Server = createServer((request, response) =>
    answer(
      this.#sites.get((request.headers.host ?? '').replace(/:\d+$/, '')),
      request.url ?? '',
      response,
    ),
  );

  /** @param name such as `mta-sts.example.com` */
  add(serverName: string, policySite: PolicySite): void {
    this.#sites.set(serverName, policySite);
    this.#contexts.delete(serverName);
  }

  site(serverName: string): PolicySite | undefined {
    return this.#sites.get(serverName);
  }

  readonly serve = (socket: Socket): void => {
    const secured = new TLSSocket(socket, {
      isServer: true,
      SNICallback: (serverName, done) => {
        const context = this.#contextOf(serverName.toLowerCase());
        if (context) done(null, context);
        else done(new Error('unknown name'));
      },
    });
    secured.on('error', () => socket.destroy());
    secured.once('secure', () => this.#http.emit('connection', secured));
  };

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
  // Some hosts send the policy with status 404: a client must not use it (RFC 8461 §3.3).
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

import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { issue, type Authority, type Issued } from '../../pki/index.js';
import { parseCertificate } from '../../x509/index.js';
import { readCertificateRequest } from './acme-csr.js';
import { AcmeProblem, readSigned, thumbprint, type Signed } from './acme-signed.js';
import type { ValidateChallenge } from './acme-validate.js';

/** What can be set at any time; the CA goes by it at the next request. */
export interface AcmeCaHabits {
  /** Lifetime of certificates by profile, milliseconds; '' is the one without a name. */
  profiles: Readonly<Record<string, number>>;
  /** Where renewal is suggested; undefined: no renewal information at all. */
  window: ((certificate: AcmeCertificate) => { readonly start: number; readonly end: number }) | undefined;
  /** Seconds until renewal information is to be asked for again. */
  askAgain: number;
  /** Every nth nonce is refused; 0: none. */
  refuseNonce: number;
  /** New orders an account may place within a time; those that replace a certificate are free, as with CAs that have RFC 9773. */
  orders: { readonly most: number; readonly withinMs: number } | undefined;
  /** Whether accounts list their orders (RFC 8555 §7.1.2.1). */
  listsOrders: boolean;
  /** Keys that an account has to be bound to, base64url by key id. */
  external: Readonly<Record<string, string>> | undefined;
  /** Challenges offered. */
  challenges: readonly string[];
}

export interface AcmeCertificate {
  readonly id: string;
  readonly host: string;
  readonly spki: string; // hex
  readonly notBefore: number;
  readonly notAfter: number;
  readonly pem: string;
  readonly issuedAt: number;
  readonly replaces?: string;
}

export interface AcmeOrder {
  readonly id: string;
  readonly account: string;
  readonly host: string;
  readonly token: string;
  readonly profile: string;
  readonly placedAt: number;
  readonly replaces?: string;
  status: 'pending' | 'ready' | 'valid' | 'invalid';
  authorization: 'pending' | 'valid' | 'invalid';
  error?: string;
  certificate?: string;
}

export interface AcmeCaOptions {
  readonly issuer: Authority;
  /** Its own name and certificate. */
  readonly host: string;
  readonly certificate: Issued;
  readonly validate: ValidateChallenge;
  now(): number;
  readonly habits?: Partial<AcmeCaHabits>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const day = 86_400_000;
const random = (): string => randomBytes(12).toString('base64url');
const found = <T>(value: T | undefined): T => {
  if (value === undefined) throw new AcmeProblem(404, 'malformed', 'no such thing');
  return value;
};

/** A certification authority (RFC 8555, RFC 9773) with everything that real ones do to their clients. One name an order. */
export class AcmeCa {
  readonly habits: AcmeCaHabits;
  readonly orders = new Map<string, AcmeOrder>();
  readonly certificates = new Map<string, AcmeCertificate>();
  readonly accounts = new Map<string, Signed['key']>();
  /** Requests that were told to come back later. */
  limited = 0;
  /** Requests whose nonce was refused. */
  refusedNonces = 0;
  readonly #options: AcmeCaOptions;
  readonly #nonces = new Set<string>();
  readonly #context: SecureContext;
  readonly #http: Server = createServer((request, response) => void this.#handle(request, response));
  #requests = 0;

  constructor(options: AcmeCaOptions) {
    this.#options = options;
    this.#context = createSecureContext({ key: options.certificate.keyPem, cert: options.certificate.chainPem });
    this.habits = {
      profiles: { '': 90 * day },
      window: undefined,
      askAgain: 21_600,
      refuseNonce: 0,
      orders: undefined,
      listsOrders: true,
      external: undefined,
      challenges: ['http-01', 'tls-alpn-01', 'dns-01'],
      ...options.habits,
    };
  }

  get directory(): string {
    return this.#url('directory');
  }

  readonly serve = (socket: Socket): void => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
    secured.on('error', () => socket.destroy());
    secured.once('secure', () => this.#http.emit('connection', secured));
  };

  #url(path: string): string {
    return `https://${this.#options.host}/${path}`;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    let answer: Answer;
    try {
      answer = await this.#answer(request.url?.slice(1) ?? '', request.method ?? '', Buffer.concat(parts).toString());
    } catch (error) {
      if (!(error instanceof AcmeProblem)) throw error;
      const { status, kind, message, headers } = error;
      answer = { status, body: { type: `urn:ietf:params:acme:error:${kind}`, detail: message }, headers };
    }
    const { status, body, text, headers = {} } = answer;
    const nonce = random();
    this.#nonces.add(nonce);
    response.writeHead(status, {
      'replay-nonce': nonce,
      'content-type': text === undefined ? 'application/json' : 'application/pem-certificate-chain',
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : (text ?? JSON.stringify(body ?? {})));
  }

  async #answer(path: string, method: string, body: string): Promise<Answer> {
    const [what = '', id = ''] = path.split('/');
    if (what === 'directory') return { status: 200, body: this.#directoryBody() };
    if (what === 'nonce') return { status: 200 };
    if (what === 'renewal' && method === 'GET') return this.#renewalInfo(id);
    const signed = readSigned(body, this.#url(path), (kid) => this.accounts.get(kid));
    this.#spendNonce(signed.nonce);
    switch (what) {
      case 'new-account':
        return this.#newAccount(signed);
      case 'new-order':
        return this.#newOrder(signed);
      case 'account':
        return { status: 200, body: { status: 'valid', ...(this.habits.listsOrders ? { orders: this.#url(`orders/${id}`) } : {}) } };
      case 'orders':
        return {
          status: 200,
          body: { orders: [...this.orders.values()].filter((o) => o.account === signed.kid).map((o) => this.#url(`order/${o.id}`)) },
        };
      case 'order':
        return { status: 200, body: this.#orderBody(found(this.orders.get(id))) };
      case 'authorization':
        return { status: 200, body: this.#authorizationBody(found(this.orders.get(id))) };
      case 'finalize':
        return this.#finalize(found(this.orders.get(id)), signed);
      case 'certificate':
        return { status: 200, text: found(this.certificates.get(id)).pem };
      default:
        return this.#validate(what, found(this.orders.get(id)), signed);
    }
  }

  #directoryBody(): unknown {
    const { profiles, window, external } = this.habits;
    const named = Object.keys(profiles).filter((name) => name !== '');
    return {
      newNonce: this.#url('nonce'),
      newAccount: this.#url('new-account'),
      newOrder: this.#url('new-order'),
      ...(window ? { renewalInfo: this.#url('renewal') } : {}),
      meta: {
        ...(named.length > 0 ? { profiles: Object.fromEntries(named.map((name) => [name, name])) } : {}),
        ...(external ? { externalAccountRequired: true } : {}),
      },
    };
  }

  #spendNonce(nonce: string): void {
    const known = this.#nonces.delete(nonce);
    const { refuseNonce } = this.habits;
    if (known && !(refuseNonce > 0 && ++this.#requests % refuseNonce === 0)) return;
    this.refusedNonces++;
    throw new AcmeProblem(400, 'badNonce', 'take the new one');
  }

  #newAccount({ key, payload }: Signed): Answer {
    const id = thumbprint(key);
    const url = this.#url(`account/${id}`);
    if (this.accounts.has(url)) return { status: 200, body: { status: 'valid' }, headers: { location: url } };
    const { external } = this.habits;
    if (external) readSigned(JSON.stringify(payload['externalAccountBinding']), this.#url('new-account'), undefined, external);
    this.accounts.set(url, key);
    return { status: 201, body: { status: 'valid' }, headers: { location: url } };
  }

  #newOrder({ kid = '', payload }: Signed): Answer {
    const now = this.#options.now();
    const { identifiers, profile = '', replaces } = payload as { identifiers?: { value: string }[]; profile?: string; replaces?: string };
    const host = identifiers?.[0]?.value;
    if (host === undefined || identifiers?.length !== 1) throw new AcmeProblem(400, 'malformed', 'one identifier');
    if (this.habits.profiles[profile] === undefined) throw new AcmeProblem(400, 'invalidProfile', profile);
    if (replaces !== undefined && [...this.orders.values()].some((o) => o.replaces === replaces && o.status !== 'invalid'))
      throw new AcmeProblem(409, 'alreadyReplaced', replaces);
    this.#limit(kid, now, replaces);
    const order: AcmeOrder = {
      id: random(),
      account: kid,
      host,
      token: random(),
      profile,
      placedAt: now,
      status: 'pending',
      authorization: 'pending',
      ...(replaces === undefined ? {} : { replaces }),
    };
    this.orders.set(order.id, order);
    return { status: 201, body: this.#orderBody(order), headers: { location: this.#url(`order/${order.id}`) } };
  }

  #limit(account: string, now: number, replaces: string | undefined): void {
    const { orders } = this.habits;
    if (!orders || replaces !== undefined) return;
    const recent = [...this.orders.values()].filter(
      (o) => o.account === account && o.replaces === undefined && o.placedAt > now - orders.withinMs,
    );
    if (recent.length < orders.most) return;
    this.limited++;
    const until = Math.min(...recent.map(({ placedAt }) => placedAt)) + orders.withinMs;
    throw new AcmeProblem(429, 'rateLimited', 'too many new orders', { 'retry-after': String(Math.ceil((until - now) / 1000)) });
  }

  #orderBody({ id, host, status, certificate, error }: AcmeOrder): unknown {
    return {
      status,
      identifiers: [{ type: 'dns', value: host }],
      authorizations: [this.#url(`authorization/${id}`)],
      finalize: this.#url(`finalize/${id}`),
      ...(certificate === undefined ? {} : { certificate: this.#url(`certificate/${certificate}`) }),
      ...(error === undefined ? {} : { error: { detail: error } }),
    };
  }

  #authorizationBody({ id, authorization, token, error }: AcmeOrder): unknown {
    const challenges = this.habits.challenges.map((type) => ({
      type,
      url: this.#url(`${type}/${id}`),
      status: authorization,
      token,
      ...(error === undefined ? {} : { error: { detail: error } }),
    }));
    return { status: authorization, challenges };
  }

  /** Looks at once, so that nobody has to wait in a laboratory. */
  async #validate(type: string, order: AcmeOrder, { key }: Signed): Promise<Answer> {
    if (!this.habits.challenges.includes(type)) throw new AcmeProblem(404, 'malformed', 'no such thing');
    const { token, host } = order;
    const error = await this.#options.validate(type, host, token, `${token}.${thumbprint(key)}`);
    order.authorization = error === undefined ? 'valid' : 'invalid';
    order.status = error === undefined ? 'ready' : 'invalid';
    if (error !== undefined) order.error = error;
    return { status: 200, body: { type, status: order.authorization, token } };
  }

  #finalize(order: AcmeOrder, { payload }: Signed): Answer {
    if (order.status !== 'ready') throw new AcmeProblem(403, 'orderNotReady', order.status);
    const request = readCertificateRequest(Buffer.from(String(payload['csr']), 'base64url'));
    if (!request || request.names.join() !== order.host) throw new AcmeProblem(400, 'badCSR', 'not for the names of the order');
    const now = this.#options.now();
    const dates = { notBefore: now, notAfter: now + (this.habits.profiles[order.profile] ?? 0) };
    // A CA signs a public key and never sees the private one.
    const made = issue(this.#options.issuer, {
      names: [order.host],
      ...dates,
      key: { ...this.#options.issuer.key, publicKey: request.publicKey },
    });
    const read = found(parsed(made.der));
    const encode = (hex = ''): string => Buffer.from(hex, 'hex').toString('base64url');
    const id = `${encode(read.authorityKeyId)}.${encode(read.serial)}`;
    this.certificates.set(id, {
      id,
      host: order.host,
      spki: Buffer.from(read.spki).toString('hex'),
      ...dates,
      pem: made.chainPem,
      issuedAt: now,
      ...(order.replaces === undefined ? {} : { replaces: order.replaces }),
    });
    order.status = 'valid';
    order.certificate = id;
    return { status: 200, body: this.#orderBody(order) };
  }

  #renewalInfo(id: string): Answer {
    const window = found(this.habits.window)(found(this.certificates.get(id)));
    const time = (ms: number): string => new Date(ms).toISOString();
    return {
      status: 200,
      body: { suggestedWindow: { start: time(window.start), end: time(window.end) } },
      headers: { 'retry-after': String(this.habits.askAgain) },
    };
  }
}

function parsed(der: Uint8Array) {
  const result = parseCertificate(der);
  return result.ok ? result.value : undefined;
}

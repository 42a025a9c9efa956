import { createPublicKey, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { issue } from '../../pki/index.js';
import { parseCertificate } from '../../x509/index.js';
import { readCertificateRequest } from './acme-csr.js';
import type { AcmeCaHabits, AcmeCaOptions, AcmeCertificate, AcmeOrder } from './acme-ca-types.js';
import {
  authorizationResource,
  directoryResource,
  existing,
  orderResource,
  persistentValue,
} from './acme-resources.js';
import { AcmeProblem, readSigned, thumbprint, type Signed } from './acme-signed.js';

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const day = 86_400_000;
const random = (): string => randomBytes(12).toString('base64url');
/**
 * An ACME certification authority (RFC 8555, RFC 9773) for the lab. It verifies
 * signatures, nonces, accounts and challenges as strictly as a real CA, and `habits`
 * enables the difficulties that real CAs cause: rate limits, refused or malformed nonces,
 * reused orders, refused replacements, a second chain.
 *
 * `#handle` implements HTTP and `#answer` the routing; `acme-resources.ts` builds the
 * JSON.
 */
export class AcmeCa {
  readonly habits: AcmeCaHabits;
  readonly orders = new Map<string, AcmeOrder>();
  readonly certificates = new Map<string, AcmeCertificate>();
  readonly accounts = new Map<string, Signed['key']>();
  /** Number of requests refused by the rate limit (RFC 8555 §6.6). */
  limited = 0;
  /** Number of requests whose nonce was refused. */
  refusedNonces = 0;
  /** Number of requests for renewal information. */
  informed = 0;
  /** Number of repeated requests without the nonce of the refusal (RFC 8555 §6.5). */
  wrongRetries = 0;
  /** Nonce of the last refusal, by path. */
  readonly #retries = new Map<string, string>();
  readonly #options: AcmeCaOptions;
  readonly #nonces = new Set<string>();
  readonly #context: SecureContext;
  readonly #http: Server = createServer(
    (request, response) => void this.#handle(request, response),
  );
  #requests = 0;
  #replies = 0;

  constructor(options: AcmeCaOptions) {
    this.#options = options;
    this.#context = createSecureContext({
      key: options.certificate.keyPem,
      cert: options.certificate.chainPem,
    });
    this.habits = {
      profiles: { '': 90 * day },
      window: undefined,
      explanation: undefined,
      askAgain: 21_600,
      refuseNonce: 0,
      garbleNonce: 0,
      orders: undefined,
      listsOrders: true,
      reusesOrders: false,
      keyChange: true,
      persist: { issuers: ['lab.example'] },
      caaIdentities: undefined,
      alternate: undefined,
      external: undefined,
      refuseReplaces: undefined,
      challenges: ['http-01', 'tls-alpn-01', 'dns-01', 'dns-persist-01'],
      ...options.habits,
    };
  }

  /** URL of the directory: the only URL that a client needs in advance. */
  get directory(): string {
    return this.#urlOf('directory');
  }

  /** Serves HTTPS on a connection. */
  readonly serve = (socket: Socket): void => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
    secured.on('error', () => socket.destroy());
    secured.once('secure', () => this.#http.emit('connection', secured));
  };

  readonly #urlOf = (requestPath: string): string => `https://${this.#options.host}/${requestPath}`;

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    let answer: Answer;
    try {
      // RFC 8555 §6.1
      if (request.headers['user-agent'] === undefined)
        throw new AcmeProblem(400, 'malformed', 'a User-Agent is required');
      answer = await this.#answer(
        request.url?.slice(1) ?? '',
        request.method ?? '',
        Buffer.concat(parts).toString(),
      );
    } catch (error) {
      if (!(error instanceof AcmeProblem)) throw error;
      const { status, kind, message, headers } = error;
      answer = {
        status,
        body: { type: `urn:ietf:params:acme:error:${kind}`, detail: message },
        headers,
      };
    }
    const { status, body, text, headers = {} } = answer;
    const nonce = random();
    this.#nonces.add(nonce);
    const { garbleNonce } = this.habits;
    const garbled = garbleNonce > 0 && ++this.#replies % garbleNonce === 0;
    if (JSON.stringify(body)?.includes('badNonce'))
      this.#retries.set(request.url?.slice(1) ?? '', nonce);
    response.writeHead(status, {
      'replay-nonce': garbled ? 'no nonce' : nonce,
      'content-type': text === undefined ? 'application/json' : 'application/pem-certificate-chain',
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : (text ?? JSON.stringify(body ?? {})));
  }

  async #answer(requestPath: string, method: string, bodyText: string): Promise<Answer> {
    const [resource = '', resourceId = '', which = ''] = requestPath.split('/');
    if (resource === 'directory')
      return { status: 200, body: directoryResource(this.habits, this.#urlOf) };
    if (resource === 'nonce') return { status: 200 };
    if (resource === 'renewal' && method === 'GET') return this.#renewalInfo(resourceId);
    const signed = readSigned(bodyText, this.#urlOf(requestPath), (accountUrl) =>
      this.accounts.get(accountUrl),
    );
    this.#spendNonce(signed.nonce, requestPath);
    switch (resource) {
      case 'new-account':
        return this.#newAccount(signed);
      case 'new-order':
        return this.#newOrder(signed);
      case 'key-change':
        return this.#changeKey(signed);
      case 'account':
        return {
          status: 200,
          body: {
            status: 'valid',
            orders: this.habits.listsOrders ? this.#urlOf(`orders/${resourceId}`) : undefined,
          },
        };
      case 'orders':
        return {
          status: 200,
          body: {
            orders: [...this.orders.values()]
              .filter((acmeOrder) => acmeOrder.account === signed.kid)
              .map((acmeOrder) => this.#urlOf(`order/${acmeOrder.id}`)),
          },
        };
      case 'order':
        return {
          status: 200,
          body: orderResource(existing(this.orders.get(resourceId)), this.#urlOf),
        };
      case 'authorization':
        return {
          status: 200,
          body: authorizationResource(
            existing(this.orders.get(resourceId)),
            which,
            this.habits,
            this.#urlOf,
          ),
        };
      case 'finalize':
        return this.#finalize(existing(this.orders.get(resourceId)), signed);
      case 'certificate':
        return this.#chain(existing(this.certificates.get(resourceId)), which);
      default:
        return this.#validate(resource, existing(this.orders.get(resourceId)), which, signed);
    }
  }

  #spendNonce(nonce: string, requestPath: string): void {
    if ((this.#retries.get(requestPath) ?? nonce) !== nonce) this.wrongRetries++;
    this.#retries.delete(requestPath);
    const known = this.#nonces.delete(nonce);
    const { refuseNonce } = this.habits;
    if (known && !(refuseNonce > 0 && ++this.#requests % refuseNonce === 0)) return;
    this.refusedNonces++;
    throw new AcmeProblem(400, 'badNonce', 'use the new nonce');
  }

  #newAccount({ key, payload }: Signed): Answer {
    const keyThumbprint = thumbprint(key);
    const known = this.#accountOf(keyThumbprint);
    if (known !== undefined)
      return { status: 200, body: { status: 'valid' }, headers: { location: known } };
    if (payload['onlyReturnExisting'] === true)
      throw new AcmeProblem(400, 'accountDoesNotExist', 'no account has this key');
    const url = this.#urlOf(`account/${keyThumbprint}`);
    const { external } = this.habits;
    if (external)
      readSigned(
        JSON.stringify(payload['externalAccountBinding']),
        this.#urlOf('new-account'),
        undefined,
        external,
      );
    this.accounts.set(url, key);
    return { status: 201, body: { status: 'valid' }, headers: { location: url } };
  }

  #accountOf(keyThumbprint: string): string | undefined {
    return [...this.accounts].find(([, keyObject]) => thumbprint(keyObject) === keyThumbprint)?.[0];
  }

  /**
   * Changes an account's key with all checks that a server must perform (RFC 8555
   * §7.3.5).
   */
  #changeKey({ kid = '', key, payload }: Signed): Answer {
    const url = this.#urlOf('key-change');
    const innerRequest = readSigned(JSON.stringify(payload), url, undefined);
    const { account, oldKey } = innerRequest.payload as { account?: string; oldKey?: object };
    const old = createPublicKey({ key: oldKey, format: 'jwk' } as never);
    if (
      account !== kid ||
      innerRequest.kid !== undefined ||
      innerRequest.nonce !== '' ||
      thumbprint(old) !== thumbprint(key)
    )
      throw new AcmeProblem(400, 'malformed', 'not a change of this account’s key');
    const otherAccount = this.#accountOf(thumbprint(innerRequest.key));
    if (otherAccount !== undefined)
      throw new AcmeProblem(409, 'malformed', 'another account has that key', {
        location: otherAccount,
      });
    this.accounts.set(kid, innerRequest.key);
    return { status: 200, body: { status: 'valid' } };
  }

  #newOrder({ kid = '', payload }: Signed): Answer {
    const now = this.#options.now();
    const {
      identifiers,
      profile = '',
      replaces,
    } = payload as { identifiers?: { value: string }[]; profile?: string; replaces?: string };
    const names = identifiers?.map(({ value }) => value) ?? [];
    const [hostName] = names;
    if (hostName === undefined || new Set(names).size !== names.length)
      throw new AcmeProblem(400, 'malformed', 'identifiers');
    if (this.habits.profiles[profile] === undefined)
      throw new AcmeProblem(400, 'invalidProfile', profile);
    const openOrder = [...this.orders.values()].find(
      ({ account, names: ordered, status }) =>
        account === kid &&
        sameNames(ordered, names) &&
        (status === 'pending' || status === 'ready'),
    );
    if (openOrder && this.habits.reusesOrders)
      return {
        status: 201,
        body: orderResource(openOrder, this.#urlOf),
        headers: { location: this.#urlOf(`order/${openOrder.id}`) },
      };
    if (
      replaces !== undefined &&
      [...this.orders.values()].some(
        (earlier) => earlier.replaces === replaces && earlier.status !== 'invalid',
      )
    )
      throw new AcmeProblem(409, 'alreadyReplaced', replaces);
    this.#refuseReplaces('order', replaces);
    this.#limit(kid, now, replaces);
    const acmeOrder: AcmeOrder = {
      id: random(),
      account: kid,
      host: hostName,
      names,
      token: random(),
      profile,
      placedAt: now,
      status: 'pending',
      authorizations: new Map(names.map((domainName) => [domainName, 'pending'])),
      replaces,
    };
    this.orders.set(acmeOrder.id, acmeOrder);
    return {
      status: 201,
      body: orderResource(acmeOrder, this.#urlOf),
      headers: { location: this.#urlOf(`order/${acmeOrder.id}`) },
    };
  }

  #refuseReplaces(step: 'order' | 'finalize', replaces: string | undefined): void {
    const refusal = this.habits.refuseReplaces;
    if (replaces !== undefined && refusal?.at === step)
      throw new AcmeProblem(refusal.status, refusal.kind, 'replaces');
  }

  #limit(account: string, now: number, replaces: string | undefined): void {
    const { orders } = this.habits;
    if (!orders || replaces !== undefined) return;
    const recent = [...this.orders.values()].filter(
      (acmeOrder) =>
        acmeOrder.account === account &&
        acmeOrder.replaces === undefined &&
        acmeOrder.placedAt > now - orders.withinMs,
    );
    if (recent.length < orders.most) return;
    this.limited++;
    const deadline = Math.min(...recent.map(({ placedAt }) => placedAt)) + orders.withinMs;
    throw new AcmeProblem(429, 'rateLimited', 'too many new orders', {
      'retry-after': String(Math.ceil((deadline - now) / 1000)),
    });
  }

  /** Validates at once: a delay would only slow the tests down. */
  async #validate(
    type: string,
    acmeOrder: AcmeOrder,
    domainName: string,
    { key, kid = '' }: Signed,
  ): Promise<Answer> {
    if (!this.habits.challenges.includes(type))
      throw new AcmeProblem(404, 'malformed', 'no such thing');
    const { token, authorizations } = acmeOrder;
    existing(authorizations.get(domainName));
    const expected =
      type === 'dns-persist-01'
        ? persistentValue({ name: domainName, key, account: kid }, this.habits.persist)
        : `${token}.${thumbprint(key)}`;
    const error = await this.#options.validate(type, domainName, token, expected);
    authorizations.set(domainName, error === undefined ? 'valid' : 'invalid');
    if (error !== undefined) Object.assign(acmeOrder, { status: 'invalid', error });
    else if ([...authorizations.values()].every((status) => status === 'valid'))
      acmeOrder.status = 'ready';
    return { status: 200, body: { type, status: authorizations.get(domainName), token } };
  }

  #chain({ id, pem }: AcmeCertificate, selector: string): Answer {
    const { alternate } = this.habits;
    if (!alternate) return { status: 200, text: pem };
    const [leaf = ''] = /-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/.exec(pem) ?? [];
    if (selector === 'alternate') return { status: 200, text: leaf + alternate.certPem };
    return {
      status: 200,
      text: pem,
      headers: {
        link: `<${this.#urlOf('directory')}>;rel="index", <${this.#urlOf(`certificate/${id}/alternate`)}>;rel="alternate"`,
      },
    };
  }

  #finalize(acmeOrder: AcmeOrder, { payload }: Signed): Answer {
    if (acmeOrder.status !== 'ready') throw new AcmeProblem(403, 'orderNotReady', acmeOrder.status);
    this.#refuseReplaces('finalize', acmeOrder.replaces);
    const request = readCertificateRequest(Buffer.from(String(payload['csr']), 'base64url'));
    if (!request || !sameNames(request.names, acmeOrder.names))
      throw new AcmeProblem(400, 'badCSR', 'not for the names of the order');
    const now = this.#options.now();
    const dates = {
      notBefore: now,
      notAfter: now + (this.habits.profiles[acmeOrder.profile] ?? 0),
    };
    // The CA signs the public key of the request and never receives the private key.
    const issued = issue(this.#options.issuer, {
      names: acmeOrder.names,
      ...dates,
      key: { ...this.#options.issuer.key, publicKey: request.publicKey },
    });
    const certificate = existing(parsed(issued.der));
    const encode = (hex = ''): string => Buffer.from(hex, 'hex').toString('base64url');
    const certificateId = `${encode(certificate.authorityKeyId)}.${encode(certificate.serial)}`;
    this.certificates.set(certificateId, {
      id: certificateId,
      host: acmeOrder.host,
      names: acmeOrder.names,
      spki: Buffer.from(certificate.spki).toString('hex'),
      ...dates,
      pem: issued.chainPem,
      issuedAt: now,
      replaces: acmeOrder.replaces,
    });
    acmeOrder.status = 'valid';
    acmeOrder.certificate = certificateId;
    return { status: 200, body: orderResource(acmeOrder, this.#urlOf) };
  }

  /** Answers with the suggested renewal window (RFC 9773 §4.2). */
  #renewalInfo(certificateId: string): Answer {
    this.informed++;
    const { explanation } = this.habits;
    const window = existing(this.habits.window)(existing(this.certificates.get(certificateId)));
    const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();
    return {
      status: 200,
      body: {
        suggestedWindow: { start: timeOf(window.start), end: timeOf(window.end) },
        explanationURL: explanation,
      },
      headers: { 'retry-after': String(this.habits.askAgain) },
    };
  }
}

/** Returns whether two lists contain the same names, in any order. */
function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return [...left].sort().join() === [...right].sort().join();
}

function parsed(derBytes: Uint8Array) {
  const result = parseCertificate(derBytes);
  return result.ok ? result.value : undefined;
}

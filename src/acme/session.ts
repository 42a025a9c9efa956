import { z } from 'zod';
import { fail, neutralise, ok, type Clock, type Failure, type Result } from '../base/index.js';
import { request, type HttpResponse } from '../http/index.js';
import { guarded, specialPurpose, type Network } from '../net/index.js';
import type { TrustStore } from '../x509/index.js';
import { acmeFailures } from './failures.js';
import { signRequest, type AcmeSigner } from './jws.js';
import { parseLinks, parseRetryAfter } from './http-headers.js';

/**
 * A certification authority, with the network and the trust anchors for connections to
 * it.
 */
export interface AcmeServer {
  /** URL of the CA's directory, `https:`. */
  readonly directory: string;
  readonly network: Network;
  /** Resolves a host name to its addresses. */
  addressesOf(hostName: string, abortSignal?: AbortSignal): Promise<readonly string[]>;
  /** Roots for the HTTPS certificate of the CA itself. */
  readonly anchors: TrustStore;
  readonly clock: Clock;
}

/**
 * A failed request or order. `problem` is the last part of the problem type
 * (RFC 8555 §6.7). `until` is the time of the next attempt (milliseconds since 1970), if
 * the CA gives one.
 */
export interface AcmeFailure extends Failure {
  readonly problem?: string;
  /** Whether the CA sent a reply with an error status: the request then had no effect. */
  readonly replied?: true;
  readonly until?: number;
  /**
   * Whether a timeout or a server error is the cause: the same request may succeed a
   * minute later.
   */
  readonly transient?: true;
  /** The step that the operator has to take first. */
  readonly manual?: string;
}

/** A reply of the CA with a success status. */
export interface AcmeReply {
  readonly body: string;
  /** URL of the account or order that the request created. */
  readonly location?: string;
  /**
   * Earliest time of the next request according to `Retry-After`, milliseconds since
   * 1970.
   */
  readonly until?: number;
  /** URLs of other chains for the same certificate. */
  readonly alternates: readonly string[];
  /** URL of the next page of a list. */
  readonly next?: string;
}

/** An invalid list is treated as a missing list. */
const names = z.array(z.string().max(253)).max(10).optional().catch(undefined);

/**
 * The resources that RFC 8555 requires, and the optional resources that this client uses.
 * [8555-7.1.1-1]
 */
const directorySchema = z.object({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  keyChange: z.url().optional(),
  renewalInfo: z.url().optional(),
  meta: z
    .object({
      profiles: z.record(z.string(), z.unknown()).optional(),
      caaIdentities: names,
      issuerDomainNames: names,
      accountHashPrefix: z.string().max(1024).optional().catch(undefined),
    })
    .optional(),
});

/** The directory of a CA: its resources and its metadata. */
export type AcmeDirectory = z.output<typeof directorySchema>;

/**
 * Maximum attempts of one request, each with a new nonce. Every `badNonce` reply contains
 * the nonce for the next attempt.
 */
const MAX_TRIES = 5;
const commonHeaders = { 'accept-language': 'en' };
/** Timeout of one request, milliseconds. */
const TIMEOUT = 30_000;
/** Maximum number of saved nonces. A CA sends a nonce with each reply. */
const MAX_NONCES = 32;
/**
 * Maximum octets of a reply. An order contains a few dozen URLs, and a chain contains a
 * few certificates.
 */
const MAX_OCTETS = 256 * 1024;

/**
 * Sends signed requests to one CA. Saves the nonces of replies, and repeats a request
 * with a stale nonce (RFC 8555 §6.5). Returns ACME problems as failures that contain the
 * text of the CA. [8555-6.7-1]
 *
 * The HTTP client adds a User-Agent to each request. [8555-6.1-1]
 */
export class AcmeSession {
  readonly #server: AcmeServer;
  readonly #signal: AbortSignal | undefined;
  #directory: AcmeDirectory | undefined;
  #nonces: string[] = [];
  #private: boolean | undefined;

  constructor(acmeServer: AcmeServer, abortSignal?: AbortSignal) {
    this.#server = acmeServer;
    this.#signal = abortSignal;
  }

  /** Returns the directory of the CA, which the session requests once. */
  async directory(): Promise<Result<AcmeDirectory, AcmeFailure>> {
    if (this.#directory) return ok(this.#directory);
    const response = await this.get(this.#server.directory);
    if (!response.ok) return response;
    const parsed = parseJson(directorySchema, response.value.body);
    if (parsed.ok) this.#directory = parsed.value;
    return parsed;
  }

  /** Fetches a URL without a signature: the directory, or renewal information. */
  async get(url: string): Promise<Result<AcmeReply, AcmeFailure>> {
    const response = await this.#send(url, 'GET');
    if (!response.ok) return response;
    this.#saveNonce(nonceIn(response.value));
    return this.#read(url, response.value);
  }

  /**
   * Sends a signed POST request, or a POST-as-GET request if `payload` is undefined. If
   * the CA refuses the nonce, repeats the request with the nonce of that reply.
   * [8555-6.5-1, 8555-6.5-2]
   */
  async post(
    url: string,
    acmeSigner: AcmeSigner,
    payload?: unknown,
  ): Promise<Result<AcmeReply, AcmeFailure>> {
    let nextNonce: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const nonce = nextNonce === undefined ? await this.#nonce() : ok(nextNonce);
      if (!nonce.ok) return nonce;
      const response = await this.#send(
        url,
        'POST',
        Buffer.from(signRequest(acmeSigner, url, nonce.value, payload)),
      );
      if (!response.ok) return response;
      const read = this.#read(url, response.value);
      nextNonce = nonceIn(response.value);
      if (read.ok || read.failure.problem !== 'badNonce' || attempt === MAX_TRIES) {
        this.#saveNonce(nextNonce);
        return read;
      }
      // The saved nonces are as old as the refused nonce.
      this.#nonces = [];
    }
  }

  async #nonce(): Promise<Result<string, AcmeFailure>> {
    const saved = this.#nonces.pop();
    if (saved !== undefined) return ok(saved);
    const directory = await this.directory();
    if (!directory.ok) return directory;
    const response = await this.#send(directory.value.newNonce, 'HEAD');
    if (!response.ok) return response;
    const fresh = nonceIn(response.value);
    if (fresh === undefined) return fail(acmeFailures.make('acme-unreachable', 'no Replay-Nonce'));
    return ok(fresh);
  }

  #saveNonce(nonce: string | undefined): void {
    if (nonce !== undefined) this.#nonces = [...this.#nonces, nonce].slice(-MAX_NONCES);
  }

  /** Returns whether the operator configured a CA in a private network. */
  async #directoryIsPrivate(): Promise<boolean> {
    if (this.#private !== undefined) return this.#private;
    const { addressesOf, directory } = this.#server;
    const { hostname } = new URL(directory);
    const addresses = await addressesOf(hostname, this.#signal);
    const isPrivate = addresses.some((address) => specialPurpose(address) !== undefined);
    if (addresses.length > 0) this.#private = isPrivate;
    return isPrivate;
  }

  /**
   * Sends one request. The CA chooses every URL except that of its directory, so the
   * session refuses private addresses in the URLs of a public CA.
   */
  async #send(
    url: string,
    method: string,
    bodyBytes?: Uint8Array,
  ): Promise<Result<HttpResponse, AcmeFailure>> {
    const { network, anchors, clock, addressesOf } = this.#server;
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (target?.protocol !== 'https:')
      return fail(
        acmeFailures.make('acme-unreachable', `${neutralise(url, 200)} is not an https URL`),
      );
    const response = await request({
      network: (await this.#directoryIsPrivate()) ? network : guarded(network),
      addresses: await addressesOf(target.hostname, this.#signal),
      host: target.hostname,
      port: Number(target.port || 443),
      path: `${target.pathname}${target.search}`,
      method,
      headers: bodyBytes
        ? { ...commonHeaders, 'content-type': 'application/jose+json' }
        : commonHeaders,
      body: bodyBytes,
      anchors,
      validationTime: clock.now(),
      maxBytes: MAX_OCTETS,
      timeoutMs: TIMEOUT,
      signal: this.#signal,
    });
    if (response.ok) return response;
    const { code, detail } = response.failure;
    return fail({
      ...acmeFailures.make('acme-unreachable', `${target.host}: ${code} ${detail}`.trim()),
      transient: code === 'http-timeout' || undefined,
    });
  }

  #read(url: string, { status, headers, body }: HttpResponse): Result<AcmeReply, AcmeFailure> {
    const jsonText = Buffer.from(body).toString('utf8');
    const until = parseRetryAfter(headers['retry-after'], this.#server.clock.now());
    const { location, link } = headers;
    if (status >= 200 && status < 300)
      return ok({
        body: jsonText,
        alternates: parseLinks(link, 'alternate', url),
        location,
        next: parseLinks(link, 'next', url)[0],
        until,
      });
    const { type = '', detail = '' } = problemOf(jsonText);
    const problem = /^urn:ietf:params:acme:error:([A-Za-z]{1,64})$/.exec(type)?.[1];
    const words = `${status} ${problem ?? ''} ${detail}`.replace(/\s+/g, ' ').trim();
    return fail({
      ...acmeFailures.make(failureCode(status, problem), neutralise(words, 300)),
      replied: true,
      problem,
      until,
      transient: status >= 500 || undefined,
    });
  }
}

/**
 * Returns the code of a failed reply. A rate limit is recognised by its problem type or
 * by one of two statuses (RFC 8555 §6.6).
 */
function failureCode(
  status: number,
  problem: string | undefined,
): 'acme-limited' | 'acme-unreachable' | 'acme-refused' {
  if (status === 429 || status === 503 || problem === 'rateLimited') return 'acme-limited';
  return status >= 500 ? 'acme-unreachable' : 'acme-refused';
}

/**
 * Parses JSON and validates it against a schema. Fails with `acme-unreachable` if the
 * text does not match the schema.
 */
export function parseJson<T>(schema: z.ZodType<T>, jsonText: string): Result<T, AcmeFailure> {
  const parsed = schema.safeParse(jsonOf(jsonText));
  if (parsed.success) return ok(parsed.data);
  return fail(
    acmeFailures.make('acme-unreachable', 'the answer is not the JSON that RFC 8555 describes'),
  );
}

/** Returns the nonce of a reply. Ignores an invalid nonce. [8555-6.5.1-1] */
function nonceIn({ headers }: HttpResponse): string | undefined {
  const nonce = headers['replay-nonce'];
  return nonce !== undefined && /^[A-Za-z0-9_-]{1,256}$/.test(nonce) ? nonce : undefined;
}

function problemOf(jsonText: string): Partial<Record<'type' | 'detail', string | undefined>> {
  const parsed = z
    .object({ type: z.string().optional(), detail: z.string().optional() })
    .safeParse(jsonOf(jsonText));
  return parsed.success ? parsed.data : {};
}

function jsonOf(jsonText: string): unknown {
  try {
    return JSON.parse(jsonText) as unknown;
  } catch {
    return undefined;
  }
}

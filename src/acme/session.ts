import { z } from 'zod';
import { fail, neutralise, ok, type Clock, type Failure, type Result } from '../base/index.js';
import { request, type HttpResponse } from '../http/index.js';
import { guarded, specialPurpose, type Network } from '../net/index.js';
import type { TrustStore } from '../x509/index.js';
import { acmeFailures } from './failures.js';
import { signRequest, type AcmeSigner } from './jws.js';
import { linksOf } from './link-header.js';
import { retryAfter } from './retry-after.js';

/** A certification authority and the way to it. */
export interface AcmeServer {
  /** Its directory, `https:`. */
  readonly directory: string;
  readonly network: Network;
  /** Literal addresses of a host. */
  addressesOf(host: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** What its own HTTPS certificate leads to. */
  readonly anchors: TrustStore;
  readonly clock: Clock;
}

/**
 * Why something came to nothing. `problem` is the last part of the type of RFC 8555 §6.7;
 * `until` (milliseconds) when to ask again, where it was said.
 */
export interface AcmeFailure extends Failure {
  readonly problem?: string;
  /** The CA sent a reply with an error status: the request had no effect. */
  readonly replied?: true;
  readonly until?: number;
  /** Nothing was said: the same request may be answered in a minute. */
  readonly passing?: true;
  /** What a person has to do first. */
  readonly byHand?: string;
}

export interface AcmeReply {
  readonly body: string;
  /** Its own URL, in a reply to what makes an account or an order. */
  readonly location?: string;
  /** Until when the CA asks to wait, milliseconds since 1970. */
  readonly until?: number;
  /** Other chains for the same certificate, and the next part of a list. */
  readonly alternates: readonly string[];
  readonly next?: string;
}

/** What does not look as it should is not there. */
const names = z.array(z.string().max(253)).max(10).optional().catch(undefined);

/** Only these are needed; the rest is looked for, never assumed. [8555-7.1.1-1] */
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
export type AcmeDirectory = z.output<typeof directorySchema>;

/**
 * One more than any honest server needs: each refusal brings the nonce for the next try.
 */
const MAX_TRIES = 5;
const TIMEOUT = 30_000;
/** Kept for the next requests; a CA gives out one with each reply. */
const MAX_NONCES = 32;
/** An order may hold some dozens of URLs, a chain some certificates. */
const MAX_OCTETS = 256 * 1024;

/**
 * Signed requests to one CA: nonces are kept and a stale one is replaced (RFC 8555 §6.5),
 * problems become data. What it says of an error is shown. [8555-6.7-1]
 *
 * Each carries a User-Agent, as every request of ours does. [8555-6.1-1]
 */
export class AcmeSession {
  readonly #server: AcmeServer;
  readonly #signal: AbortSignal | undefined;
  #directory: AcmeDirectory | undefined;
  #nonces: string[] = [];
  #private: boolean | undefined;

  constructor(server: AcmeServer, signal?: AbortSignal) {
    this.#server = server;
    this.#signal = signal;
  }

  async directory(): Promise<Result<AcmeDirectory, AcmeFailure>> {
    if (this.#directory) return ok(this.#directory);
    const got = await this.get(this.#server.directory);
    if (!got.ok) return got;
    const parsed = parseJson(directorySchema, got.value.body);
    if (parsed.ok) this.#directory = parsed.value;
    return parsed;
  }

  /** Without signature: for the directory and for renewal information. */
  async get(url: string): Promise<Result<AcmeReply, AcmeFailure>> {
    const got = await this.#send(url, 'GET');
    if (!got.ok) return got;
    this.#keep(nonceIn(got.value));
    return this.#read(url, got.value);
  }

  /**
   * POST, or POST-as-GET without payload. A refused nonce is not the request's fault: the
   * reply brings the one for the next try. [8555-6.5-1, 8555-6.5-2]
   */
  async post(
    url: string,
    signer: AcmeSigner,
    payload?: unknown,
  ): Promise<Result<AcmeReply, AcmeFailure>> {
    let given: string | undefined;
    for (let attempt = 1; ; attempt++) {
      const nonce = given === undefined ? await this.#nonce() : ok(given);
      if (!nonce.ok) return nonce;
      const got = await this.#send(
        url,
        'POST',
        Buffer.from(signRequest(signer, url, nonce.value, payload)),
      );
      if (!got.ok) return got;
      const read = this.#read(url, got.value);
      given = nonceIn(got.value);
      if (read.ok || read.failure.problem !== 'badNonce' || attempt === MAX_TRIES) {
        this.#keep(given);
        return read;
      }
      // Those kept before are as old as the one refused.
      this.#nonces = [];
    }
  }

  async #nonce(): Promise<Result<string, AcmeFailure>> {
    const kept = this.#nonces.pop();
    if (kept !== undefined) return ok(kept);
    const directory = await this.directory();
    if (!directory.ok) return directory;
    const got = await this.#send(directory.value.newNonce, 'HEAD');
    if (!got.ok) return got;
    const fresh = nonceIn(got.value);
    return fresh === undefined
      ? fail(acmeFailures.make('acme-unreachable', 'no Replay-Nonce'))
      : ok(fresh);
  }

  #keep(nonce: string | undefined): void {
    if (nonce !== undefined) this.#nonces = [...this.#nonces, nonce].slice(-MAX_NONCES);
  }

  /** Whether the operator has named a CA of a private network. */
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
   * Every URL but that of the directory comes from the CA. A public CA cannot send this
   * client to private addresses.
   */
  async #send(
    url: string,
    method: string,
    body?: Uint8Array,
  ): Promise<Result<HttpResponse, AcmeFailure>> {
    const { network, anchors, clock, addressesOf } = this.#server;
    const target = URL.canParse(url) ? new URL(url) : undefined;
    if (target?.protocol !== 'https:')
      return fail(acmeFailures.make('acme-unreachable', `${neutralise(url, 200)} is no https URL`));
    const got = await request({
      network: (await this.#directoryIsPrivate()) ? network : guarded(network),
      addresses: await addressesOf(target.hostname, this.#signal),
      host: target.hostname,
      port: Number(target.port || 443),
      path: `${target.pathname}${target.search}`,
      method,
      headers: {
        'accept-language': 'en',
        ...(body ? { 'content-type': 'application/jose+json' } : {}),
      },
      ...(body ? { body } : {}),
      anchors,
      validationTime: clock.now(),
      maxBytes: MAX_OCTETS,
      timeoutMs: TIMEOUT,
      ...(this.#signal ? { signal: this.#signal } : {}),
    });
    if (got.ok) return got;
    const said = acmeFailures.make(
      'acme-unreachable',
      `${target.host}: ${got.failure.code} ${got.failure.detail}`.trim(),
    );
    return fail({ ...said, ...(got.failure.code === 'http-timeout' ? { passing: true } : {}) });
  }

  #read(url: string, { status, headers, body }: HttpResponse): Result<AcmeReply, AcmeFailure> {
    const text = Buffer.from(body).toString('utf8');
    const until = retryAfter(headers['retry-after'], this.#server.clock.now());
    const wait = until === undefined ? {} : { until };
    const { location, link } = headers;
    const [next] = linksOf(link, 'next', url);
    if (status >= 200 && status < 300)
      return ok({
        body: text,
        alternates: linksOf(link, 'alternate', url),
        ...(location === undefined ? {} : { location }),
        ...(next === undefined ? {} : { next }),
        ...wait,
      });
    const { type = '', detail = '' } = problemOf(text);
    const problem = /^urn:ietf:params:acme:error:([A-Za-z]{1,64})$/.exec(type)?.[1];
    const said = neutralise(
      `${status} ${problem ?? ''} ${detail}`.replace(/\s+/g, ' ').trim(),
      300,
    );
    const limited = status === 429 || status === 503 || problem === 'rateLimited';
    const code = limited ? 'acme-limited' : status >= 500 ? 'acme-unreachable' : 'acme-refused';
    const passing = status >= 500 ? { passing: true as const } : {};
    return fail({
      ...acmeFailures.make(code, said),
      replied: true,
      ...(problem === undefined ? {} : { problem }),
      ...wait,
      ...passing,
    });
  }
}

/** JSON of the shape that is expected, or `acme-unreachable`. */
export function parseJson<T>(schema: z.ZodType<T>, text: string): Result<T, AcmeFailure> {
  const parsed = schema.safeParse(jsonOf(text));
  return parsed.success
    ? ok(parsed.data)
    : fail(acmeFailures.make('acme-unreachable', 'not the JSON that RFC 8555 describes'));
}

/** What is no nonce is ignored. [8555-6.5.1-1] */
function nonceIn({ headers }: HttpResponse): string | undefined {
  const nonce = headers['replay-nonce'];
  return nonce !== undefined && /^[A-Za-z0-9_-]{1,256}$/.test(nonce) ? nonce : undefined;
}

function problemOf(text: string): { readonly type?: string; readonly detail?: string } {
  const parsed = z
    .object({ type: z.string().optional(), detail: z.string().optional() })
    .safeParse(jsonOf(text));
  const { type, detail } = parsed.success ? parsed.data : {};
  return { ...(type === undefined ? {} : { type }), ...(detail === undefined ? {} : { detail }) };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

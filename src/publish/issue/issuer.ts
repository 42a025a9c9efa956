import { randomUUID, type KeyObject } from 'node:crypto';
import { equalBytes, fail, ok, type Result } from '../../base/index.js';
import { parsePem, type Certificate } from '../../x509/index.js';
import type { ActionOutcome, Certify } from '../actions.js';
import {
  acmeFailures,
  changeAccountKey,
  ensureAccount,
  type DesiredAccount,
  AcmeSession,
  type AcmeFailure,
  type AcmeServer,
  type ChallengeSolver,
  completeOrder,
  placeOrder,
  planRenewal,
  certificateId,
} from '../../acme/index.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { AcmeStore, RenewalState } from './acme-store.js';
import { refreshRenewalInfo } from './refresh-renewal-info.js';

/** A CA, the keys to certify, and how challenges are answered. */
export interface IssuerOptions extends Omit<DesiredAccount, 'directory'> {
  readonly server: AcmeServer;
  readonly store: AcmeStore;
  readonly ring: KeyRing;
  /** Solvers in the order of preference. */
  readonly solvers: readonly ChallengeSolver[];
  /** A certificate profile of the CA, such as `shortlived`. */
  readonly profile?: string | undefined;
  /** Common name of the root that the chain leads to, where the CA offers several. */
  readonly preferredChain?: string | undefined;
  /** Returns further names for the certificate of a host. */
  additionalNames?(host: string): readonly string[];
  /** Returns the place in a renewal window: 0 up to but not including 1. */
  random(): number;
  /** Milliseconds between two rounds that look for due renewals. Default ten minutes. */
  readonly roundMs?: number;
  readonly signal?: AbortSignal;
  /** How often an order is polled. Default: every second, for two minutes. */
  readonly poll?: { readonly every: number; readonly atMost: number };
}

const MINUTE = 60_000;
/** Pause after a rate limit without `Retry-After`. */
const LIMIT_PAUSE = 60 * MINUTE;
/**
 * Duration of a claim, longer than all requests between two renewals of the claim. A
 * process that crashed blocks its key for this time.
 */
const CLAIM_DURATION = 10 * MINUTE;

type KeyName = Pick<Certify, 'host' | 'key'>;

/**
 * Obtains certificates for keys of the ring from one CA (RFC 8555) and plans their renewal
 * (RFC 9773). A renewal certifies the same key, so that TLSA records stay valid (RFC 7671
 * §8.1). An interrupted order continues where it stopped, also after a crash.
 */
export class Issuer {
  readonly #options: IssuerOptions;
  readonly #session: AcmeSession;
  /** Identifies this process in claims. */
  readonly #holder = randomUUID();
  #account: ReturnType<typeof ensureAccount> | undefined;

  constructor(options: IssuerOptions) {
    this.#options = options;
    this.#session = new AcmeSession(options.server, options.signal);
  }

  /**
   * Obtains a certificate for a key and saves it in the ring. A certificate that is not due
   * for renewal stays. No request is sent during a pause that the CA asked for, or while
   * another process holds the claim of the key.
   */
  async certify({ host, key }: KeyName): Promise<ActionOutcome> {
    const { store, server } = this.#options;
    if (!this.#claims(host, key))
      return {
        status: 'failed',
        code: 'acme-pending',
        detail: 'another process works on this key',
        untried: true,
      };
    try {
      if ((await this.#certificateState(host, key)) === 'good') return { status: 'done' };
      const until = store.pausedUntil(server.directory, host);
      if (until > server.clock.now())
        return {
          status: 'failed',
          code: 'acme-limited',
          detail: `until ${new Date(until).toISOString()}`,
          until,
          untried: true,
        };
      const obtained = await this.#obtain(host, key);
      if (obtained.ok) return { status: 'done' };
      const { code, detail, manual } = obtained.failure;
      if (manual !== undefined) return { status: 'manual', text: manual };
      this.#saveFailure(host, key, obtained.failure);
      const pausedUntil = store.pausedUntil(server.directory, host);
      return { status: 'failed', code, detail, until: pausedUntil || undefined };
    } finally {
      store.release({ host, key, holder: this.#holder });
    }
  }

  /**
   * Whether the present certificate has to be renewed now. Asks the CA for its renewal
   * window when the last answer is too old; without an answer the last window stays.
   */
  async isDue({ host, key }: KeyName): Promise<boolean> {
    return (await this.#certificateState(host, key)) === 'due';
  }

  /**
   * Returns the state of a certificate. `none`: the ring has no certificate for this key
   * and host. The lifetime alone decides for a certificate that this CA did not issue.
   */
  async #certificateState(host: string, key: string): Promise<'none' | 'due' | 'good'> {
    const { store, server, ring } = this.#options;
    if (store.order(host, key)?.directory === server.directory) return 'due';
    const leaf = readLeaf(ring.chain(host, key));
    if (!leaf || !certifies(leaf, [host], ring.publicKey(host, key))) return 'none';
    if (!certifies(leaf, this.#names(host), ring.publicKey(host, key))) return 'due';
    if (this.#isFromAnotherCa(host, key, leaf)) return 'due';
    const known = await refreshRenewalInfo(this.#session, store, server, { host, key, leaf });
    return server.clock.now() >= this.#renewalOf(leaf, known) ? 'due' : 'good';
  }

  /**
   * Returns when the certificate of a key is renewed, milliseconds since 1970, from what is
   * known without a request. Undefined: there is no certificate.
   */
  renewalAt({ host, key }: KeyName): number | undefined {
    const { store, ring, server } = this.#options;
    const leaf = readLeaf(ring.chain(host, key));
    if (leaf && this.#isFromAnotherCa(host, key, leaf)) return server.clock.now();
    return leaf && this.#renewalOf(leaf, store.renewal(host, key));
  }

  #renewalOf(leaf: Certificate, known: RenewalState | undefined): number {
    const { roundMs = 10 * MINUTE } = this.#options;
    return planRenewal({ ...leaf, window: known?.window, random: known?.draw ?? 0, roundMs });
  }

  /**
   * Returns why a certificate is renewed early, human-readable. Undefined: there is no
   * special reason. [9773-4.2-3]
   */
  explanation({ host, key }: KeyName): string | undefined {
    const { store, ring, server } = this.#options;
    const leaf = readLeaf(ring.chain(host, key));
    if (leaf && this.#isFromAnotherCa(host, key, leaf))
      return `publish.acme.directory is ${server.directory} now`;
    const explanation = store.renewal(host, key)?.explanation;
    return explanation && `its CA asks for it: ${explanation}`;
  }

  /** Whether the ring has a certificate of this key with all desired names. */
  isCertified({ host, key }: KeyName): boolean {
    const { ring } = this.#options;
    const leaf = readLeaf(ring.chain(host, key));
    return leaf !== undefined && certifies(leaf, this.#names(host), ring.publicKey(host, key));
  }

  /** Returns the time of the client's clock, milliseconds since 1970. */
  now(): number {
    return this.#options.server.clock.now();
  }

  /** Returns until when no request is sent for a host. 0: there is no pause. */
  pausedUntil(host: string): number {
    const { store, server } = this.#options;
    return store.pausedUntil(server.directory, host);
  }

  /**
   * Whether this certificate came from another directory than the configured one, such as
   * the staging environment of the same CA. A certificate of unknown origin is not replaced
   * early.
   */
  #isFromAnotherCa(host: string, key: string, leaf: Certificate): boolean {
    const { store, server } = this.#options;
    const last = store.renewal(host, key);
    return (
      last !== undefined &&
      last.certificateId === certificateId(leaf) &&
      !sameUrl(last.directory, server.directory)
    );
  }

  /** Changes the key of the account at the CA (RFC 8555 §7.3.5). */
  async changeAccountKey(): Promise<ActionOutcome> {
    const { store, ring, server, contact, external } = this.#options;
    const changed = await changeAccountKey(this.#session, store, ring, {
      directory: server.directory,
      contact,
      external,
    });
    if (changed.ok) return { status: 'done' };
    const { code, detail } = changed.failure;
    return { status: 'failed', code, detail };
  }

  #names(host: string): readonly string[] {
    return [...new Set([host, ...(this.#options.additionalNames?.(host) ?? [])])];
  }

  #claims(host: string, key: string): boolean {
    const { store, server } = this.#options;
    const now = server.clock.now();
    return store.claim({ host, key, holder: this.#holder, until: now + CLAIM_DURATION }, now);
  }

  async #obtain(host: string, key: string): Promise<Result<undefined, AcmeFailure>> {
    const {
      store,
      ring,
      server,
      solvers: answers,
      profile,
      preferredChain,
      signal,
      poll = { every: 1000, atMost: 2 * MINUTE },
    } = this.#options;
    const { directory, clock } = server;
    const signer = await this.#signer();
    if (!signer.ok) return signer;
    const last = store.renewal(host, key);
    // A CA may refuse `replaces` only when the order is finalized. After a failure every
    // second attempt omits it, because it is optional (RFC 9773 §5).
    const mayReplace = last?.directory === directory && store.failures(directory, host) % 2 === 0;
    const replaces = mayReplace ? last.certificateId : undefined;
    const names = this.#names(host);
    const placed = await placeOrder(this.#session, store, signer.value, {
      directory,
      host,
      key,
      names,
      profile,
      replaces,
    });
    if (!placed.ok) return placed;
    const pair = { privateKey: ring.privateKey(host, key), publicKey: ring.publicKey(host, key) };
    const completed = await completeOrder(placed.value, {
      session: this.#session,
      signer: signer.value,
      names,
      key: pair,
      solvers: answers,
      preferredChain,
      clock,
      signal,
      poll,
      stillClaimed: () => this.#claims(host, key),
    });
    if (!completed.ok) return completed;
    const leaf = readLeaf(completed.value);
    // [8555-7.4.2-1]
    if (!leaf || !certifies(leaf, names, pair.publicKey) || leaf.notAfter <= clock.now())
      return fail(acmeFailures.make('acme-certificate-wrong', host));
    ring.putChain(host, key, completed.value);
    store.saveRenewal(host, key, {
      directory,
      certificateId: certificateId(leaf),
      draw: this.#options.random(),
      askAgain: clock.now(),
    });
    store.saveFailures(directory, host, 0);
    store.closeOrder(host, key);
    return ok(undefined);
  }

  #signer(): ReturnType<typeof ensureAccount> {
    const { store, ring, server, contact, external } = this.#options;
    this.#account ??= ensureAccount(this.#session, store, ring, {
      directory: server.directory,
      contact,
      external,
    }).finally(() => {
      this.#account = undefined;
    });
    return this.#account;
  }

  /**
   * Saves what a failure means for the next attempt: a pause, an invalid order, or an
   * account that the CA no longer has.
   */
  #saveFailure(host: string, key: string, { code, problem, until }: AcmeFailure): void {
    const { store, server } = this.#options;
    const { directory, clock } = server;
    if (code === 'acme-limited') store.pause(directory, '*', until ?? clock.now() + LIMIT_PAUSE);
    if (problem === 'accountDoesNotExist') store.saveAccount(directory, undefined);
    if (
      code === 'acme-challenge-failed' ||
      (code === 'acme-refused' && problem !== 'accountDoesNotExist')
    ) {
      const count = store.failures(directory, host) + 1;
      store.saveFailures(directory, host, count);
      // CAs allow about five failures an hour. Each failure in a row doubles the pause, up
      // to a day. [8555-6.6-1]
      const pauseMs = Math.min(15 * MINUTE * 2 ** (count - 1), 1440 * MINUTE);
      store.pause(directory, host, until ?? clock.now() + pauseMs);
      store.closeOrder(host, key);
    }
    if (code === 'acme-certificate-wrong') store.closeOrder(host, key);
  }
}

/** Whether a certificate is for this key and has all of these names. */
function certifies(
  { spki, dnsNames }: Certificate,
  names: readonly string[],
  key: KeyObject,
): boolean {
  return (
    equalBytes(spki, key.export({ type: 'spki', format: 'der' })) &&
    names.every((name) => dnsNames.includes(name))
  );
}

/**
 * Whether two URLs name the same resource: `https://CA.example:443/dir` is
 * `https://ca.example/dir`.
 */
function sameUrl(left: string, right: string): boolean {
  return new URL(left).href === new URL(right).href;
}

function readLeaf(chain: string | undefined): Certificate | undefined {
  const parsed = chain === undefined ? undefined : parsePem(chain);
  return parsed?.ok ? parsed.value[0] : undefined;
}

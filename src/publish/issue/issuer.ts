import { randomUUID, type KeyObject } from 'node:crypto';
import { equalBytes, fail, ok, type Result } from '../../base/index.js';
import { parsePem, type Certificate } from '../../x509/index.js';
import type { Certify } from '../actions.js';
import type { ActionOutcome } from '../actions.js';
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
import type { AcmeStore } from './acme-store.js';
import { refreshRenewalInfo } from './refresh-renewal-info.js';

export interface CertifierOptions extends Omit<DesiredAccount, 'directory'> {
  readonly server: AcmeServer;
  readonly book: AcmeStore;
  readonly ring: KeyRing;
  /** In the order of preference. */
  readonly answers: readonly ChallengeSolver[];
  readonly profile?: string | undefined;
  /** Common name of the root a chain is to end below, where the CA offers several. */
  readonly preferredChain?: string | undefined;
  /** Names in the certificate of a host besides its own. */
  alsoNamed?(host: string): readonly string[];
  /** 0 up to, not including, 1: where in a renewal window. */
  draw(): number;
  /**
   * Milliseconds between two rounds that ask whether something is due. Default ten
   * minutes.
   */
  readonly round?: number;
  readonly signal?: AbortSignal;
  /** Default: every second, two minutes in all. */
  readonly poll?: { readonly every: number; readonly atMost: number };
}

const minute = 60_000;
/** Where a CA limits without saying for how long. */
const limitPause = 60 * minute;
/**
 * Longer than all requests between two looks at the CA; whoever died holding a key is in
 * the way for so long.
 */
const claimLasts = 10 * minute;

/**
 * Has keys of the ring certified by one CA (RFC 8555) and says when it is time again (RFC
 * 9773). The key is given and stays: a renewal certifies the same one. Whatever is
 * interrupted is taken up where it stood.
 */
export class Issuer {
  readonly #options: CertifierOptions;
  readonly #session: AcmeSession;
  /** One that no other process has. */
  readonly #holder = randomUUID();
  #account: ReturnType<typeof ensureAccount> | undefined;

  constructor(options: CertifierOptions) {
    this.#options = options;
    this.#session = new AcmeSession(options.server, options.signal);
  }

  /**
   * A certificate for that key, put beside it into the ring; nothing where one is there
   * that is not due. Nothing is sent before the time a CA asked to wait until, nor while
   * another process is at the same key.
   */
  async certify({ host, key }: Pick<Certify, 'host' | 'key'>): Promise<ActionOutcome> {
    const { book, server } = this.#options;
    if (!this.#claims(host, key))
      return {
        status: 'failed',
        code: 'acme-pending',
        detail: 'another process is at it',
        untried: true,
      };
    try {
      if ((await this.#standing(host, key)) === 'good') return { status: 'done' };
      const until = book.pausedUntil(server.directory, host);
      if (until > server.clock.now())
        return {
          status: 'failed',
          code: 'acme-limited',
          detail: `until ${new Date(until).toISOString()}`,
          until,
          untried: true,
        };
      const got = await this.#obtain(host, key);
      if (got.ok) return { status: 'done' };
      if (got.failure.byHand !== undefined) return { status: 'manual', text: got.failure.byHand };
      this.#remember(host, key, got.failure);
      const { code, detail } = got.failure;
      const paused = book.pausedUntil(server.directory, host);
      return { status: 'failed', code, detail, ...(paused > 0 ? { until: paused } : {}) };
    } finally {
      book.release(host, key, this.#holder);
    }
  }

  /**
   * Whether a certificate that is there is to be renewed now. Asks the CA when it is time
   * to ask again; what it does not answer changes nothing that was known.
   */
  async isDue({ host, key }: Pick<Certify, 'host' | 'key'>): Promise<boolean> {
    return (await this.#standing(host, key)) === 'due';
  }

  /**
   * `none`: no certificate of this key, for this name. One that this CA did not issue
   * goes by its lifetime alone.
   */
  async #standing(host: string, key: string): Promise<'none' | 'due' | 'good'> {
    const { book, server, ring, round = 10 * minute } = this.#options;
    if (book.order(host, key)?.directory === server.directory) return 'due';
    const leaf = readLeaf(ring.chain(host, key));
    if (!leaf || !certifies(leaf, [host], ring.publicKey(host, key))) return 'none';
    if (!certifies(leaf, this.#names(host), ring.publicKey(host, key))) return 'due';
    if (this.#isFromAnotherCa(host, key, leaf)) return 'due';
    const known = await refreshRenewalInfo(this.#session, book, server, { host, key, leaf });
    const due = planRenewal({ ...leaf, window: known?.window, draw: known?.draw ?? 0, round });
    return server.clock.now() >= due ? 'due' : 'good';
  }

  /**
   * When that certificate is renewed, milliseconds since 1970, as far as is known without
   * asking the CA; undefined where there is none.
   */
  renewalAt({ host, key }: Pick<Certify, 'host' | 'key'>): number | undefined {
    const { book, ring, server, round = 10 * minute } = this.#options;
    const leaf = readLeaf(ring.chain(host, key));
    if (leaf && this.#isFromAnotherCa(host, key, leaf)) return server.clock.now();
    const known = book.renewal(host, key);
    return leaf && planRenewal({ ...leaf, window: known?.window, draw: known?.draw ?? 0, round });
  }

  /**
   * Why a certificate is renewed before its time, where there is a reason; for people.
   * [9773-4.2-3]
   */
  explanation({ host, key }: Pick<Certify, 'host' | 'key'>): string | undefined {
    const { book, ring, server } = this.#options;
    const leaf = readLeaf(ring.chain(host, key));
    if (leaf && this.#isFromAnotherCa(host, key, leaf))
      return `publish.acme.directory is ${server.directory} now`;
    const explanation = book.renewal(host, key)?.explanation;
    return explanation && `its CA asks for it: ${explanation}`;
  }

  /** Whether a certificate of this key is at hand that names everything it has to. */
  isCertified({ host, key }: Pick<Certify, 'host' | 'key'>): boolean {
    const { ring } = this.#options;
    const leaf = readLeaf(ring.chain(host, key));
    return leaf !== undefined && certifies(leaf, this.#names(host), ring.publicKey(host, key));
  }

  /** Milliseconds since 1970, by the clock of the client. */
  now(): number {
    return this.#options.server.clock.now();
  }

  /** Until when nothing is sent for a host, milliseconds since 1970; 0: no pause. */
  pausedUntil(host: string): number {
    const { book, server } = this.#options;
    return book.pausedUntil(server.directory, host);
  }

  /**
   * Whether this very certificate came from another directory than the configured one,
   * such as the staging environment of the same CA. A certificate of unknown origin is
   * not replaced early.
   */
  #isFromAnotherCa(host: string, key: string, leaf: Certificate): boolean {
    const { book, server } = this.#options;
    const last = book.renewal(host, key);
    return (
      last !== undefined &&
      last.certificateId === certificateId(leaf) &&
      !sameUrl(last.directory, server.directory)
    );
  }

  /** Gives the account at the CA another key (RFC 8555 §7.3.5). */
  async changeAccountKey(): Promise<ActionOutcome> {
    const { book, ring, server, contact, external } = this.#options;
    const changed = await changeAccountKey(this.#session, book, ring, {
      directory: server.directory,
      contact,
      external,
    });
    return changed.ok
      ? { status: 'done' }
      : { status: 'failed', code: changed.failure.code, detail: changed.failure.detail };
  }

  #names(host: string): readonly string[] {
    return [...new Set([host, ...(this.#options.alsoNamed?.(host) ?? [])])];
  }

  #claims(host: string, key: string): boolean {
    const { book, server } = this.#options;
    const now = server.clock.now();
    return book.claim(host, key, this.#holder, now, now + claimLasts);
  }

  async #obtain(host: string, key: string): Promise<Result<undefined, AcmeFailure>> {
    const {
      book,
      ring,
      server,
      answers,
      profile,
      preferredChain,
      signal,
      poll = { every: 1000, atMost: 2 * minute },
    } = this.#options;
    const { directory, clock } = server;
    const signer = await this.#signer();
    if (!signer.ok) return signer;
    const last = book.renewal(host, key);
    // A CA may refuse `replaces` only when the order is finalized: after a failure every
    // second attempt goes without it, since it is optional (RFC 9773 §5).
    const mayReplace = last?.directory === directory && book.failures(directory, host) % 2 === 0;
    const replaces = mayReplace ? last.certificateId : undefined;
    const names = this.#names(host);
    const placed = await placeOrder(this.#session, book, signer.value, {
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
      answers,
      preferredChain,
      clock,
      signal,
      poll,
      goesOn: () => this.#claims(host, key),
    });
    if (!completed.ok) return completed;
    const leaf = readLeaf(completed.value);
    // [8555-7.4.2-1]
    if (!leaf || !certifies(leaf, names, pair.publicKey) || leaf.notAfter <= clock.now())
      return fail(acmeFailures.make('acme-certificate-wrong', host));
    ring.putChain(host, key, completed.value);
    book.saveRenewal(host, key, {
      directory,
      certificateId: certificateId(leaf),
      draw: this.#options.draw(),
      askAgain: clock.now(),
    });
    book.saveFailures(directory, host, 0);
    book.closeOrder(host, key);
    return ok(undefined);
  }

  #signer(): ReturnType<typeof ensureAccount> {
    const { book, ring, server, contact, external } = this.#options;
    this.#account ??= ensureAccount(this.#session, book, ring, {
      directory: server.directory,
      contact,
      external,
    }).finally(() => {
      this.#account = undefined;
    });
    return this.#account;
  }

  /**
   * What a failure means for the next time: how long the CA is left alone, whether the
   * order is dead, whether the account is.
   */
  #remember(host: string, key: string, { code, problem, until }: AcmeFailure): void {
    const { book, server } = this.#options;
    const { directory, clock } = server;
    if (code === 'acme-limited') book.pause(directory, '*', until ?? clock.now() + limitPause);
    if (problem === 'accountDoesNotExist') book.saveAccount(directory, undefined);
    if (
      code === 'acme-challenge-failed' ||
      (code === 'acme-refused' && problem !== 'accountDoesNotExist')
    ) {
      const count = book.failures(directory, host) + 1;
      book.saveFailures(directory, host, count);
      // Five failures an hour are what CAs bear; each in a row doubles the wait, up to a
      // day. [8555-6.6-1]
      book.pause(
        directory,
        host,
        until ?? clock.now() + Math.min(15 * minute * 2 ** (count - 1), 1440 * minute),
      );
      book.closeOrder(host, key);
    }
    if (code === 'acme-certificate-wrong') book.closeOrder(host, key);
  }
}

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
 * The same address, however it is spelled: `https://CA.example:443/dir` is
 * `https://ca.example/dir`.
 */
function sameUrl(a: string, b: string): boolean {
  return new URL(a).href === new URL(b).href;
}

function readLeaf(chain: string | undefined): Certificate | undefined {
  const parsed = chain === undefined ? undefined : parsePem(chain);
  return parsed?.ok ? parsed.value[0] : undefined;
}

import { randomUUID, type KeyObject } from 'node:crypto';
import { equalBytes, fail, ok, type Result } from '../../base/index.js';
import { parsePem, type Certificate } from '../../x509/index.js';
import type { ActionOutcome, Alert, Certify } from '../actions.js';
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
  sameUrl,
} from '../../acme/index.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { AcmeStore, RenewalState } from './acme-store.js';
import type { IssuanceRequest } from './issuance-blocker.js';
import { refreshRenewalInfo } from './refresh-renewal-info.js';

/** A CA, the keys to certify, and the solvers for challenges. */
export interface IssuerOptions extends Omit<DesiredAccount, 'directory'> {
  readonly server: AcmeServer;
  readonly store: AcmeStore;
  readonly ring: KeyRing;
  /** Solvers in the order of preference. */
  readonly solvers: readonly ChallengeSolver[];
  /** Validation methods for CAA (RFC 8657 §4). Default: those of `solvers`. */
  readonly methods?: readonly string[];
  /** A certificate profile of the CA, such as `shortlived`. */
  readonly profile?: string | undefined;
  /** Common name of the preferred root, if the CA offers several chains. */
  readonly preferredChain?: string | undefined;
  /** Returns the reason why the CA would refuse a certificate, before an order. */
  findBlocker?(request: IssuanceRequest): Promise<Alert | undefined>;
  /** Returns further names for the certificate of a host. */
  additionalNames?(hostName: string): readonly string[];
  /** Returns a position in a renewal window: 0 up to but not including 1. */
  random(): number;
  /** Milliseconds between two searches for due renewals. Default ten minutes. */
  readonly roundMs?: number;
  readonly signal?: AbortSignal;
  /**
   * The interval and duration of polling an order. Default: every second, for two
   * minutes.
   */
  readonly poll?: { readonly every: number; readonly atMost: number };
}

const MINUTE = 60_000;
/** Pause after a rate limit without `Retry-After`. */
const LIMIT_PAUSE = 60 * MINUTE;
/**
 * Duration of a claim, longer than all requests between two of its extensions. A process
 * that crashed blocks its key for this time.
 */
const CLAIM_DURATION = 10 * MINUTE;
/**
 * Time before the expiration of a certificate at which a blocker no longer stops an
 * order: the DNS answers of this machine can be wrong, and the certificate would expire
 * anyway.
 */
const LAST_RESORT = 3 * 24 * 60 * MINUTE;
/**
 * Known CAA identifiers by directory host; they need no request to the directory.
 * Source for Let's Encrypt: its documentation "CAA", read 2026-11-30.
 */
const knownIdentities: Readonly<Record<string, readonly string[]>> = {
  'acme-v02.api.letsencrypt.org': ['letsencrypt.org'],
  'acme-staging-v02.api.letsencrypt.org': ['letsencrypt.org'],
};

type KeyName = Pick<Certify, 'host' | 'key'>;

/**
 * Obtains certificates for keys of the ring from one CA (RFC 8555) and plans their
 * renewal (RFC 9773). A renewal certifies the same key, so that TLSA records stay valid
 * (RFC 7671 §8.1). The issuer continues an interrupted order, also after a crash.
 */
export class Issuer {
  readonly #options: IssuerOptions;
  readonly #session: AcmeSession;
  /** Identifies this process in claims. */
  readonly #holder = randomUUID();
  #account: ReturnType<typeof ensureAccount> | undefined;
  #identities:
    | { readonly askedAt: number; readonly found: Promise<readonly string[] | undefined> }
    | undefined;

  constructor(options: IssuerOptions) {
    // The account and all saved times belong to the directory, in any spelling.
    const { href: directory } = new URL(options.server.directory);
    const server = { ...options.server, directory };
    this.#options = { ...options, server };
    this.#session = new AcmeSession(server, options.signal);
  }

  /**
   * Obtains a certificate for a key and saves it in the ring. A certificate that is not
   * due for renewal remains unchanged. No request is sent during a pause that the CA
   * requested, or while another process holds the claim of the key.
   */
  async certify({ host: hostName, key: storeKey }: KeyName): Promise<ActionOutcome> {
    const { store, server } = this.#options;
    if (!(await this.#claims(hostName, storeKey)))
      return {
        status: 'failed',
        code: 'acme-pending',
        detail: 'another process works on this key',
        untried: true,
      };
    try {
      if ((await this.#certificateState(hostName, storeKey)) === 'good') return { status: 'done' };
      const until = this.pausedUntil(hostName);
      if (until > server.clock.now())
        return {
          status: 'failed',
          code: 'acme-limited',
          detail: `until ${new Date(until).toISOString()}`,
          until,
          untried: true,
        };
      const blocker = await this.#stopped(hostName, storeKey);
      if (blocker) {
        const { code, subject, detail } = blocker;
        return { status: 'failed', code, detail: `${subject}: ${detail}` };
      }
      const obtained = await this.#obtain(hostName, storeKey);
      if (obtained.ok) return { status: 'done' };
      const { code, detail, manual } = obtained.failure;
      if (manual !== undefined) return { status: 'manual', text: manual };
      await this.#saveFailure(hostName, storeKey, obtained.failure);
      return { status: 'failed', code, detail, until: this.pausedUntil(hostName) || undefined };
    } finally {
      await store.release({ host: hostName, key: storeKey, holder: this.#holder });
    }
  }

  /**
   * Returns whether the current certificate has to be renewed now. Requests the renewal
   * window from the CA when the last answer is too old; without an answer, the last
   * window still applies.
   */
  async isDue({ host, key }: KeyName): Promise<boolean> {
    return (await this.#certificateState(host, key)) === 'due';
  }

  /**
   * Returns the state of a certificate. `none`: the ring has no certificate for this key
   * and host. Only the lifetime determines the state of a certificate that this CA did
   * not issue.
   */
  async #certificateState(hostName: string, storeKey: string): Promise<'none' | 'due' | 'good'> {
    const { store, server, ring } = this.#options;
    if (store.order(hostName, storeKey)?.directory === server.directory) return 'due';
    const leafCertificate = readLeaf(ring.chain(hostName, storeKey));
    if (
      !leafCertificate ||
      !certifies(leafCertificate, [hostName], ring.publicKey(hostName, storeKey))
    )
      return 'none';
    if (!certifies(leafCertificate, this.#names(hostName), ring.publicKey(hostName, storeKey)))
      return 'due';
    if (this.#isFromAnotherCa(hostName, storeKey, leafCertificate)) return 'due';
    const known = await refreshRenewalInfo(this.#session, store, server, {
      host: hostName,
      key: storeKey,
      leaf: leafCertificate,
    });
    return server.clock.now() >= this.#renewalOf(leafCertificate, known) ? 'due' : 'good';
  }

  /**
   * Returns the renewal time of the certificate of a key, milliseconds since 1970, from
   * facts known without a request; undefined without a certificate.
   */
  renewalAt({ host, key }: KeyName): number | undefined {
    const { store, ring, server } = this.#options;
    const leafCertificate = readLeaf(ring.chain(host, key));
    if (leafCertificate && this.#isFromAnotherCa(host, key, leafCertificate))
      return server.clock.now();
    return leafCertificate && this.#renewalOf(leafCertificate, store.renewal(host, key));
  }

  #renewalOf(leafCertificate: Certificate, known: RenewalState | undefined): number {
    const { roundMs = 10 * MINUTE } = this.#options;
    return planRenewal({
      ...leafCertificate,
      window: known?.window,
      random: known?.draw ?? 0,
      roundMs,
    });
  }

  /**
   * Returns the reason why a certificate is renewed early, human-readable; undefined
   * without a special reason. [9773-4.2-3]
   */
  explanation({ host, key }: KeyName): string | undefined {
    const { store, ring, server } = this.#options;
    const leafCertificate = readLeaf(ring.chain(host, key));
    if (leafCertificate && this.#isFromAnotherCa(host, key, leafCertificate))
      return `publish.acme.directory is ${server.directory} now`;
    const explanation = store.renewal(host, key)?.explanation;
    return explanation && `its CA asks for it: ${explanation}`;
  }

  /** Returns whether the ring has a certificate of this key with all desired names. */
  isCertified({ host, key }: KeyName): boolean {
    const { ring } = this.#options;
    const leafCertificate = readLeaf(ring.chain(host, key));
    return (
      leafCertificate !== undefined &&
      certifies(leafCertificate, this.#names(host), ring.publicKey(host, key))
    );
  }

  /**
   * Returns the reason why the CA would refuse the certificate of a host now: CAA
   * records, or bogus DNSSEC; undefined if no reason is known.
   */
  async findBlocker(hostName: string): Promise<Alert | undefined> {
    return this.#options.findBlocker?.(await this.#issuanceRequest(hostName));
  }

  /** Returns the blocker of an order, except shortly before the certificate expires. */
  async #stopped(hostName: string, storeKey: string): Promise<Alert | undefined> {
    const { ring, server } = this.#options;
    const leafCertificate = readLeaf(ring.chain(hostName, storeKey));
    const left = (leafCertificate?.notAfter ?? Infinity) - server.clock.now();
    return left < LAST_RESORT ? undefined : this.findBlocker(hostName);
  }

  async #issuanceRequest(hostName: string): Promise<IssuanceRequest> {
    const { solvers, methods = solvers.map(({ type }) => type) } = this.#options;
    return {
      names: this.#names(hostName),
      issuers: await this.caaIdentities(),
      accountUri: this.accountUri,
      methods: methods.length > 0 ? methods : undefined,
    };
  }

  /** Returns the URI of the account at the CA; undefined before the first order. */
  get accountUri(): string | undefined {
    const { server, store } = this.#options;
    return store.account(server.directory)?.url;
  }

  /** Returns the names that identify the CA in CAA records; undefined if unknown. */
  caaIdentities(): Promise<readonly string[] | undefined> {
    const { directory, clock } = this.#options.server;
    const known = knownIdentities[new URL(directory).hostname];
    if (known) return Promise.resolve(known);
    // Caches the result: every host needs it, and must not wait for the timeout of the CA
    // again.
    const now = clock.now();
    if (!this.#identities || Math.abs(now - this.#identities.askedAt) > 10 * MINUTE)
      this.#identities = { askedAt: now, found: this.#readIdentities() };
    return this.#identities.found;
  }

  async #readIdentities(): Promise<readonly string[] | undefined> {
    const found = await this.#session.directory();
    const named = found.ok ? found.value.meta?.caaIdentities : undefined;
    return named?.map((name) => name.toLowerCase());
  }

  /** Returns the time of the client's clock, milliseconds since 1970. */
  now(): number {
    return this.#options.server.clock.now();
  }

  /**
   * Returns the time before which no request is sent for a host; 0 if there is no pause.
   */
  pausedUntil(hostName: string): number {
    const { store, server } = this.#options;
    return store.pausedUntil(server.directory, hostName, server.clock.now());
  }

  /**
   * Returns whether this certificate came from another directory than the configured one,
   * such as the staging environment of the same CA. A certificate of unknown origin is
   * not replaced early.
   */
  #isFromAnotherCa(hostName: string, storeKey: string, leafCertificate: Certificate): boolean {
    const { store, server } = this.#options;
    const last = store.renewal(hostName, storeKey);
    return (
      last !== undefined &&
      last.certificateId === certificateId(leafCertificate) &&
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

  #names(hostName: string): readonly string[] {
    return [...new Set([hostName, ...(this.#options.additionalNames?.(hostName) ?? [])])];
  }

  #claims(host: string, key: string): Promise<boolean> {
    const { store, server } = this.#options;
    const now = server.clock.now();
    return store.claim({ host, key, holder: this.#holder, until: now + CLAIM_DURATION }, now);
  }

  async #obtain(hostName: string, storeKey: string): Promise<Result<undefined, AcmeFailure>> {
    const {
      store: acmeStore,
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
    const last = acmeStore.renewal(hostName, storeKey);
    // A CA may refuse `replaces` only when the order is finalized. After a failure every
    // second attempt omits this optional field (RFC 9773 §5).
    const mayReplace =
      last?.directory === directory && acmeStore.failures(directory, hostName) % 2 === 0;
    const replaces = mayReplace ? last.certificateId : undefined;
    const names = this.#names(hostName);
    const placed = await placeOrder(this.#session, acmeStore, signer.value, {
      directory,
      host: hostName,
      key: storeKey,
      names,
      profile,
      replaces,
    });
    if (!placed.ok) return placed;
    const pair = {
      privateKey: ring.privateKey(hostName, storeKey),
      publicKey: ring.publicKey(hostName, storeKey),
    };
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
      stillClaimed: () => this.#claims(hostName, storeKey),
    });
    if (!completed.ok) return completed;
    const leafCertificate = readLeaf(completed.value);
    // [8555-7.4.2-1]
    if (
      !leafCertificate ||
      !certifies(leafCertificate, names, pair.publicKey) ||
      leafCertificate.notAfter <= clock.now()
    )
      return fail(acmeFailures.make('acme-certificate-wrong', hostName));
    ring.putChain(hostName, storeKey, completed.value);
    await acmeStore.saveRenewal(hostName, storeKey, {
      directory,
      certificateId: certificateId(leafCertificate),
      draw: this.#options.random(),
      askAgain: clock.now(),
    });
    await acmeStore.saveFailures(directory, hostName, 0);
    await acmeStore.closeOrder(hostName, storeKey);
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
   * Saves the effect of a failure on the next attempt: a pause, an invalid order, or an
   * account that the CA no longer has.
   */
  async #saveFailure(
    hostName: string,
    storeKey: string,
    { code, problem, until }: AcmeFailure,
  ): Promise<void> {
    const { store: acmeStore, server } = this.#options;
    const { directory, clock } = server;
    if (code === 'acme-limited')
      await acmeStore.pause(directory, '*', until ?? clock.now() + LIMIT_PAUSE);
    if (problem === 'accountDoesNotExist') await acmeStore.saveAccount(directory, undefined);
    if (
      code === 'acme-challenge-failed' ||
      (code === 'acme-refused' && problem !== 'accountDoesNotExist')
    ) {
      const count = acmeStore.failures(directory, hostName) + 1;
      await acmeStore.saveFailures(directory, hostName, count);
      // CAs allow about five failures an hour. Each failure in a row doubles the pause, up
      // to a day. [8555-6.6-1]
      const pauseMs = Math.min(15 * MINUTE * 2 ** (count - 1), 1440 * MINUTE);
      await acmeStore.pause(directory, hostName, until ?? clock.now() + pauseMs);
      await acmeStore.closeOrder(hostName, storeKey);
    }
    if (code === 'acme-certificate-wrong') await acmeStore.closeOrder(hostName, storeKey);
  }
}

/** Returns whether a certificate has this key and all of these names. */
function certifies(
  { spki, dnsNames }: Certificate,
  domainNames: readonly string[],
  keyObject: KeyObject,
): boolean {
  return (
    equalBytes(spki, keyObject.export({ type: 'spki', format: 'der' })) &&
    domainNames.every((name) => dnsNames.includes(name))
  );
}

function readLeaf(chain: string | undefined): Certificate | undefined {
  const parsed = chain === undefined ? undefined : parsePem(chain);
  return parsed?.ok ? parsed.value[0] : undefined;
}

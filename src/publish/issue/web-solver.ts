import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { selfSigned } from '../../pki/index.js';
import type { ActionOutcome } from '../actions.js';
import type { Challenge, ChallengeSolver } from '../../acme/index.js';

const done: Promise<ActionOutcome> = Promise.resolve({ status: 'done' });

/**
 * Answers http-01 (RFC 8555 §8.3) and tls-alpn-01 (RFC 8737) challenges from memory.
 * After a restart the continued order publishes its responses again.
 */
export class WebSolver implements ChallengeSolver {
  readonly #open = new Map<string, Challenge>();
  /** One context for each challenge: many connections must not generate many keys. */
  readonly #contexts = new WeakMap<Challenge, SecureContext>();

  constructor(readonly type: 'http-01' | 'tls-alpn-01') {}

  show(challenge: Challenge): Promise<ActionOutcome> {
    this.#open.set(challenge.host, challenge);
    return done;
  }

  /** Removes the response of a host. [8555-8.3-2] */
  hide({ host }: Pick<Challenge, 'host'>): Promise<void> {
    this.#open.delete(host);
    return Promise.resolve();
  }

  /** Returns whether the CA has yet to validate a challenge. */
  get pending(): boolean {
    return this.#open.size > 0;
  }

  /**
   * Returns the body of `/.well-known/acme-challenge/TOKEN`; undefined without a
   * challenge for this name and token. [8555-8.3-1]
   */
  textFor(hostName: string, token: string): string | undefined {
    const challenge = this.type === 'http-01' ? this.#open.get(hostName) : undefined;
    return challenge?.token === token ? challenge.keyAuthorization : undefined;
  }

  /**
   * Returns the context of a tls-alpn-01 response: a self-signed certificate with the
   * digest of the key authorization in a critical extension. [8737-3-1]
   */
  contextFor(hostName: string): SecureContext | undefined {
    const challenge = this.type === 'tls-alpn-01' ? this.#open.get(hostName) : undefined;
    if (!challenge) return undefined;
    const known = this.#contexts.get(challenge);
    if (known) return known;
    const digest = createHash('sha256').update(challenge.keyAuthorization).digest();
    const value = Buffer.concat([Uint8Array.of(0x04, digest.length), digest]);
    const { certPem, keyPem } = selfSigned({
      names: [hostName],
      extensions: [{ oid: '1.3.6.1.5.5.7.1.31', critical: true, value }],
    });
    const context = createSecureContext({ cert: certPem, key: keyPem });
    this.#contexts.set(challenge, context);
    return context;
  }
}

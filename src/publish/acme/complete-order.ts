import { z } from 'zod';
import { fail, neutralise, ok, type Clock, type Result } from '../../base/index.js';
import { certificateRequest, type KeyPair } from '../../pki/index.js';
import { publishFailures } from '../failures.js';
import { parseJson, type AcmeFailure, type AcmeReply, type AcmeSession } from './acme-session.js';
import type { Challenge, ChallengeAnswers } from './challenge.js';
import { keyAuthorization, type AcmeSigner } from './jws.js';

export interface CompleteOptions {
  readonly session: AcmeSession;
  readonly signer: AcmeSigner;
  readonly host: string;
  /** The key to be certified: the request is made for it and no other. */
  readonly key: KeyPair;
  readonly answers: readonly ChallengeAnswers[];
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between two looks where the CA does not say, and for all of them. */
  readonly poll: { readonly every: number; readonly atMost: number };
  /** Asked before each wait and each authorization; false ends the work here. */
  goesOn(): boolean;
}

const statuses = z.enum(['pending', 'ready', 'processing', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']);
const errorSchema = z.object({ detail: z.string().optional() }).optional();
const orderSchema = z.object({
  status: statuses,
  authorizations: z.array(z.url()).max(100),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: errorSchema,
});
const authorizationSchema = z.object({
  status: statuses,
  challenges: z.array(z.object({ type: z.string(), url: z.url(), status: z.string(), token: z.string().optional(), error: errorSchema })),
});

/**
 * Carries an order from wherever it stands to its certificate, PEM (RFC 8555 §7.4, §7.5). The CA alone knows where it stands: nothing is remembered here, so
 * starting again goes on. Fails with `acme-challenge-failed` where the order is dead, `acme-pending` where it lives on.
 */
export async function completeOrder(url: string, options: CompleteOptions): Promise<Result<string, AcmeFailure>> {
  const { session, signer, host, key } = options;
  const left = patience(options);
  let finalized = false;
  for (;;) {
    const got = await session.post(url, signer);
    if (!got.ok) return got;
    const order = parseJson(orderSchema, got.value.body);
    if (!order.ok) return order;
    const { status, authorizations, finalize, certificate, error } = order.value;
    if (status === 'valid' && certificate !== undefined) {
      const chain = await session.post(certificate, signer);
      return chain.ok ? ok(chain.value.body) : chain;
    }
    if (status === 'pending') {
      for (const authorization of authorizations) {
        if (!options.goesOn()) return fail(publishFailures.make('acme-pending', `order ${status}`));
        const authorized = await authorize(authorization, options, left);
        if (!authorized.ok) return authorized;
      }
    } else if (status === 'ready' && !finalized) {
      const csr = Buffer.from(certificateRequest({ names: [host], key })).toString('base64url');
      const sent = await session.post(finalize, signer, { csr });
      if (!sent.ok) return sent;
      finalized = true;
      continue;
    } else if (status !== 'processing' && status !== 'ready' && status !== 'valid') {
      return fail(publishFailures.make('acme-challenge-failed', said(status, error?.detail)));
    }
    if (!(await left(status === 'pending' ? undefined : got.value))) return fail(publishFailures.make('acme-pending', `order ${status}`));
  }
}

/** Answers one challenge of an authorization and waits for what the CA makes of it. */
async function authorize(url: string, options: CompleteOptions, left: Patience): Promise<Result<undefined, AcmeFailure>> {
  const { session, signer, host, answers } = options;
  let shown: { readonly by: ChallengeAnswers; readonly challenge: Challenge } | undefined;
  try {
    for (;;) {
      const got = await session.post(url, signer);
      if (!got.ok) return got;
      const parsed = parseJson(authorizationSchema, got.value.body);
      if (!parsed.ok) return parsed;
      const { status, challenges } = parsed.value;
      if (status === 'valid') return ok(undefined);
      if (status !== 'pending') {
        const detail = challenges.find(({ error }) => error?.detail !== undefined)?.error?.detail;
        return fail(publishFailures.make('acme-challenge-failed', said(status, detail)));
      }
      if (!shown) {
        const by = answers.find(({ type }) => challenges.some((one) => one.type === type));
        const offered = challenges.find(({ type }) => type === by?.type);
        if (!by || offered?.token === undefined || !/^[A-Za-z0-9_-]{1,512}$/.test(offered.token))
          return fail(publishFailures.make('acme-challenge-unknown', said('offered', challenges.map(({ type }) => type).join(', '))));
        const challenge = { host, token: offered.token, keyAuthorization: keyAuthorization(offered.token, signer.key) };
        const outcome = await by.show(challenge);
        if (outcome.status !== 'done')
          return fail(publishFailures.make('acme-challenge-unknown', outcome.status === 'failed' ? outcome.detail : outcome.text));
        shown = { by, challenge };
        // One that the CA works on already needs no second word. [8555-7.5.1-1]
        if (offered.status === 'pending') {
          const told = await session.post(offered.url, signer, {});
          if (!told.ok) return told;
        }
      }
      if (!(await left(got.value))) return fail(publishFailures.make('acme-pending', 'authorization pending'));
    }
  } finally {
    // What stays there is of no use to anybody, and the next answer replaces it.
    await shown?.by.hide(shown.challenge).catch(() => undefined);
  }
}

type Patience = (reply?: AcmeReply) => Promise<boolean>;

/** Waits as long as the CA asks for, or its usual while; false when an order would take too long for one round. [8555-7.5.1-2] */
function patience({ clock, poll, signal, goesOn }: CompleteOptions): Patience {
  const end = clock.now() + poll.atMost;
  return async (reply) => {
    const now = clock.now();
    const at = reply?.until ?? now + poll.every;
    if (at > end || !goesOn()) return false;
    await clock.sleep(at - now, signal);
    return true;
  };
}

function said(status: string, detail = ''): string {
  return neutralise(`${status} ${detail}`.trim(), 300);
}

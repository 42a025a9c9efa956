import { z } from 'zod';
import { fail, neutralise, ok, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import { parseJson, type AcmeDirectory, type AcmeFailure, type AcmeSession } from './session.js';
import type { Challenge, ChallengeSolver } from './challenge.js';
import { keyAuthorization, jwkThumbprint, type AcmeSigner } from './jws.js';
import type { PollTimer } from './poll.js';

const errorSchema = z.object({ detail: z.string().optional() }).optional();
const issuers = z.array(z.string().max(253)).max(10).optional();
const challengeSchema = z.object({
  type: z.string(),
  url: z.url(),
  status: z.string().default('pending'),
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,512}$/)
    .optional(),
  // Earlier drafts of dns-persist-01 spell this member with hyphens.
  issuerDomainNames: issuers,
  'issuer-domain-names': issuers,
  error: errorSchema,
});
const authorizationSchema = z.object({
  identifier: z.object({ type: z.literal('dns'), value: z.string().max(253) }),
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  challenges: z.array(challengeSchema).max(50),
});
type OfferedChallenge = z.output<typeof challengeSchema>;

/**
 * The order to authorize, the solvers for its challenges, and the interval of polling.
 */
export interface AuthorizeOptions {
  readonly session: AcmeSession;
  readonly signer: Required<AcmeSigner>;
  /** Names of the order. The client answers challenges for these names only. */
  readonly names: readonly string[];
  /** Solvers in the order of preference. */
  readonly solvers: readonly ChallengeSolver[];
  /** Waits until the client may poll again. */
  readonly waitForPoll: PollTimer;
}

/**
 * Answers one challenge of an authorization and waits until the CA has validated it
 * (RFC 8555 §7.5.1). Fails with `acme-challenge-failed` if the validation failed. Fails
 * with `acme-pending` if the round has no time left or if the operator has to act first.
 */
export async function authorize(
  url: string,
  options: AuthorizeOptions,
): Promise<Result<undefined, AcmeFailure>> {
  const { session, signer, solvers, waitForPoll, names } = options;
  let shown: { readonly by: ChallengeSolver; readonly challenge: Challenge } | undefined;
  try {
    for (;;) {
      const response = await session.post(url, signer);
      if (!response.ok) return response;
      const parsed = parseJson(authorizationSchema, response.value.body);
      if (!parsed.ok) return parsed;
      const { identifier, status, challenges } = parsed.value;
      if (!names.includes(identifier.value))
        return fail(
          acmeFailures.make('acme-challenge-unknown', said('not ours:', identifier.value)),
        );
      if (status === 'valid') return ok(undefined);
      if (status !== 'pending') {
        const detail = challenges.find(({ error }) => error?.detail !== undefined)?.error?.detail;
        return fail(
          acmeFailures.make('acme-challenge-failed', said(`${identifier.value} ${status}`, detail)),
        );
      }
      if (!shown) {
        const by = solvers.find(({ type }) =>
          challenges.some((challenge) => challenge.type === type),
        );
        const offered = challenges.find(({ type }) => type === by?.type);
        const directory = await session.directory();
        if (!directory.ok) return directory;
        const challenge =
          offered && challengeOf(identifier.value, offered, directory.value, options);
        if (!by || !challenge)
          return fail(
            acmeFailures.make(
              'acme-challenge-unknown',
              said('offered', challenges.map(({ type }) => type).join(', ')),
            ),
          );
        const outcome = await by.show(challenge);
        if (outcome.status === 'failed')
          // The cause is local: the solver could not publish the response.
          return fail({
            code: outcome.code,
            blame: 'local',
            temporary: true,
            detail: neutralise(outcome.detail, 600),
          });
        if (outcome.status === 'manual')
          return fail({
            ...acmeFailures.make('acme-pending', outcome.text),
            manual: outcome.text,
          });
        shown = { by, challenge };
        // A challenge that the CA already processes needs no second request.
        // [8555-7.5.1-1]
        if (offered.status === 'pending') {
          const started = await session.post(offered.url, signer, {});
          if (!started.ok) return started;
        }
      }
      if (!(await waitForPoll(response.value)))
        return fail(
          acmeFailures.make('acme-pending', `authorization of ${identifier.value} pending`),
        );
    }
  } finally {
    // A response that stays published does no harm, and the next response replaces it.
    await shown?.by.hide(shown.challenge).catch(() => undefined);
  }
}

/**
 * Returns the challenge that the client answers; undefined if the offered challenge lacks
 * a token, or if its issuer names differ from those in the directory.
 */
function challengeOf(
  host: string,
  offered: OfferedChallenge,
  { meta }: AcmeDirectory,
  { signer }: AuthorizeOptions,
): Challenge | undefined {
  const { type, token = '' } = offered;
  const persists = type === 'dns-persist-01';
  if ((token === '') !== persists) return undefined;
  const named = offered.issuerDomainNames ?? offered['issuer-domain-names'] ?? [];
  const { issuerDomainNames = [], caaIdentities = named, accountHashPrefix } = meta ?? {};
  // The challenge and the directory must name the same issuers
  // (draft-ietf-acme-dns-persist-02 §3.2).
  const agrees =
    issuerDomainNames.every((name) => named.includes(name)) &&
    named.every((name) => caaIdentities.includes(name));
  if (persists && !agrees) return undefined;
  return {
    host,
    token,
    keyAuthorization: keyAuthorization(token, signer.key),
    account: signer.kid,
    thumbprint: jwkThumbprint(signer.key),
    issuers: named,
    hashPrefix: accountHashPrefix,
  };
}

function said(status: string, detail = ''): string {
  return neutralise(`${status} ${detail}`.trim(), 300);
}

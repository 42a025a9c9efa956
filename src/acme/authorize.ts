import { z } from 'zod';
import { fail, neutralise, ok, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import { parseJson, type AcmeDirectory, type AcmeFailure, type AcmeSession } from './session.js';
import type { Challenge, ChallengeSolver } from './challenge.js';
import { keyAuthorization, thumbprint, type AcmeSigner } from './jws.js';
import type { Patience } from './poll.js';

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
  // The drafts before the second of dns-persist-01 wrote it with hyphens.
  issuerDomainNames: issuers,
  'issuer-domain-names': issuers,
  error: errorSchema,
});
const authorizationSchema = z.object({
  identifier: z.object({ type: z.literal('dns'), value: z.string().max(253) }),
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  challenges: z.array(challengeSchema).max(50),
});
type Offered = z.output<typeof challengeSchema>;

export interface AuthorizeOptions {
  readonly session: AcmeSession;
  readonly signer: Required<AcmeSigner>;
  /** Of the order: no other is ever answered for. */
  readonly names: readonly string[];
  /** In the order of preference. */
  readonly answers: readonly ChallengeSolver[];
  readonly left: Patience;
}

/** Answers one challenge of an authorization and waits for what the CA makes of it. */
export async function authorize(
  url: string,
  options: AuthorizeOptions,
): Promise<Result<undefined, AcmeFailure>> {
  const { session, signer, answers, left, names } = options;
  let shown: { readonly by: ChallengeSolver; readonly challenge: Challenge } | undefined;
  try {
    for (;;) {
      const got = await session.post(url, signer);
      if (!got.ok) return got;
      const parsed = parseJson(authorizationSchema, got.value.body);
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
        const by = answers.find(({ type }) => challenges.some((one) => one.type === type));
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
          // The cause is on this side: the CA offered a challenge and the answer could
          // not be shown.
          return fail({
            code: outcome.code,
            blame: 'local',
            temporary: true,
            detail: neutralise(outcome.detail, 600),
          });
        if (outcome.status === 'manual')
          return fail({
            ...acmeFailures.make('acme-pending', outcome.text),
            byHand: outcome.text,
          });
        shown = { by, challenge };
        // One that the CA works on already needs no second word. [8555-7.5.1-1]
        if (offered.status === 'pending') {
          const told = await session.post(offered.url, signer, {});
          if (!told.ok) return told;
        }
      }
      if (!(await left(got.value)))
        return fail(
          acmeFailures.make('acme-pending', `authorization of ${identifier.value} pending`),
        );
    }
  } finally {
    // What stays there is of no use to anybody, and the next answer replaces it.
    await shown?.by.hide(shown.challenge).catch(() => undefined);
  }
}

/** Undefined for an offer that nothing can be made of. */
function challengeOf(
  host: string,
  offered: Offered,
  { meta }: AcmeDirectory,
  { signer }: AuthorizeOptions,
): Challenge | undefined {
  const { type, token = '' } = offered;
  const persists = type === 'dns-persist-01';
  if ((token === '') !== persists) return undefined;
  const named = offered.issuerDomainNames ?? offered['issuer-domain-names'] ?? [];
  const { issuerDomainNames = [], caaIdentities = named, accountHashPrefix } = meta ?? {};
  // What the CA says of itself has to agree (draft-ietf-acme-dns-persist-02 §3.2).
  const agrees =
    issuerDomainNames.every((name) => named.includes(name)) &&
    named.every((name) => caaIdentities.includes(name));
  if (persists && !agrees) return undefined;
  return {
    host,
    token,
    keyAuthorization: keyAuthorization(token, signer.key),
    account: signer.kid,
    thumbprint: thumbprint(signer.key),
    issuers: named,
    hashPrefix: accountHashPrefix,
  };
}

function said(status: string, detail = ''): string {
  return neutralise(`${status} ${detail}`.trim(), 300);
}

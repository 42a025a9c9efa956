import { z } from 'zod';
import { fail, neutralise, type Result } from '../base/index.js';
import { certificateRequest, type KeyPair } from '../pki/index.js';
import { acmeFailures } from './failures.js';
import { parseJson, type AcmeFailure } from './session.js';
import { authorize, type AuthorizeOptions } from './authorize.js';
import { fetchChain } from './fetch-chain.js';
import { patience, type PatienceOptions } from './poll.js';

export interface CompleteOptions extends Omit<AuthorizeOptions, 'left'>, PatienceOptions {
  /** The key to be certified: the request is made for it and no other. */
  readonly key: KeyPair;
  /** Common name of the root its chain is to end below, where the CA offers several. */
  readonly preferredChain?: string | undefined;
}

const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  authorizations: z.array(z.url()).max(100),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: z.object({ detail: z.string().optional() }).optional(),
});

/**
 * Carries an order from wherever it stands to its certificate, PEM (RFC 8555 §7.4, §7.5).
 * The CA alone knows where it stands: nothing is remembered here, so starting again goes
 * on. Fails with `acme-challenge-failed` where the order is dead, `acme-pending` where it
 * lives on.
 */
export async function completeOrder(
  url: string,
  options: CompleteOptions,
): Promise<Result<string, AcmeFailure>> {
  const { session, signer, names, key, preferredChain } = options;
  const left = patience(options);
  let finalized = false;
  for (;;) {
    const got = await session.post(url, signer);
    if (!got.ok) return got;
    const order = parseJson(orderSchema, got.value.body);
    if (!order.ok) return order;
    const { status, authorizations, finalize, certificate, error } = order.value;
    if (status === 'valid' && certificate !== undefined)
      return fetchChain(session, signer, certificate, preferredChain);
    if (status === 'pending') {
      for (const authorization of authorizations) {
        if (!options.goesOn()) return fail(acmeFailures.make('acme-pending', `order ${status}`));
        const authorized = await authorize(authorization, { ...options, left });
        if (!authorized.ok) return authorized;
      }
    } else if (status === 'ready' && !finalized) {
      // [8555-7.4-2]
      const csr = Buffer.from(certificateRequest({ names, key })).toString('base64url');
      const sent = await session.post(finalize, signer, { csr });
      if (!sent.ok) return sent;
      finalized = true;
      continue;
    } else if (status === 'invalid') {
      return fail(
        acmeFailures.make(
          'acme-challenge-failed',
          neutralise(`invalid ${error?.detail ?? ''}`.trim(), 300),
        ),
      );
    }
    if (!(await left(status === 'pending' ? undefined : got.value)))
      return fail(acmeFailures.make('acme-pending', `order ${status}`));
  }
}

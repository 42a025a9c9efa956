import { z } from 'zod';
import { fail, neutralise, type Result } from '../base/index.js';
import { certificateRequest, type KeyPair } from '../pki/index.js';
import { acmeFailures } from './failures.js';
import { parseJson, type AcmeFailure } from './session.js';
import { authorize, type AuthorizeOptions } from './authorize.js';
import { fetchChain } from './fetch-chain.js';
import { pollTimer, type PollOptions } from './poll.js';

/** The order to complete, the key to certify, and the interval of polling. */
export interface CompleteOptions extends Omit<AuthorizeOptions, 'waitForPoll'>, PollOptions {
  /** The key to certify. The certificate request contains this key only. */
  readonly key: KeyPair;
  /** Common name of the preferred root, if the CA offers several chains. */
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
 * Completes an order and returns its certificate chain, PEM (RFC 8555 §7.4, §7.5). Only
 * the CA stores the state of the order, so a second call continues the same order. Fails
 * with `acme-challenge-failed` if the order is invalid. Fails with `acme-pending` if a
 * later call can continue the order.
 */
export async function completeOrder(
  url: string,
  options: CompleteOptions,
): Promise<Result<string, AcmeFailure>> {
  const { session, signer, names, key, preferredChain } = options;
  const waitForPoll = pollTimer(options);
  let finalized = false;
  for (;;) {
    const response = await session.post(url, signer);
    if (!response.ok) return response;
    const order = parseJson(orderSchema, response.value.body);
    if (!order.ok) return order;
    const { status, authorizations, finalize, certificate, error } = order.value;
    if (status === 'valid' && certificate !== undefined)
      return fetchChain(session, signer, certificate, preferredChain);
    if (status === 'pending') {
      for (const authorization of authorizations) {
        if (!(await options.stillClaimed()))
          return fail(acmeFailures.make('acme-pending', `order ${status}`));
        const authorized = await authorize(authorization, { ...options, waitForPoll });
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
    if (!(await waitForPoll(status === 'pending' ? undefined : response.value)))
      return fail(acmeFailures.make('acme-pending', `order ${status}`));
  }
}

import { fail, type Result } from '../../base/index.js';
import {
  lookupPolicyHost,
  stsFailures,
  visitPolicyHost,
  type FetchedPolicy,
} from '../../mta-sts/index.js';
import type { ProbeContext } from './context.js';
import type { RefusedVisit } from './policy-visitor.js';

/** The options that every fetch of a policy shares. */
export type PolicyFetchOptions = Omit<Parameters<typeof visitPolicyHost>[0], 'address'>;

/** Returns the options for fetches of the policy of a domain. */
export function fetchOptions({
  network,
  domain,
  trustStore,
  now,
  httpsPort,
  timeoutMs,
  signal,
}: ProbeContext): PolicyFetchOptions {
  return {
    network,
    domain,
    anchors: trustStore,
    validationTime: now,
    port: httpsPort,
    timeoutMs: Math.min(60_000, 2 * timeoutMs),
    signal,
  };
}

/**
 * Fetches the policy of a domain like `fetchPolicy`, but through the visitor. The
 * function tries the next address only if no handshake completed.
 */
export async function fetchThrough(context: ProbeContext): Promise<Result<FetchedPolicy>> {
  const { policyVisitor: visitor } = context;
  const { resolver, domain, signal, clock } = context;
  const found = await lookupPolicyHost(resolver, domain, signal);
  if (!found.ok) return found;
  const { addresses, ...names } = found.value;
  const options = fetchOptions(context);
  let left = options.timeoutMs ?? 0;
  let refused: RefusedVisit | undefined;
  let result: Result<FetchedPolicy> = fail(stsFailures.make('sts-policy-unreachable'));
  for (const [at, address] of addresses.entries()) {
    // The time limit of the fetch does not include the wait for a free address.
    const timeoutMs = Math.max(1, left / (addresses.length - at));
    const visit = await visitor.run({ ...names, address }, async () => {
      const began = clock.monotonic();
      const made = await visitPolicyHost({ ...options, address, timeoutMs });
      left -= clock.monotonic() - began;
      return made;
    });
    if ('refused' in visit) refused ??= visit;
    else if (visit.reply.secured) return visit.fetched;
    else result = visit.fetched;
  }
  // The policy may be available at an address that was not tried.
  return refused ? fail({ ...refused.refused, blame: 'local', temporary: true }) : result;
}

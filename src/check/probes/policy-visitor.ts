import type { PolicyVisit } from '../../mta-sts/index.js';
import type { NetFailure } from '../../net/index.js';

/** One address of a policy host. */
export interface PolicyHostTarget {
  /** `mta-sts.DOMAIN`, lower case. */
  readonly host: string;
  /** The end of the alias chain of `host`. */
  readonly canonicalName: string;
  readonly address: string;
}

/** A visit that a limit of this machine, or the operator of the host, did not allow. */
export interface RefusedVisit {
  readonly refused: Pick<NetFailure, 'detail'> & { readonly code: 'net-budget' | 'opt-out' };
}

/**
 * Decides when an address of a policy host is contacted. Thousands of domains share the
 * addresses of one provider, so the limits apply to all domains of a run together.
 */
export interface PolicyVisitor {
  /** Runs `visit` when the address is free, or refuses it. Rejects as `visit` does. */
  run(
    target: PolicyHostTarget,
    visit: () => Promise<PolicyVisit>,
  ): Promise<PolicyVisit | RefusedVisit>;
}

/** Contacts every address without a wait, as a check of one domain does. */
export const unlimitedPolicyVisits: PolicyVisitor = { run: (_, visit) => visit() };

import type {
  OptOutRecords,
  PolicyHostTarget,
  PolicyVisitor,
  RefusedVisit,
} from '../../check/index.js';
import type { Resolver } from '../../dns/index.js';
import type { PolicyVisit } from '../../mta-sts/index.js';
import type { WebVisits } from '../engine/index.js';

/** Contacts policy hosts for one domain of a scan, within the limits of the engine. */
export class LeasedPolicyVisits implements PolicyVisitor {
  /**
   * Milliseconds until the domain can be observed; undefined if no visit was deferred.
   */
  deferMs: number | undefined;

  constructor(
    private readonly web: WebVisits,
    private readonly refuses: (target: PolicyHostTarget) => Promise<boolean>,
  ) {}

  async run(
    target: PolicyHostTarget,
    visit: () => Promise<PolicyVisit>,
  ): Promise<PolicyVisit | RefusedVisit> {
    const { host, canonicalName, address } = target;
    if (await this.refuses(target)) return { refused: { code: 'opt-out', detail: host } };
    let made: PolicyVisit | undefined;
    const outcome = await this.web.contact({ address, names: [host, canonicalName] }, async () => {
      made = await visit();
      return { ...made.reply };
    });
    if (outcome.kind === 'opted-out') return { refused: { code: 'opt-out', detail: host } };
    if (outcome.kind === 'visited' && made) return made;
    if (outcome.kind === 'later') this.deferMs = Math.min(outcome.ms, this.deferMs ?? Infinity);
    return { refused: { code: 'net-budget', detail: address } };
  }
}

/** Returns whether a TXT record refuses contacts with one of the names. */
export async function refusesAny(
  records: OptOutRecords,
  names: readonly string[],
  { resolver, signal }: { readonly resolver: Resolver; readonly signal?: AbortSignal },
): Promise<boolean> {
  for (const name of new Set(names)) if (await records.refuses(name, resolver, signal)) return true;
  return false;
}

import type { SetRrset, Step, Wait } from '../actions.js';
import { txtRdata } from '../records/txt-rdata.js';
import { stsRecord } from '../records/policy-id.js';
import { agreedRrset, bodyOf, isStsRecord, ownRecords } from './apply-observation.js';
import type { DesiredPolicy, FetchResult, PolicyAction, PolicyObservation } from './types.js';

/** Steps and waits of a part of the plan. */
export interface PartialStep {
  readonly steps: readonly Step<PolicyAction>[];
  readonly waits: readonly Wait[];
}

/** The reason why a step is safe now, with its clause. */
export type Justification = Pick<Step, 'because' | 'clause'>;

/**
 * Sets the `_mta-sts` record. Of the records that begin with `v=STSv1` exactly one
 * remains, because senders ignore a domain with several (RFC 8461 §3.1); without an `id`
 * none remains. Other texts at the name remain unchanged. [8461-3.1-14]
 */
export function setStsRecord(
  {
    domain,
    texts,
    id,
    ttl,
  }: {
    readonly domain: string;
    /** TXT records of the name itself, without those of a wildcard. */
    readonly texts: readonly string[];
    readonly id: string | undefined;
    /** Seconds. */
    readonly ttl: number;
  },
  { because, clause }: Justification,
): Step<SetRrset> {
  const others = texts.filter((text) => !isStsRecord(text));
  const announcement = id === undefined ? [] : [stsRecord(id)];
  const rdata = (records: readonly string[]): readonly string[] => records.map(txtRdata).sort();
  return {
    action: {
      kind: 'set-rrset',
      name: `_mta-sts.${domain}`,
      type: 'TXT',
      from: rdata(texts),
      to: rdata([...others, ...announcement]),
      ttl,
    },
    because,
    clause,
  };
}

/** The observed and the desired policy host of a domain. */
export interface PolicyHostContext {
  readonly domain: string;
  readonly observed: Pick<PolicyObservation, 'policyHosts' | 'policyHostSynthesised' | 'alias'>;
  readonly desired: Pick<DesiredPolicy, 'policyHost' | 'ttl'>;
}

/**
 * Serves a policy at every address of its host: first the body, then the name, then a
 * certificate for `mta-sts.DOMAIN` itself. [8461-8.2-2, 8461-3.3-14]
 */
export function servePolicySteps(
  context: PolicyHostContext,
  { id, body }: { readonly id: string; readonly body: string },
  { because, clause }: Justification = {
    because: 'serving it again changes nothing',
    clause: 'RFC 8461 §3.3',
  },
): PartialStep {
  const { domain } = context;
  const { steps, waits } = preparePolicyHost(context, body);
  const action = { kind: 'serve-policy', domain, id, body } as const;
  return { steps: [{ action, because, clause }, ...steps], waits };
}

/**
 * Plans the steps until every address of the policy host serves this body: its name and
 * its certificate.
 */
export function preparePolicyHost(
  { domain, observed, desired }: PolicyHostContext,
  bodyText: string,
): PartialStep {
  const { policyHosts, policyHostSynthesised: synthesised = false } = observed;
  const { policyHost, ttl } = desired;
  const hostName = `mta-sts.${domain}`;
  const steps: Step<PolicyAction>[] = [];
  const lacksName = policyHosts.length === 0 || (synthesised && policyHost !== undefined);
  const target = policyHostAlias(observed.alias);
  if (lacksName && target === undefined && policyHost !== undefined) {
    const to = [`${policyHost}.`];
    steps.push({
      action: { kind: 'set-rrset', name: hostName, type: 'CNAME', from: [], to, ttl },
      because: synthesised
        ? 'a record at the name replaces the wildcard (RFC 4592 §2.2.1), and no record announces the policy before it is served here'
        : 'no sender fetches it before a record announces the policy',
      clause: 'RFC 8461 §8.2',
    });
  }
  if (!lacksName && policyHosts.some(({ fetched }) => lacksCertificate(fetched))) {
    const key = 'ecdsa-1';
    steps.push({
      action: { kind: 'make-key', host: hostName, key, type: 'ecdsa' },
      because: 'the policy host needs a key',
      clause: 'RFC 8461 §3.3',
    });
    steps.push({
      action: { kind: 'certify', host: hostName, key },
      because: 'the policy host needs a certificate for its own name',
      clause: 'RFC 8461 §3.3',
    });
  }
  const hint = aliasHint(target, policyHost);
  if (lacksName) {
    const missing =
      policyHost === undefined
        ? 'has no address: publish one, or name a policyHost'
        : 'has no address yet';
    return { steps, waits: [{ subject: domain, why: `${hostName} ${missing}${hint}` }] };
  }
  const lacking = policyHosts
    .filter(({ fetched }) => bodyOf(fetched) !== bodyText)
    .map(({ address }) => address);
  const why = `${hostName} does not serve the policy at ${lacking.join(', ')} yet${hint}`;
  return { steps, waits: [{ subject: domain, why }] };
}

function lacksCertificate(fetched: FetchResult): boolean {
  if (typeof fetched !== 'object' || !('failure' in fetched)) return false;
  return fetched.failure === 'sts-policy-webpki-invalid';
}

/** Describes an alias whose target is not the configured policy host. */
function aliasHint(target: string | undefined, policyHost: string | undefined): string {
  if (target === undefined || target === policyHost?.toLowerCase()) return '';
  if (policyHost === undefined) return `, and it is an alias of ${target}`;
  return `, and it is an alias of ${target}, not of ${policyHost}: change that alias, or remove it`;
}

/** Returns the alias target of `mta-sts.DOMAIN` itself, when every server agrees. */
function policyHostAlias(alias: PolicyObservation['alias']): string | undefined {
  const shown = agreedRrset(alias);
  return shown && ownRecords(shown)[0];
}

/** Returns the alias that the steps create, to be saved in the state. */
export function aliasWritten(steps: readonly Step[]): { readonly alias?: string } {
  const [target] = steps.flatMap(({ action }) =>
    action.kind === 'set-rrset' && action.type === 'CNAME' ? action.to : [],
  );
  return target === undefined ? {} : { alias: target.replace(/\.$/, '') };
}

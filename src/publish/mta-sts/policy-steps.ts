import type { SetRrset, Step, Wait } from '../actions.js';
import { txtRdata } from '../records/txt-rdata.js';
import { stsRecord } from '../records/policy-id.js';
import { agreed, isStsRecord, ownRecords } from './apply-observation.js';
import type { PolicyAction, PolicyReading, DesiredPolicy, ServedPolicy } from './types.js';

/**
 * The announcement: of the records that begin with v=STSv1 exactly one stays, or none
 * without an id; other texts at the name are left alone (RFC 8461 §3.1). [8461-3.1-14]
 */
export function setRecord(
  domain: string,
  texts: readonly string[],
  id: string | undefined,
  ttl: number,
  because: string,
  clause: string,
): Step<SetRrset> {
  const others = texts.filter((text) => !isStsRecord(text));
  const rdata = (records: readonly string[]): readonly string[] => records.map(txtRdata).sort();
  const to = rdata([...others, ...(id === undefined ? [] : [stsRecord(id)])]);
  return {
    action: {
      kind: 'set-rrset',
      name: `_mta-sts.${domain}`,
      type: 'TXT',
      from: rdata(texts),
      to,
      ttl,
    },
    because,
    clause,
  };
}

/**
 * Brings a policy to every address of its host: the body, then the name, then the
 * certificate for that very name. [8461-8.2-2, 8461-3.3-14]
 */
export function serve(
  domain: string,
  { id, body }: ServedPolicy,
  seen: PolicyHostReading,
  wish: Pick<DesiredPolicy, 'policyHost' | 'ttl'>,
  goal: { readonly because: string; readonly clause: string } = {
    because: 'serving it again changes nothing',
    clause: 'RFC 8461 §3.3',
  },
): { readonly steps: readonly Step<PolicyAction>[]; readonly waits: readonly Wait[] } {
  const { steps, waits } = preparePolicyHost(domain, body, seen, wish);
  return {
    steps: [
      {
        action: { kind: 'serve-policy', domain, id, body },
        because: goal.because,
        clause: goal.clause,
      },
      ...steps,
    ],
    waits,
  };
}

/**
 * What the host of a policy lacks until every address serves this body: its name, its
 * certificate.
 */
export function preparePolicyHost(
  domain: string,
  body: string,
  { policyHosts, policyHostSynthesised: synthesised = false, alias }: PolicyHostReading,
  { policyHost, ttl }: Pick<DesiredPolicy, 'policyHost' | 'ttl'>,
): { readonly steps: readonly Step<PolicyAction>[]; readonly waits: readonly Wait[] } {
  const host = `mta-sts.${domain}`;
  const steps: Step<PolicyAction>[] = [];
  const without = policyHosts.length === 0 || (synthesised && policyHost !== undefined);
  const target = policyHostAlias(alias);
  if (without && target === undefined && policyHost !== undefined) {
    const action: SetRrset = {
      kind: 'set-rrset',
      name: host,
      type: 'CNAME',
      from: [],
      to: [`${policyHost}.`],
      ttl,
    };
    steps.push({
      action,
      because: synthesised
        ? 'a name of its own takes the place of the wildcard (RFC 4592 §2.2.1), and no record announces the policy before it is served here'
        : 'nobody asks for it before a record announces the policy',
      clause: 'RFC 8461 §8.2',
    });
  }
  const uncertified =
    !without &&
    policyHosts.some(
      ({ got }) =>
        typeof got === 'object' && 'failure' in got && got.failure === 'sts-policy-webpki-invalid',
    );
  if (uncertified) {
    const key = 'ecdsa-1';
    steps.push({
      action: { kind: 'make-key', host, key, type: 'ecdsa' },
      because: 'the policy host needs a key',
      clause: 'RFC 8461 §3.3',
    });
    steps.push({
      action: { kind: 'certify', host, key },
      because: 'the policy host needs a certificate for its own name',
      clause: 'RFC 8461 §3.3',
    });
  }
  const silent = policyHosts
    .filter(({ got }) => typeof got !== 'object' || !('body' in got) || got.body !== body)
    .map(({ address }) => address);
  const leads =
    target === undefined || target === policyHost?.toLowerCase()
      ? ''
      : `, and it is an alias of ${target}${policyHost === undefined ? '' : `, not of ${policyHost}: change that alias, or remove it`}`;
  const why = without
    ? `${host} ${policyHost === undefined ? 'has no address: publish one, or name a policyHost' : 'has no address yet'}${leads}`
    : `${host} does not serve the policy at ${silent.join(', ')} yet${leads}`;
  return { steps, waits: [{ subject: domain, why }] };
}

type PolicyHostReading = Pick<PolicyReading, 'policyHosts' | 'policyHostSynthesised' | 'alias'>;

/** What `mta-sts.DOMAIN` itself is an alias of, when every server says so. */
function policyHostAlias(alias: PolicyReading['alias']): string | undefined {
  const shown = agreed(alias);
  return shown && ownRecords(shown)[0];
}

/** What the steps make an alias of, to be remembered. */
export function aliasWritten(steps: readonly Step[]): { readonly alias?: string } {
  const target = steps.flatMap(({ action }) =>
    action.kind === 'set-rrset' && action.type === 'CNAME' ? action.to : [],
  )[0];
  return target === undefined ? {} : { alias: target.replace(/\.$/, '') };
}

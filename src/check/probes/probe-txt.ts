import { createHash } from 'node:crypto';
import { lookupTexts } from '../../dns/index.js';
import type {
  MtaStsEvidence,
  PolicyAddressEvidence,
  TlsRptEvidence,
  TxtEvidence,
} from '../../evidence/index.js';
import {
  lookupPolicyHost,
  parseStsRecord,
  visitPolicyHost,
  type FetchedPolicy,
} from '../../mta-sts/index.js';
import { parseTlsRptRecord } from '../../tls-rpt/index.js';
import { ownFailures } from '../own-failures.js';
import { failureEvidence, type ProbeContext } from './context.js';
import { lookupMisplacedTexts } from './misplaced-texts.js';
import { fetchOptions, fetchThrough } from './fetch-through.js';

/**
 * Looks up the `_mta-sts` record and fetches the policy it announces (RFC 8461 §3
 * [8461-3.1-1]).
 */
export async function probeMtaSts(context: ProbeContext): Promise<MtaStsEvidence> {
  return probePolicy(context, await lookupStsRecord(context));
}

/** Looks up the `_mta-sts` record (RFC 8461 §3.1). */
export function lookupStsRecord(context: ProbeContext): Promise<TxtEvidence> {
  return texts(context, '_mta-sts');
}

/**
 * Fetches the policy that the record announces. Without a valid record the function sends
 * no request, and the evidence follows from the record.
 */
export async function probePolicy(
  context: ProbeContext,
  txt: TxtEvidence,
): Promise<MtaStsEvidence> {
  const stsRecord = readStsRecord(txt);
  if ('status' in stsRecord) return stsRecord;
  context.progress('MTA-STS policy');
  const fetched = await fetchThrough(context);
  const first = fetched.ok ? fetched.value : undefined;
  const policyAddresses = await probePolicyAddresses(context, first);
  if (!fetched.ok) {
    const { failure } = fetched;
    return {
      txt,
      id: stsRecord.id,
      status: failure.temporary ? 'tempfail' : 'invalid',
      policyAddresses,
      problems: [failureEvidence(failure)],
    };
  }
  const { body, address, chain } = fetched.value;
  const { mode, maxAge, mx } = fetched.value.policy;
  return {
    txt,
    id: stsRecord.id,
    status: 'found',
    policy: { mode, maxAge, mx, body },
    policyHost: { address, chain: derOf(chain) },
    policyAddresses,
    problems: [],
  };
}

/**
 * Returns the id of a record that announces a policy, otherwise the evidence that follows
 * from the record alone.
 */
export function readStsRecord(txt: TxtEvidence): MtaStsEvidence | { readonly id: string } {
  if (txt.lookup === 'failed')
    return { txt, status: 'tempfail', problems: txt.failure ? [txt.failure] : [] };
  const stsRecord = parseStsRecord(txt.texts);
  if (stsRecord.status === 'absent') return { txt, status: 'absent', problems: [] };
  if (stsRecord.status === 'invalid')
    return { txt, status: 'invalid', problems: [failureEvidence(stsRecord.failure)] };
  return { id: stsRecord.id };
}

/** Maximum number of addresses of the policy host to contact. */
const MAX_POLICY_ADDRESSES = 4;

/**
 * Fetches the policy from each address of the policy host, since a sender may use any of
 * them. `first` is the fetch that the check has already completed. Undefined at depth
 * `triage`.
 */
async function probePolicyAddresses(
  context: ProbeContext,
  first: FetchedPolicy | undefined,
): Promise<readonly PolicyAddressEvidence[] | undefined> {
  const { resolver, domain, signal, depth, policyVisitor } = context;
  if (depth === 'triage') return undefined;
  const found = await lookupPolicyHost(resolver, domain, signal);
  if (!found.ok) return [];
  const { addresses, ...names } = found.value;
  return Promise.all(
    someOf(addresses).map(async (address): Promise<PolicyAddressEvidence> => {
      if (first?.address === address) return served(first);
      const visit = await policyVisitor.run({ ...names, address }, () =>
        visitPolicyHost({ ...fetchOptions(context), address }),
      );
      if ('refused' in visit) return { address, failure: visit.refused };
      const { fetched, reply } = visit;
      if (fetched.ok) return served(fetched.value);
      // A machine without a route for IPv6 sent no request.
      if (ownFailures.has(reply.dial))
        return { address, failure: { code: reply.dial, detail: '' } };
      return { address, failure: failureEvidence(fetched.failure) };
    }),
  );
}

/** Chooses addresses of both families. */
function someOf(addresses: readonly string[]): readonly string[] {
  const v6 = addresses.filter((address) => address.includes(':'));
  const v4 = addresses.filter((address) => !v6.includes(address));
  const half = MAX_POLICY_ADDRESSES / 2;
  const six = v6.slice(0, Math.max(half, MAX_POLICY_ADDRESSES - v4.length));
  return [...v4.slice(0, MAX_POLICY_ADDRESSES - six.length), ...six];
}

function served({ address, chain, body }: FetchedPolicy): PolicyAddressEvidence {
  const policySha256 = createHash('sha256').update(body).digest('hex');
  return { address, chain: derOf(chain), policySha256 };
}

function derOf(chain: FetchedPolicy['chain']): readonly string[] {
  return chain.map(({ der }) => Buffer.from(der).toString('base64'));
}

/** Looks up the `_smtp._tls` record (RFC 8460 §3). */
export async function probeTlsRpt(context: ProbeContext): Promise<TlsRptEvidence> {
  const txt = await texts(context, '_smtp._tls');
  if (txt.lookup === 'failed')
    return { txt, status: 'tempfail', rua: [], problems: txt.failure ? [txt.failure] : [] };
  const { status, rua, problems } = parseTlsRptRecord(txt.texts);
  return { txt, status, rua, problems: problems.map(failureEvidence) };
}

/**
 * Looks up the TXT records at a label below the domain. A failed lookup differs from an
 * absent record: after a failed lookup, senders still use their cached policy.
 */
async function texts(
  context: ProbeContext,
  label: '_mta-sts' | '_smtp._tls',
): Promise<TxtEvidence> {
  const { resolver, domain, signal } = context;
  const parsedName = domain.prepend(label);
  // The name would exceed 255 octets, so the record cannot exist.
  if (!parsedName.ok) return { texts: [], lookup: 'absent', dnssec: 'indeterminate' };
  const found = await lookupTexts(resolver, parsedName.value, { signal });
  const isSought = context.misplaced.texts && found.lookup === 'absent';
  return {
    elsewhere: isSought ? await lookupMisplacedTexts(context, label) : undefined,
    texts: found.texts,
    lookup: found.lookup,
    dnssec: found.dnssec,
    failure: found.failure && failureEvidence(found.failure),
  };
}

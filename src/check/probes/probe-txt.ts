import { lookupTexts } from '../../dns/index.js';
import type { MtaStsEvidence, TlsRptEvidence, TxtEvidence } from '../../evidence/index.js';
import { fetchPolicy, parseStsRecord } from '../../mta-sts/index.js';
import { parseTlsRptRecord } from '../../tls-rpt/index.js';
import { failureEvidence, type ProbeContext } from './context.js';

/**
 * Looks up the `_mta-sts` record and fetches the policy it announces (RFC 8461 §3
 * [8461-3.1-1]).
 */
export async function probeMtaSts(context: ProbeContext): Promise<MtaStsEvidence> {
  const txt = await texts(context, '_mta-sts');
  if (txt.lookup === 'failed')
    return { txt, status: 'tempfail', problems: txt.failure ? [txt.failure] : [] };
  const stsRecord = parseStsRecord(txt.texts);
  if (stsRecord.status === 'absent') return { txt, status: 'absent', problems: [] };
  if (stsRecord.status === 'invalid')
    return { txt, status: 'invalid', problems: [failureEvidence(stsRecord.failure)] };
  context.progress('MTA-STS policy');
  const { network, resolver, domain, trustStore, now, httpsPort, timeoutMs, signal } = context;
  const fetched = await fetchPolicy({
    network,
    resolver,
    domain,
    anchors: trustStore,
    validationTime: now,
    port: httpsPort,
    timeoutMs: Math.min(60_000, 2 * timeoutMs),
    signal,
  });
  if (!fetched.ok) {
    const { failure } = fetched;
    return {
      txt,
      id: stsRecord.id,
      status: failure.temporary ? 'tempfail' : 'invalid',
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
    policyHost: { address, chain: chain.map(({ der }) => Buffer.from(der).toString('base64')) },
    problems: [],
  };
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
 * Looks up the TXT records at a label below the domain. A lookup that failed is not the
 * same as an absent record: senders keep their cached policy in the first case.
 */
async function texts(
  { resolver, domain, signal }: ProbeContext,
  label: string,
): Promise<TxtEvidence> {
  const parsedName = domain.prepend(label);
  // The name would exceed 255 octets, so the record cannot exist.
  if (!parsedName.ok) return { texts: [], lookup: 'absent', dnssec: 'indeterminate' };
  const found = await lookupTexts(resolver, parsedName.value, { signal });
  return {
    texts: found.texts,
    lookup: found.lookup,
    dnssec: found.dnssec,
    failure: found.failure && failureEvidence(found.failure),
  };
}

import { Name, parseIp, type Failure } from '../base/index.js';
import { lookupTexts } from '../dns/index.js';
import type { AppliedPolicy, PolicyFailure } from '../evidence/index.js';
import type { DomainDecision, HostDecision, LookupFailure } from '../tls-policy/index.js';
import { parseTlsRptRecord } from '../tls-rpt/index.js';
import type { SendContext } from './context.js';
import { resultTypeOf } from './result-type-of.js';

/** An applied policy whose TLS-RPT record is not looked up yet. */
export type DraftPolicy = Omit<AppliedPolicy, 'tlsRpt'>;

/**
 * Adds to each policy the TLS-RPT record of the policy domain, with the addresses that
 * receive reports (RFC 8460 §3). A failed lookup is part of the result.
 */
export function resolveReportUris(
  policies: readonly DraftPolicy[],
  context: SendContext,
  abortSignal?: AbortSignal,
): Promise<readonly AppliedPolicy[]> {
  return Promise.all(
    policies.map(async (draftPolicy) => ({
      ...draftPolicy,
      tlsRpt: await tlsRptOf(draftPolicy.domain, context, abortSignal),
    })),
  );
}

/** Returns whether a policy applies to a host. */
export function appliesTo(
  draftPolicy: DraftPolicy,
  host: HostDecision,
  all: readonly DraftPolicy[],
): boolean {
  switch (draftPolicy.type) {
    case 'sts':
      return true;
    case 'tlsa':
      return hasTlsa(host) && host.tlsa.base === draftPolicy.domain;
    case 'no-policy-found':
      return !hasTlsa(host) && !all.some(({ type }) => type === 'sts');
  }
}

/**
 * Returns the policies under which TLS-RPT reports a delivery, with the policy types of
 * RFC 8460 §4.4: `sts` for the domain, `tlsa` for each TLSA base domain, and
 * `no-policy-found` if neither applies to a host. Pure.
 */
export function appliedPolicies(decision: DomainDecision): readonly DraftPolicy[] {
  const { domain, mtaSts, hosts, settings } = decision;
  const tlsa = new Map(
    hosts
      .filter((host) => settings.dane && hasTlsa(host))
      .map((host) => [host.tlsa.base, tlsaPolicy(host)]),
  );
  const sts = stsPolicy(decision);
  const drafted = [...(sts ? [sts] : []), ...tlsa.values()];
  if (!sts && (tlsa.size === 0 || hosts.some((host) => !hasTlsa(host)))) {
    const failure =
      mtaSts.record.status === 'found'
        ? failureOf(mtaSts.trouble, 'sts-policy-fetch-error')
        : undefined;
    drafted.push({
      type: 'no-policy-found',
      domain,
      strings: [],
      mxHosts: [],
      failure,
    });
  }
  return drafted;
}

/**
 * Returns true if the TLSA records bind the sender, or if their lookup failed, which
 * binds the sender too.
 */
function hasTlsa({ tlsa: { status } }: HostDecision): boolean {
  return (
    status === 'usable' || status === 'unusable' || status === 'bogus' || status === 'tempfail'
  );
}

/**
 * Returns the MTA-STS policy to report under; undefined for a policy of mode `none` (RFC
 * 8461 §6).
 */
function stsPolicy({ domain, mtaSts }: DomainDecision): DraftPolicy | undefined {
  const { policy, trouble } = mtaSts;
  if (!policy || policy.mode === 'none') return undefined;
  const failure = failureOf(trouble, 'sts-policy-fetch-error');
  // RFC 8460 §4.5: one array element for each line of the policy as served.
  const strings = policy.body.split(/\r?\n/).filter((line) => line !== '');
  return {
    type: 'sts',
    domain,
    strings,
    mxHosts: policy.mx,
    mode: policy.mode,
    failure,
  };
}

function tlsaPolicy({ tlsa, trouble }: HostDecision): DraftPolicy {
  const common = { type: 'tlsa', domain: tlsa.base, strings: tlsa.records, mxHosts: [] } as const;
  switch (tlsa.status) {
    case 'unusable':
      return {
        ...common,
        failure: { resultType: 'tlsa-invalid', code: 'dane-unusable', detail: '' },
      };
    case 'bogus':
    case 'tempfail':
      return {
        ...common,
        failure: failureOf(tlsa.trouble ?? trouble, 'dnssec-invalid') ?? {
          resultType: 'dnssec-invalid',
          code: `dane-${tlsa.status}`,
          detail: '',
        },
      };
    default:
      return common;
  }
}

function failureOf(
  trouble: LookupFailure | Failure | undefined,
  otherwise: PolicyFailure['resultType'],
): PolicyFailure | undefined {
  return (
    trouble && {
      resultType: resultTypeOf(trouble.code, otherwise),
      code: trouble.code,
      detail: trouble.detail,
    }
  );
}

/**
 * Looks up the TLS-RPT record of a policy domain (RFC 8460 §3). An IP address as next hop
 * has no policy domain and no reports.
 */
async function tlsRptOf(
  domainName: string,
  { resolver }: SendContext,
  abortSignal?: AbortSignal,
): Promise<AppliedPolicy['tlsRpt']> {
  if (parseIp(domainName)) return { status: 'absent' };
  const parent = Name.parse(domainName);
  const parsedName = parent.ok ? parent.value.prepend('_smtp._tls') : parent;
  if (!parsedName.ok) return { status: 'absent' };
  const { lookup, texts } = await lookupTexts(
    resolver,
    parsedName.value,
    abortSignal ? { signal: abortSignal } : {},
  );
  if (lookup === 'failed') return { status: 'tempfail' };
  const { status } = parseTlsRptRecord(texts);
  const record = texts.find((text) => text.startsWith('v=TLSRPTv1'));
  return { status, record };
}

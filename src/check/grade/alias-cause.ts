import type { Evidence } from '../../evidence/index.js';
import { matchesDnsName } from '../../x509/index.js';
import { listedInPolicy } from './judge-certificate.js';
import type { JudgedHost } from './judge-host.js';

/**
 * An MX host that is an alias, while the certificate, the policy and the TLSA records
 * name its target.
 */
export interface AliasCause {
  /** The target of the alias, which the MX record should name. */
  readonly meant: string;
  /**
   * A sentence that lists the policy and the certificate if they already name the target.
   */
  readonly message: string;
}

/**
 * Returns, by host name, the aliases that alone explain a mismatch of names. Senders with
 * an MTA-STS policy compare the name in the MX record (RFC 8461 §4.1), so one change of
 * that record repairs the mismatch with policy and certificate at once. Advice to change
 * policy or certificate instead would contradict this fix.
 */
export function aliasCauses(
  evidence: Evidence,
  judgedHosts: readonly JudgedHost[],
): ReadonlyMap<string, AliasCause> {
  return new Map(
    judgedHosts.flatMap((judgedHost) => {
      const aliasCause = causeOf(evidence, judgedHost);
      if (aliasCause) return [[judgedHost.evidence.name, aliasCause] as const];
      return [];
    }),
  );
}

/**
 * Returns the cause if the alias alone explains the names that do not match: every
 * certificate names the target of the alias, and the policy, if one applies, lists the
 * target. Otherwise changing the MX record would fix nothing, or would break a working
 * setup. Dates and issuer of a certificate have separate findings.
 */
function causeOf(evidence: Evidence, judgedHost: JudgedHost): AliasCause | undefined {
  const { alias, name, tlsa } = judgedHost.evidence;
  const target = alias?.canonicalName;
  const { status, policy } = evidence.mtaSts;
  // A change of the MX record would lose the TLSA records of the alias, and an unknown
  // policy may name the alias.
  if (
    target === undefined ||
    status === 'tempfail' ||
    (tlsa.status === 'usable' && tlsa.base === name)
  )
    return undefined;
  const applied = policy !== undefined && policy.mode !== 'none';
  if (applied && listedInPolicy(evidence, target) !== 'match') return undefined;
  const certificates = judgedHost.addresses.flatMap((address) => address.certificates);
  const fits = certificates.every((certificate) => matchesDnsName(certificate.certificate, target));
  const misnamed = certificates.some((certificate) => certificate.summary.nameMatch === 'mismatch');
  const unlisted = applied && judgedHost.summary.mtaStsMatch !== 'match';
  if (!fits || !(misnamed || unlisted)) return undefined;
  const naming = [
    ...(applied ? ['the MTA-STS policy'] : []),
    ...(misnamed ? ['the certificate'] : []),
  ].join(' and ');
  const verb = applied && misnamed ? 'name' : 'names';
  return {
    meant: target,
    message: `${naming.charAt(0).toUpperCase()}${naming.slice(1)} already ${verb} it.`,
  };
}

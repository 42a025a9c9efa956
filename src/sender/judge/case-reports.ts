import type { SenderCase } from '../cases/sender-case.js';
import type { Observation, ObservationOf } from '../observation.js';
import type { CaseReport } from '../verdict.js';
import { senderNetwork, type Attempt } from './attempts.js';

/** Maximum number of reports that a result shows for one case. */
const MAX_REPORTS = 20;

/**
 * Joins the TLS reports about a case with its attempts: the claim of each reporter, and
 * its agreement with the observations. Undefined without a report.
 *
 * @param network the network of the judged sender
 */
export function reportsIn(
  senderCase: SenderCase,
  observations: readonly Observation[],
  {
    attempts,
    network,
  }: { readonly attempts: readonly Attempt[]; readonly network: string | undefined },
): CaseReport[] | undefined {
  const found = observations.filter((one): one is ObservationOf<'report'> => one.kind === 'report');
  if (found.length === 0) return undefined;
  const reports = found.map((report): CaseReport => {
    const { organization, day, authenticated = false, successes, failures, resultTypes } = report;
    return {
      organization,
      day,
      authenticated,
      successes,
      failures,
      resultTypes,
      seen: attempts.filter((attempt) => day === undefined || dayOf(attempt) === day).length,
      fromSender: isFromSender(report, network),
      agrees: agreement(senderCase, report),
    };
  });
  return reports
    .sort((one, other) => Number(other.authenticated) - Number(one.authenticated))
    .slice(0, MAX_REPORTS);
}

function dayOf({ firstAt }: Attempt): string {
  return new Date(firstAt).toISOString().slice(0, 10);
}

function isFromSender(
  { senders = [] }: ObservationOf<'report'>,
  network: string | undefined,
): CaseReport['fromSender'] {
  if (senders.length === 0) return 'not-named';
  return senders.some((address) => senderNetwork(address) === network) ? 'yes' : 'no';
}

/**
 * Returns the result types that the property of a case causes (RFC 8460 §4.3.1, §4.3.2).
 * A sender may name the general type instead [8460-4.3-1].
 */
function expectedTypes({ host, policy, zone }: SenderCase): readonly string[] {
  if (policy?.certificate !== undefined) return ['sts-webpki-invalid', 'sts-policy-fetch-error'];
  if (zone.dnssec !== 'insecure') return host.tlsa?.includes('other-key') ? ['tlsa-invalid'] : [];
  if (host.starttls === 'absent') return ['starttls-not-supported'];
  switch (host.certificate) {
    case 'self-signed':
      return ['certificate-not-trusted'];
    case 'expired':
      return ['certificate-expired'];
    case 'wrong-name':
      return ['certificate-host-mismatch'];
    default:
      return [];
  }
}

function agreement(
  senderCase: SenderCase,
  { failures, resultTypes }: ObservationOf<'report'>,
): CaseReport['agrees'] {
  const expected = expectedTypes(senderCase);
  if (expected.length === 0 || (failures > 0 && resultTypes.length === 0)) return 'open';
  if (failures === 0) return 'no';
  return resultTypes.every((type) => expected.includes(type) || type === 'validation-failure')
    ? 'yes'
    : 'no';
}

/**
 * Steps that write, correct and enforce an MTA-STS policy, in the order that defers no
 * mail.
 */
import type { FixStep } from '../../evidence/index.js';
import { checkAgain, command, config, confirm, dns, wait, type FindingValues } from './entry.js';
import { policyText, type Mode } from './policy-text.js';

/**
 * The max_age of a first policy and of an enforced policy, in seconds. A mistake in a
 * first policy then expires after a day.
 */
export const [MAX_AGE_DAY, MAX_AGE_WEEK] = [86_400, 604_800];

/** The only URL from which senders fetch the policy (RFC 8461 §3.3). */
export const policyUrl = (findingValues: FindingValues): string =>
  `https://mta-sts.${findingValues.domain}/.well-known/mta-sts.txt`;
/** The step that serves the policy file with the given mode. */
export const servePolicy = (
  findingValues: FindingValues,
  mode: Mode,
  exchangers = findingValues.mx,
  maxAge = MAX_AGE_DAY,
): FixStep =>
  config(
    `Serve this text at ${policyUrl(findingValues)} as text/plain, with a certificate for mta-sts.${findingValues.domain} and without a redirect.`,
    policyText(mode, exchangers, maxAge),
  );
/**
 * The step that publishes the record. Senders fetch a changed policy only when the id
 * changes (RFC 8461 §3.1), so each step that changes the file is followed by a new id.
 * `suffix` makes the ids of one plan distinct.
 */
export const policyRecord = (findingValues: FindingValues, suffix = ''): FixStep =>
  dns(
    'Publish this record, and delete any older MTA-STS record.',
    `_mta-sts.${findingValues.domain}. 3600 IN TXT "v=STSv1; id=${findingValues.policyId}${suffix}"`,
  );
/** The step that publishes a TLS-RPT record. */
export const reportingRecord = (findingValues: FindingValues): FixStep =>
  dns(
    'Publish this record with your own mailbox.',
    `_smtp._tls.${findingValues.domain}. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls-reports@${findingValues.domain}"`,
  );
/**
 * Steps that publish a TLS-RPT record if none exists: without reports, a test period has
 * no result.
 */
export const reportingSteps = (findingValues: FindingValues): FixStep[] =>
  findingValues.tlsRpt ? [] : [reportingRecord(findingValues)];
/**
 * A wait for reports. Senders report daily, and two weeks include senders that deliver
 * rarely.
 */
const readReports = wait(
  'Wait at least two weeks, until the TLS-RPT reports show no failure of your servers.',
);
/**
 * Steps for hosts without an acceptable session come before enforcement; otherwise
 * senders would defer mail because of the policy.
 */
const readyFirst = (findingValues: FindingValues): FixStep[] =>
  findingValues.notReady.length === 0
    ? []
    : [
        confirm(
          `First make sure that ${findingValues.notReady.join(', ')} offers TLS with a certificate from a public CA for its own name. Until then keep the policy in mode testing.`,
        ),
      ];

/**
 * The step that precedes a new policy if the lookup of a host failed. A policy must not
 * name a host that may not exist, and under an enforced policy senders defer the mail of
 * a host that the policy omits (RFC 8461 §4.1).
 */
export const lookUpFirst = ({ unseen, domain }: FindingValues): FixStep[] =>
  unseen.length === 0
    ? []
    : [
        command(
          `This check saw no address of ${unseen.join(', ')}, so the texts below do not contain it. Look up each host. If the host exists, add a line with "mx: " and its name to each policy text below. If the host does not exist, delete its MX record.`,
          [`dig MX ${domain}`, ...unseen.map((name) => `dig A ${name}; dig AAAA ${name}`)].join(
            '; ',
          ),
        ),
      ];

/** The steps from reports to enforcement. */
export const thenEnforce = (
  findingValues: FindingValues,
  exchangers = findingValues.mx,
): FixStep[] => [
  readReports,
  ...readyFirst(findingValues),
  servePolicy(findingValues, 'enforce', exchangers, MAX_AGE_WEEK),
  policyRecord(findingValues, 'E'),
  checkAgain(findingValues),
];

/**
 * Steps that publish a policy in an order that never defers mail: file, record, reports,
 * enforcement.
 */
export const publishPolicy = (findingValues: FindingValues): FixStep[] => {
  const first = lookUpFirst(findingValues);
  // Without a known host there is no policy to write.
  if (findingValues.mx.length === 0) return [...first, checkAgain(findingValues)];
  return [
    ...first,
    servePolicy(findingValues, 'testing'),
    policyRecord(findingValues),
    ...reportingSteps(findingValues),
    ...thenEnforce(findingValues),
  ];
};

/** Steps that leave the policy unchanged, since the policy host may still serve it. */
export const serveAgain = (findingValues: FindingValues): FixStep[] => [
  command('Fetch the policy as a sender does.', `curl -sSi ${policyUrl(findingValues)}`),
  config(
    `If your fetch fails as well, make the DNS and the web server of mta-sts.${findingValues.domain} answer. Leave the policy and its record unchanged.`,
  ),
  checkAgain(findingValues),
];

/**
 * Steps that correct an invalid record and leave the policy unchanged, so that it keeps
 * its mode.
 */
export const correctRecord = (findingValues: FindingValues): FixStep[] => [
  confirm(
    `Make sure that the policy at ${policyUrl(findingValues)} lists every MX host: ${[
      ...findingValues.mx,
      ...findingValues.unseen.map((name) => `${name} (not seen by this check)`),
    ].join(', ')}.`,
  ),
  policyRecord(findingValues),
  checkAgain(findingValues),
];

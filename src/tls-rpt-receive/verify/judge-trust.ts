import { neutralise } from '../../base/index.js';
import { mxPatterns, reportDay, type ReportedPolicy } from '../../tls-rpt/index.js';
import {
  counts,
  type DkimSignature,
  type VerifiedItem,
  type MailEnvelope,
  type ReportItem,
  type TrustReason,
  type TrustVerdict,
} from '../types.js';
import { domainOfAddress, organisationOf, sameOrganisation } from './organisation.js';
import { isDomainName } from './is-domain-name.js';

/**
 * The time of arrival and the operator's domains, by which the content of a report is
 * judged.
 */
export interface TrustJudgeOptions {
  /** The time of arrival in milliseconds since 1970. */
  readonly at: number;
  /**
   * The domains, with their subdomains, for which reports are accepted. Empty: all
   * domains.
   */
  readonly domains?: readonly string[] | undefined;
  /** The MX hosts of these domains, in lower case. With DANE they are policy domains. */
  readonly hosts?: ReadonlySet<string> | undefined;
  /**
   * Number of days after which an arriving report counts as a replay. The limit does not
   * apply to files and trusted mailboxes. Default 60.
   */
  readonly staleDays?: number;
  /** Whether the operator vouches for the mailbox of the mail. */
  readonly trustedMailbox?: boolean | undefined;
}

const day = 86_400_000;

/**
 * Returns a report with its verdict [8460-3-16], the policies that concern the accepted
 * domains [8460-7-5], and the identity of the reporter.
 */
export function judgeTrust(reading: ReportItem, options: TrustJudgeOptions): VerifiedItem {
  const sender = vouchedFor(judgeSender(reading), reading, options);
  const own = ownPolicies(reading, options);
  const content = judgeContent(reading, own, options);
  // A report about another domain never counts, so it need not wait for a later key
  // lookup.
  const isSettled = sender.trust === 'unverifiable' && content?.trust === 'other-domain';
  const byContent = counts(sender.trust) || isSettled ? content : undefined;
  const { trust, detail, reason } = byContent ?? sender;
  // The members are copied one by one, because a spread would take as long as parsing the
  // report.
  const { name, via, peer, mail, part, raw, parsed, fromMailbox } = reading;
  return {
    name,
    via,
    raw,
    parsed,
    peer,
    mail,
    part,
    fromMailbox,
    trust,
    detail,
    reason,
    policies: own,
    reporter: reporterOf(reading, sender),
  };
}

function judgeSender(reading: ReportItem): TrustVerdict {
  const { mail } = reading;
  if (!mail) return judgeBare(reading);
  const claimed = claimsOf(reading, mail);
  const { signatures = [mail.dkim] } = mail.dkim;
  const aligned = signatures.filter(
    ({ signer }) => signer !== undefined && isAligned(signer, claimed),
  );
  const passed = aligned.find(({ result }) => result === 'pass');
  if (passed) return judgeReportMail(reading, mail, passed);
  const pending = aligned.find(({ result }) => result === 'temperror');
  if (pending) return { ...detailOf('unverifiable', pending), reason: 'key-unavailable' };
  // A signature of another domain does not prove the reporter, even if it cannot be
  // verified now.
  const foreign = signatures.find(
    ({ result, signer }) => result === 'pass' || (result === 'temperror' && signer !== undefined),
  );
  if (foreign) return misaligned(foreign, claimed);
  return judgeFailed(aligned[0] ?? mail.dkim);
}

/**
 * The reasons that only mean a missing proof, for example because the DKIM key was
 * withdrawn. The operator's trust does not override other reasons: they show that the
 * mail was changed, or that another organisation sent it.
 */
export const MISSING_PROOF: readonly (TrustReason | undefined)[] = [
  'no-signature',
  'key-absent',
  'key-unavailable',
  'key-unusable',
  'key-testing',
  'signature-expired',
  'signature-weak',
];

/**
 * Returns the verdict `given` if only a proof is missing and the operator trusts the
 * mailbox; otherwise returns `verdict` unchanged.
 */
function vouchedFor(
  verdict: TrustVerdict,
  { mail, part }: ReportItem,
  { trustedMailbox = false }: TrustJudgeOptions,
): TrustVerdict {
  const { detail, reason } = verdict;
  if (!trustedMailbox || !mail || part !== 'report' || !MISSING_PROOF.includes(reason))
    return verdict;
  return { trust: 'given', detail: `trusted mailbox; ${detail}`, reason };
}

/**
 * Returns the verdict on a report that is not in a mail. The operator vouches only for a
 * file on this machine, because any sender can submit a file by SMTP or to a mailbox.
 */
function judgeBare({ via, fromMailbox = false }: ReportItem): TrustVerdict {
  if (via === 'https') return { trust: 'posted', detail: '' };
  if (via === 'file' && !fromMailbox) return { trust: 'given', detail: '' };
  return { trust: 'unsigned', detail: 'not a mail', reason: 'no-signature' };
}

/**
 * Returns the domains that a report names as its author, in From, contact-info and
 * Submitter [8460-5.3-4].
 */
function claimsOf({ parsed }: ReportItem, { from, submitter }: MailEnvelope): readonly string[] {
  const contact = parsed.ok ? domainOfAddress(parsed.value.report.contactInfo) : undefined;
  // Some reporters write the name of their organisation into Submitter.
  const named = submitter !== undefined && isDomainName(submitter) ? submitter : undefined;
  return [from, contact, named].filter((domainName) => domainName !== undefined);
}

function isAligned(signer: string, claimed: readonly string[]): boolean {
  return claimed.every((domainName) => sameOrganisation(domainName, signer));
}

function misaligned({ signer = '' }: DkimSignature, claimed: readonly string[]): TrustVerdict {
  const other = claimed.find((domainName) => !sameOrganisation(domainName, signer)) ?? '';
  const detail = `signed by ${signer}, in the name of ${neutralise(other, 100)}`;
  return { trust: 'misaligned', detail, reason: 'other-signer' };
}

function judgeFailed(signature: DkimSignature): TrustVerdict {
  const { result, detail, reason } = signature;
  if (result === 'none') return { trust: 'unsigned', detail, reason: reason ?? 'no-signature' };
  const trust = result === 'temperror' ? 'unverifiable' : 'broken';
  return { ...detailOf(trust, signature), reason: reason ?? 'key-unavailable' };
}

function detailOf(
  trust: TrustVerdict['trust'],
  { signer = '', detail }: DkimSignature,
): TrustVerdict {
  return { trust, detail: signer === '' ? detail : `${signer}: ${detail}` };
}

/**
 * Returns the verdict on a report in a mail with a valid signature. The signature vouches
 * for the report only if the mail has the form of RFC 8460 §5.3, because large providers
 * also sign mail with text of third parties: invitations, comments, replies with quotes.
 */
function judgeReportMail(
  { part, parsed }: ReportItem,
  { submitter, framed }: MailEnvelope,
  { signer = '', coversStructure }: DkimSignature,
): TrustVerdict {
  const unsigned = (reason: TrustVerdict['reason'], detail: string): TrustVerdict => ({
    trust: 'unsigned',
    detail: `signed by ${signer}, but ${detail}`,
    reason,
  });
  if (part !== 'report')
    return unsigned('no-report-part', 'the report is not in a part of type application/tlsrpt');
  if (coversStructure !== true && !framed)
    return unsigned('structure-unsigned', 'the signature does not cover Content-Type');
  const contact = parsed.ok ? domainOfAddress(parsed.value.report.contactInfo) : undefined;
  if (contact === undefined && (submitter === undefined || !isDomainName(submitter)))
    return unsigned('no-reporter', 'neither contact-info nor TLS-Report-Submitter names a domain');
  return { trust: 'signed', detail: signer };
}

function judgeContent(
  { via, parsed }: ReportItem,
  own: readonly ReportedPolicy[],
  { at, staleDays = 60, trustedMailbox = false }: TrustJudgeOptions,
): TrustVerdict | undefined {
  if (!parsed.ok) return undefined;
  const { report: tlsReport } = parsed.value;
  const [foreign] = tlsReport.policies;
  if (foreign && own.length === 0)
    return { trust: 'other-domain', detail: neutralise(foreign.policyDomain ?? '', 100) };
  const about = reportDay(tlsReport);
  if (about === undefined) return undefined;
  if (about > at + day) return { trust: 'future', detail: tlsReport.startDatetime ?? '' };
  return via !== 'file' && !trustedMailbox && about < at - staleDays * day
    ? { trust: 'stale', detail: tlsReport.startDatetime ?? '' }
    : undefined;
}

/**
 * Returns the policies of a report that concern the accepted domains [8460-7-5]: the
 * policies of the domains, of their known MX hosts, and of hosts that a policy of such a
 * domain in the same report names. With DANE the policy domain is the MX host (RFC 8460
 * §4.4). All DANE policies concern the accepted domains if the mail names such a domain,
 * or if all other policies are about such domains.
 */
function ownPolicies(
  { mail, parsed }: ReportItem,
  { domains = [], hosts }: TrustJudgeOptions,
): readonly ReportedPolicy[] {
  const policies = parsed.ok ? parsed.value.report.policies : [];
  if (domains.length === 0) return policies;
  const isWanted = (domainName: string): boolean =>
    domains.some((own) => domainName === own || domainName.endsWith(`.${own}`));
  const isOwn = ({ policyDomain }: ReportedPolicy): boolean =>
    policyDomain === undefined || isWanted(policyDomain) || hosts?.has(policyDomain) === true;
  if (policies.every(isOwn)) return policies;
  const patterns = policies
    .filter(isOwn)
    .flatMap((policy) => [
      ...policy.mxHost,
      ...mxPatterns(policy.policyString),
      ...policy.failureDetails.flatMap((details) => details.receivingMxHostname ?? []),
    ]);
  const named = new Set(patterns);
  const recipients = policies.filter(({ policyType }) => policyType !== 'tlsa');
  const isNamed = recipients.some(({ policyDomain }) => policyDomain !== undefined);
  const isOnlyOwn = isNamed && recipients.every(isOwn);
  const aboutOwn = isOnlyOwn || (mail?.domain !== undefined && isWanted(mail.domain.toLowerCase()));
  return policies.filter((reportedPolicy) => {
    const { policyDomain: hostName = '', policyType } = reportedPolicy;
    if (isOwn(reportedPolicy)) return true;
    if (policyType !== 'tlsa') return false;
    return (
      aboutOwn || named.has(hostName) || named.has(`*${hostName.slice(hostName.indexOf('.'))}`)
    );
  });
}

function reporterOf(reading: ReportItem, { trust, detail }: TrustVerdict): string {
  const { mail, parsed, peer, name } = reading;
  const tlsReport = parsed.ok ? parsed.value.report : undefined;
  // The detail of a signed report is the domain of the signer. The name in any other
  // report is not proved.
  const domainName =
    trust === 'signed' ? detail : (domainOfAddress(tlsReport?.contactInfo) ?? mail?.from);
  const own = domainName === undefined ? undefined : organisationOf(domainName);
  return (
    own ?? neutralise(tlsReport?.organizationName?.toLowerCase() ?? domainName ?? peer ?? name, 200)
  );
}

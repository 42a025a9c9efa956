import type { CheckResult, Finding } from '../../evidence/index.js';
import { resultTypes } from '../../tls-rpt/index.js';
import { dayOfCheck, NOT_DESCRIBED } from './facts.js';
import type { FailureGroup } from './group-failures.js';

/**
 * The kind of a failure, which groups result types. Reporters confuse result types of one
 * kind, but rarely result types of different kinds.
 */
export type FailureKind = 'starttls' | 'certificate' | 'dnssec' | 'policy-file' | 'any';

const kinds: Readonly<Record<string, FailureKind>> = {
  'starttls-not-supported': 'starttls',
  'certificate-host-mismatch': 'certificate',
  'certificate-expired': 'certificate',
  'certificate-not-trusted': 'certificate',
  'tlsa-invalid': 'certificate',
  'dane-required': 'certificate',
  'dnssec-invalid': 'dnssec',
  'sts-policy-fetch-error': 'policy-file',
  'sts-policy-invalid': 'policy-file',
  'sts-webpki-invalid': 'policy-file',
};

/**
 * Returns the kind of a result type; `any` for `validation-failure`, and for unknown and
 * missing types.
 */
export function kindOf(result: string): FailureKind {
  return kinds[result] ?? 'any';
}

/**
 * Returns whether a failure may be a failed policy fetch: the reporter does not describe
 * the failure, or names neither a registered result type nor a host. Senders do not defer
 * mail because of such a failure.
 */
export function mayBeFetch({
  result,
  mx,
}: {
  readonly result: string;
  readonly mx: string;
}): boolean {
  if (result === NOT_DESCRIBED) return true;
  return mx === '' && !(resultTypes as readonly string[]).includes(result);
}

const starttls = [
  'starttls-absent',
  'starttls-mangled',
  'starttls-refused',
  'starttls-promised',
  'starttls-differs',
];
const dane = ['dane-mismatch', 'dane-unusable', 'dane-bogus'];
const pkix = [
  'cert-self-signed',
  'cert-unknown-ca',
  'cert-chain-incomplete',
  'cert-expired',
  'cert-not-yet-valid',
  'cert-name-mismatch',
];
const mxInPolicy = ['sts-mx-mismatch', 'sts-no-mx-matches'];
const dnssec = ['dnssec-bogus', 'dane-bogus'];
const policyFile = [
  'sts-policy-unreachable',
  'sts-policy-redirect',
  'sts-policy-wrong-type',
  'sts-policy-webpki-invalid',
  'sts-policy-invalid',
  'sts-record-invalid',
  'sts-record-multiple',
];
const handshake = ['tls-handshake-failed'];

/**
 * Returns the ids of the findings of `hermetic check` that show the fault of a reported
 * failure. The policy type decides what a sender validates: the TLSA records under `tlsa`
 * (RFC 7672 §3), name and chain under `sts` (RFC 8461 §4.2), nothing without a policy.
 * The result type alone is not conclusive: senders report a TLSA mismatch as
 * `certificate-not-trusted` or `validation-failure` too.
 */
export function findingsFor(type: string, result: string): readonly string[] {
  const certificate = validatedUnder(type);
  const failureKind = kindOf(result);
  if (failureKind === 'starttls') return starttls;
  if (result === 'dane-required') return [...dane, 'dane-inert', 'dane-partial'];
  if (failureKind === 'certificate') return [...certificate, ...handshake];
  if (failureKind === 'dnssec') return dnssec;
  if (failureKind === 'policy-file') return policyFile;
  // A failure without a result type may be a missing STARTTLS. A failure with another
  // result type cannot be one.
  if (result === NOT_DESCRIBED)
    return [...certificate, ...handshake, ...starttls, ...(type === 'sts' ? policyFile : [])];
  return [...certificate, ...handshake, ...(type === 'sts' ? policyFile : starttls)];
}

/**
 * The findings, by result type, that show exactly the fault that the result type names.
 */
const namedFindings: Readonly<Record<string, readonly string[]>> = {
  'starttls-not-supported': starttls,
  'certificate-expired': ['cert-expired', 'cert-not-yet-valid'],
  'certificate-host-mismatch': ['cert-name-mismatch', ...mxInPolicy],
  'certificate-not-trusted': ['cert-self-signed', 'cert-unknown-ca', 'cert-chain-incomplete'],
  'tlsa-invalid': dane,
  'dnssec-invalid': dnssec,
  'sts-policy-fetch-error': policyFile,
  'sts-policy-invalid': policyFile,
  'sts-webpki-invalid': policyFile,
};

/**
 * Returns whether a result type names exactly the fault of a finding, and not a wider
 * kind of fault.
 */
export function namesFinding(result: string, finding: string): boolean {
  return namedFindings[result]?.includes(finding) === true;
}

function validatedUnder(type: string): readonly string[] {
  if (type === 'tlsa') return [...dane, ...dnssec];
  return type === 'sts' ? [...pkix, ...mxInPolicy] : [];
}

/** A finding, and the check that produced it. */
export interface SeenFinding {
  readonly check: CheckResult;
  readonly finding: Finding;
}

/**
 * Returns the first finding that shows the fault of a group, from the checks on the days
 * of the failures or up to two days later.
 */
export function findingOf(
  failureGroup: FailureGroup,
  checks: readonly CheckResult[],
): SeenFinding | undefined {
  for (const check of near(failureGroup, checks))
    for (const finding of check.findings)
      if (shows(finding, failureGroup, check)) return { check, finding };
  return undefined;
}

/**
 * Returns the first check, on the days of the failures or up to two days later, that
 * examined every host and policy of the group and found no fault of any kind at the
 * hosts. A check that could not reach an address or fetch the policy proves nothing.
 */
export function cleanCheck(
  failureGroup: FailureGroup,
  checks: readonly CheckResult[],
): CheckResult | undefined {
  return near(failureGroup, checks).find((check) => isClean(check, failureGroup));
}

function near({ firstDay, lastDay }: FailureGroup, checks: readonly CheckResult[]): CheckResult[] {
  return checks.filter(
    (check) => dayOfCheck(check) >= firstDay && dayOfCheck(check) <= lastDay + 2,
  );
}

function isClean(check: CheckResult, failureGroup: FailureGroup): boolean {
  const { mx, type, result } = failureGroup;
  const failureKind = kindOf(result);
  const aboutPolicy = failureKind === 'policy-file' || (failureKind === 'any' && type === 'sts');
  if (aboutPolicy && check.mtaSts.status !== 'found') return false;
  const mailHosts = check.hosts.filter((mailHost) => mx === '' || mailHost.name === mx);
  const looked = mailHosts.every(
    (mailHost) =>
      mailHost.addresses.length > 0 &&
      mailHost.addresses.every(
        (address) => address.status === 'reachable' && address.starttls === 'offered',
      ),
  );
  if (failureKind !== 'policy-file' && (mailHosts.length === 0 || !looked)) return false;
  const names = new Set(failureKind === 'policy-file' ? [] : mailHosts.map(({ name }) => name));
  return !check.findings.some(
    (finding) =>
      shows(finding, failureGroup, check) ||
      (isFault(finding) && names.has(hostOf(finding.subject))),
  );
}

function isFault({ severity }: Finding): boolean {
  return severity === 'fail' || severity === 'warn';
}

function shows(finding: Finding, failureGroup: FailureGroup, check: CheckResult): boolean {
  const { type, result, mx, domain } = failureGroup;
  const ids = findingsFor(type, result);
  if (!isFault(finding) || !ids.includes(finding.id)) return false;
  const name = hostOf(finding.subject);
  if (mx !== '' && name !== mx && name !== domain) return false;
  return !namesOtherAddress(finding, failureGroup) || isEverywhere(ids, name, failureGroup, check);
}

/**
 * Returns whether a finding is about one address, and the reports name only other
 * addresses.
 */
export function namesOtherAddress({ subject }: Finding, { ips }: FailureGroup): boolean {
  const address = addressOf(subject);
  return address !== undefined && ips.length > 0 && !ips.includes(address);
}

/**
 * Returns whether a check found the fault at all addresses of a host, and examined none
 * of the addresses in the reports: addresses change, and a reporter may resolve other
 * addresses. A fault at one address does not explain failures at another address that the
 * check examined.
 */
function isEverywhere(
  ids: readonly string[],
  hostName: string,
  { ips }: FailureGroup,
  { hosts, findings }: CheckResult,
): boolean {
  const known = hosts.find(({ name }) => name === hostName)?.addresses.map(({ ip }) => ip) ?? [];
  const faulty = findings
    .filter((finding) => isFault(finding) && ids.includes(finding.id))
    .flatMap(({ subject }) => (hostOf(subject) === hostName ? (addressOf(subject) ?? []) : []));
  return !known.some((ip) => ips.includes(ip)) && known.every((ip) => faulty.includes(ip));
}

/** Returns the address in the subject `host [ip]` of a finding. */
function addressOf(subject: string): string | undefined {
  return /\[([^\]]+)\]$/.exec(subject)?.[1];
}

/**
 * Returns the name in the subject of a finding. The subject is a domain, a host, or
 * `host [ip]`.
 */
function hostOf(subject: string): string {
  return subject.split(' ')[0] ?? '';
}

/**
 * Returns the MX hosts that checks found for the domain; undefined if no check found an
 * MX host.
 */
export function checkedHosts(checks: readonly CheckResult[]): ReadonlySet<string> | undefined {
  const hostNames = checks.flatMap((check) => check.hosts.map((mailHost) => mailHost.name));
  return hostNames.length === 0 ? undefined : new Set(hostNames);
}

import { countOf, formatTime } from '../../base/index.js';
import type { FailureEvidence } from '../../evidence/index.js';
import { parseCertificate } from '../../x509/index.js';
import { isNearExpiry } from './certificate-rules.js';
import { resolverAtFault } from './exposure.js';
import { ownFailures, ownValidationFailures } from '../own-failures.js';
import { policyFindingOf } from './policy-finding.js';
import { isUnroutable, takesMail, type JudgedHost } from './judge-host.js';
import type { FindingCollector } from './finding-collector.js';
import {
  discardedRules,
  explainRptRecord,
  failureWords,
  hostAdvice,
  lintRules,
  misplacedRules,
  otherRecords,
  proofWords,
  recordReason,
} from './record-rules.js';

/**
 * Raises findings on the route: whether the domain has one, and the reason why this check
 * could not observe it. Faults of the resolver suppress DNSSEC findings on the domain,
 * which would blame the wrong party.
 */
export function routeRules(raised: FindingCollector): void {
  const { route, network } = raised.evidence;
  const strips = resolverAtFault(raised.evidence);
  if (strips) raised.add('resolver-no-dnssec', { detail: network.resolver[0]?.state ?? '' });
  if (route.status === 'nxdomain')
    raised.add(
      'domain-nonexistent',
      route.dnssec === 'indeterminate' ? { detail: 'unproved' } : {},
    );
  // The kinds of route exclude each other, and a domain that does not exist needs no
  // further finding.
  else if (route.kind === 'none') raised.add('no-mail');
  else if (route.kind === 'null-mx') raised.add('null-mx');
  else if (route.kind === 'implicit') raised.add('implicit-mx');
  if (route.besideNullMx) raised.add('null-mx-beside'); // [7505-3-1]
  // The test for a bogus answer comes before the test for a failed lookup: a validating
  // resolver reports both as SERVFAIL, and only `dnssec-bogus` names the cause.
  if (route.dnssec === 'bogus') raised.add('dnssec-bogus', { reason: proofWords(route.failure) });
  else if (ownValidationFailures.has(route.failure?.code ?? ''))
    raised.add('own-validation-fails', { reason: proofWords(route.failure) });
  else if (route.kind === 'error')
    raised.add('mx-lookup-failed', { detail: failureWords(route.failure) ?? '' });
  else if (route.dnssec === 'indeterminate' && !strips)
    raised.add('dnssec-indeterminate', { detail: failureWords(route.failure) ?? '' });
  if (network.port25 === 'blocked') raised.add('port-25-blocked');
  if (network.ipv6 === 'unavailable') raised.add('no-ipv6');
}

/**
 * Reports a certificate of the policy host that expires soon. After the expiry, no sender
 * can fetch the policy (RFC 8461 §3.3), and senders without a cached policy send without
 * protection.
 */
function policyHostRules(raised: FindingCollector): void {
  const { evidence, profile } = raised;
  const { policyHost, policyAddresses } = evidence.mtaSts;
  const shown = policyAddresses ?? (policyHost ? [policyHost] : []);
  const ends = shown.flatMap(({ address, chain = [] }) => {
    const parsed = parseCertificate(Buffer.from(chain[0] ?? '', 'base64'));
    return parsed.ok ? [{ address, certificate: parsed.value }] : [];
  });
  const near = ends
    .filter(({ certificate }) =>
      isNearExpiry(certificate, Date.parse(evidence.collectedAt), profile),
    )
    .sort((left, right) => left.certificate.notAfter - right.certificate.notAfter);
  const [first] = near;
  if (!first) return;
  const date = formatTime(first.certificate.notAfter).slice(0, 10);
  const where = near.map(({ address }) => address).join(', ');
  const detail = near.length < ends.length ? `${date} at ${where}` : date;
  raised.add('sts-policy-cert-near-expiry', { detail });
}

/**
 * Raises findings on MTA-STS and TLS-RPT. `dane` states whether DANE protects every host.
 */
export function policyRules(raised: FindingCollector, dane: boolean): void {
  const { mtaSts, tlsRpt, route } = raised.evidence;
  const mode = mtaSts.status === 'found' ? mtaSts.policy?.mode : undefined;
  if (mtaSts.status === 'invalid' || mtaSts.status === 'tempfail') {
    const first = mtaSts.problems[0];
    const words = failureWords(first);
    if (mtaSts.txt.lookup === 'failed') raised.add('sts-lookup-failed', { reason: words });
    else if (ownFailures.has(first?.code ?? ''))
      raised.add('sts-policy-not-fetched', { reason: words });
    else
      raised.add(first ? policyFindingOf(first.code) : 'sts-policy-unreachable', {
        detail: words ?? '',
        reason: first && reasonOf(first, mtaSts.txt.texts),
        advice: first && hostAdvice(first, raised.evidence.domain),
        temporary: mtaSts.status === 'tempfail',
      });
  }
  // Discarded records that were meant for MTA-STS come first: if one exists, "publish a
  // policy" would be the wrong advice.
  const corrected = discardedRules(raised);
  misplacedRules(raised);
  lintRules(raised);
  if (mode === 'enforce' || mode === 'testing') matchRules(raised, mode);
  if (mode === 'testing') raised.add('sts-mode-testing');
  if (mode === 'none') raised.add('sts-mode-none');
  if (mode && mode !== 'none' && (mtaSts.policy?.maxAge ?? 0) < raised.profile.maxAge)
    raised.add('sts-max-age-short', { detail: countOf(mtaSts.policy?.maxAge ?? 0, 'second') });
  if (mode) policyHostRules(raised);
  if (mode === 'enforce' && raised.hosts.length > 0 && raised.hosts.every(satisfiesPolicy))
    raised.add('sts-good');

  // Without a host that accepts mail there is no mail to protect.
  if (mode === undefined && mtaSts.status === 'absent' && !corrected && raised.hosts.length > 0) {
    const reason = otherRecords(mtaSts.txt.texts, '_mta-sts', 'STSv1');
    if (dane || isDaneOpen(raised)) raised.add('sts-absent', { reason });
    // Each of these findings already contains the steps to enforcement, and a second
    // finding would contradict the steps.
    else if (!couldBeDane(raised) && !raised.has('dane-inert', 'dane-unusable', 'dane-partial')) {
      const hosted =
        route.dnssec === 'insecure' &&
        raised.hosts.some((judgedHost) => judgedHost.evidence.tlsa.status === 'usable');
      raised.add(
        'no-enforcement',
        hosted
          ? {
              reason,
              detail: 'the hosts have TLSA records, and the MX record is unsigned',
            }
          : { reason },
      );
    }
  }
  // A missing record is a warning only under an enforced policy, under which senders can
  // defer mail for weeks unnoticed.
  const mechanisms = [mode === 'enforce' ? ('enforce' as const) : ('none' as const)];
  if (tlsRpt.status === 'absent' && !raised.has('tlsrpt-ignored'))
    raised.add('tlsrpt-absent', {
      mechanisms,
      reason: otherRecords(tlsRpt.txt.texts, '_smtp._tls', 'TLSRPTv1'),
    });
  if (tlsRpt.status === 'tempfail')
    raised.add('tlsrpt-lookup-failed', { reason: failureWords(tlsRpt.problems[0]) });
  if (tlsRpt.status === 'invalid')
    raised.add('tlsrpt-invalid', {
      detail: failureWords(tlsRpt.problems[0]) ?? '',
      reason: tlsRpt.problems[0] && reasonOf(tlsRpt.problems[0], tlsRpt.txt.texts),
    });
}

/**
 * Returns the value at fault: the text of a record, otherwise the detail of the failure.
 */
function reasonOf({ code, detail }: FailureEvidence, texts: readonly string[]): string {
  const own = texts.filter((recordText) => /^v=(STS|TLSRPT)v1/.test(recordText));
  if (/^rpt-/.test(code)) return recordReason(own, explainRptRecord(code, own) ?? (detail || code));
  if (/^sts-record/.test(code)) return recordReason(own, detail || code);
  if (code === 'sts-policy-host-missing') return `${detail} has no address`;
  return detail || code;
}

/**
 * Returns true if a host has usable TLSA records, and the DNSSEC state of the host or the
 * route is unknown: DANE may apply.
 */
function isDaneOpen({ hosts, evidence: { route } }: FindingCollector): boolean {
  return hosts.some(
    ({ evidence: { dnssec, tlsa } }) =>
      tlsa.status === 'usable' && [dnssec, route.dnssec].includes('indeterminate'),
  );
}

/**
 * Returns whether the domain may use DANE. A TLSA lookup that failed does not show that
 * no record exists (RFC 7672 §2.1.2).
 */
function couldBeDane({ hosts }: FindingCollector): boolean {
  return hosts.some(
    ({ evidence: { tlsa } }) => tlsa.status === 'bogus' || tlsa.status === 'tempfail',
  );
}

/**
 * Compares every MX host with the policy. Hosts behind an alias are omitted if the alias
 * is the cause. If no host matches, one finding replaces the findings on each host. A
 * host whose address lookup failed is omitted: it may not exist, and the policy must not
 * name it.
 */
function matchRules(raised: FindingCollector, mode: 'enforce' | 'testing'): void {
  const missing = raised.hosts.filter(
    ({ evidence, summary }) =>
      summary.mtaStsMatch === 'mismatch' &&
      evidence.addressLookup.status !== 'failed' &&
      !isUnroutable(evidence) &&
      !raised.aliases.has(evidence.name),
  );
  if (missing.length > 0 && missing.length === raised.hosts.length)
    raised.add('sts-no-mx-matches', {
      mechanisms: [mode],
      reason:
        missing.map(({ evidence }) => nearPattern(raised, evidence.name)).find(Boolean) ??
        listedInstead(raised, missing),
    });
  else
    for (const { evidence } of missing)
      raised.add('sts-mx-mismatch', {
        host: evidence.name,
        mechanisms: [mode],
        reason: nearPattern(raised, evidence.name),
      });
}

/**
 * Explains a pattern that was probably meant for a host: `*.` matches exactly one label
 * (RFC 8461 §4.1 [8461-4.1-1]).
 */
function nearPattern({ evidence }: FindingCollector, host: string): string | undefined {
  const pattern = evidence.mtaSts.policy?.mx.find(
    (text) => text.startsWith('*.') && `.${host}`.endsWith(text.slice(1)),
  );
  return pattern && `"mx: ${pattern}" does not match ${host}: *. stands for exactly one label`;
}

/**
 * Returns a text that names up to three patterns of the policy and up to three MX hosts.
 */
function listedInstead(
  { evidence }: FindingCollector,
  missing: readonly JudgedHost[],
): string | undefined {
  const first = (names: readonly string[]): string => names.slice(0, 3).join(', ');
  const listed = first(evidence.mtaSts.policy?.mx ?? []);
  const named = first(missing.map((judgedHost) => judgedHost.evidence.name));
  return `the policy lists ${listed}; the MX records name ${named}`;
}

/**
 * Returns true when a sender that applies the policy could deliver to the host: the
 * policy lists the host, sessions work inside TLS, and every certificate is valid for the
 * host name (RFC 8461 §4.1, §4.2).
 */
function satisfiesPolicy(judgedHost: JudgedHost): boolean {
  const seen = judgedHost.addresses.flatMap((address) => address.certificates);
  if (!takesMail(judgedHost)) return false;
  return (
    judgedHost.summary.mtaStsMatch === 'match' &&
    seen.length > 0 &&
    seen.every((certificate) => certificate.pkix === 'yes')
  );
}

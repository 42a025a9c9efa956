import { clip, formatTime } from '../../base/index.js';
import type { FailureEvidence, HostEvidence } from '../../evidence/index.js';
import { parseCertificate } from '../../x509/index.js';
import { isNearExpiry } from './certificate-rules.js';
import { resolverAtFault } from './exposure.js';
import { ownFailures } from '../own-failures.js';
import { policyFindingOf } from './policy-finding.js';
import type { JudgedHost } from './judge-host.js';
import type { FindingCollector } from './finding-collector.js';
import { explainUnusable, parseTlsa } from '../../dane/index.js';
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
  shortRecord,
} from './record-rules.js';

/**
 * Raises findings on the route: whether there is one, and the reason why this check could
 * not observe it. Faults of the resolver suppress DNSSEC findings on the domain, which
 * would blame the wrong party.
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
  // The kinds of route exclude each other; a name that does not exist explains all of them.
  else if (route.kind === 'none') raised.add('no-mail');
  else if (route.kind === 'null-mx') raised.add('null-mx');
  else if (route.kind === 'implicit') raised.add('implicit-mx');
  if (route.besideNullMx) raised.add('null-mx-beside'); // [7505-3-1]
  // Bogus before a failed lookup: a validating resolver reports both as SERVFAIL, and
  // only one names the cause.
  if (route.dnssec === 'bogus') raised.add('dnssec-bogus', { reason: proofWords(route.failure) });
  else if (route.kind === 'error')
    raised.add('mx-lookup-failed', { detail: failureWords(route.failure) ?? '' });
  else if (route.dnssec === 'indeterminate' && !strips)
    raised.add('dnssec-indeterminate', { detail: failureWords(route.failure) ?? '' });
  if (network.port25 === 'blocked') raised.add('port-25-blocked');
  if (network.ipv6 === 'unavailable') raised.add('no-ipv6');
}

/**
 * Raises findings on DANE. True when DANE binds every host: the MX record is secure and
 * each host has usable TLSA records (RFC 7672 §2.2.1). One unprotected host is enough for
 * an attacker, who blocks the others.
 */
export function daneRules(raised: FindingCollector): boolean {
  const { hosts: judgedHosts, evidence } = raised;
  const strips = resolverAtFault(evidence);
  for (const judged of judgedHosts) {
    const { evidence: host } = judged;
    const subject = { host: host.name };
    // One cause, one finding: a bogus zone also fails the TLSA lookup, so later
    // conditions apply only if earlier ones do not.
    if (host.dnssec === 'bogus')
      raised.add('dnssec-bogus', {
        ...subject,
        reason: proofWords(host.addressLookup.failure),
      });
    else if (
      host.dnssec === 'indeterminate' &&
      evidence.route.dnssec !== 'indeterminate' &&
      !strips
    )
      raised.add('dnssec-indeterminate', {
        ...subject,
        reason: failureWords(host.addressLookup.failure),
      });
    else if (host.tlsa.status === 'bogus')
      raised.add('dane-bogus', { ...subject, reason: proofWords(host.tlsa.failure) });
    else if (host.tlsa.status === 'tempfail' && !(strips && host.tlsa.dnssec === 'indeterminate'))
      raised.add('dane-tempfail', { ...subject, reason: failureWords(host.tlsa.failure) });
    if (host.addressLookup.status === 'found' && host.addressLookup.failure)
      raised.add('address-family-failed', {
        ...subject,
        reason: failureWords(host.addressLookup.failure),
      });
    if (host.tlsa.status === 'unusable')
      raised.add('dane-unusable', {
        ...subject,
        spkiSha256: keyOf(raised, host.name),
        reason: unusableReason(host.tlsa.records),
      });
    if (host.tlsa.status === 'insecure') {
      const retired = host.unsupported;
      const detail = retired ? `${retired.zone}: ${retired.algorithms.join(', ')}` : '';
      // Behind secure addresses, only the alias leaves the signed part of the tree.
      const alias = host.dnssec === 'secure' ? host.tlsa.alias : undefined;
      const reason = alias && `_25._tcp.${host.tlsa.base} is an alias of ${alias}`;
      raised.add('dane-inert', { ...subject, detail, tlsaAlias: alias, reason });
    }
    if (host.tlsa.status === 'absent' && host.tlsa.alias !== undefined && !host.alias)
      raised.add('dane-alias-dangling', {
        ...subject,
        tlsaAlias: host.tlsa.alias,
        reason: `_25._tcp.${host.tlsa.base} leads to ${host.tlsa.alias}, which has no TLSA record`,
      });
    const { elsewhere } = host.tlsa;
    if (elsewhere)
      raised.add('dane-misplaced', {
        ...subject,
        spkiSha256: keyOf(raised, host.name),
        reason: elsewhere
          .slice(0, 3)
          .map((line) => clip(line, 100))
          .join('; '),
      });
    rolloverRules(raised, judged);
    if (host.alias) aliasRule(raised, judged, host.alias.canonicalName);
  }
  // From here on: the domain as a whole, since protection is that of the weakest host.
  const bound = judgedHosts.filter((judgedHost) => judgedHost.evidence.tlsa.status === 'usable');
  const certificates = bound.flatMap((judgedHost) =>
    judgedHost.addresses.flatMap((address) => address.certificates),
  );
  const inForce =
    bound.length > 0 && bound.length === judgedHosts.length && evidence.route.dnssec === 'secure';
  if (
    bound.length > 0 &&
    bound.length < judgedHosts.length &&
    evidence.mtaSts.policy?.mode !== 'enforce'
  ) {
    const others = judgedHosts
      .filter((judgedHost) => judgedHost.evidence.tlsa.status === 'absent')
      .map((judgedHost) => judgedHost.evidence.name);
    if (others.length > 0) raised.add('dane-partial', { detail: others.join(', ') });
  }
  if (raised.profile.requiresDane && !inForce)
    raised.add('dane-required', { mechanisms: [evidence.mtaSts.policy?.mode ?? 'none'] });
  const allMatch =
    certificates.length > 0 &&
    certificates.every((certificate) => certificate.summary.dane === 'match');
  if (inForce && allMatch && bound.every(takesMail)) raised.add('dane-good');
  return inForce;
}

/**
 * Explains for the first three records why DANE for mail does not use them (RFC 7672
 * §3.1.3).
 */
function unusableReason(records: readonly string[]): string {
  return records
    .flatMap((recordText) => {
      const record = parseTlsa(recordText);
      const explanation = record ? explainUnusable(record) : 'it has no data';
      if (explanation === undefined) return [];
      return [`TLSA ${shortRecord(recordText)}: ${explanation}`];
    })
    .slice(0, 3)
    .join('; ');
}

/**
 * Raises an alias. An alias that other faults rest on is graded as they would be (RFC
 * 8461 §4.1): it fails if the policy is enforced, since senders defer.
 */
function aliasRule(
  raised: FindingCollector,
  { evidence: { name, preference } }: JudgedHost,
  target: string,
): void {
  const aliasCause = raised.aliases.get(name);
  const subject = { host: name, preference };
  if (!aliasCause) return raised.add('mx-is-cname', { ...subject, detail: target });
  const mode = raised.evidence.mtaSts.policy?.mode === 'enforce' ? 'enforce' : 'testing';
  raised.add('mx-is-cname', {
    ...subject,
    meant: aliasCause.meant,
    detail: aliasCause.message,
    mechanisms: [mode],
  });
}

/**
 * Raises whether the next key is prepared, and which records hinder it. Idle records are
 * raised only while a current record exists: without one, `dane-mismatch` gives the
 * steps.
 */
function rolloverRules(
  raised: FindingCollector,
  { evidence, summary: { tlsa } }: JudgedHost,
): void {
  if (tlsa.status !== 'usable' || !tlsa.roles) return;
  const subject = { host: evidence.name };
  if (tlsa.rollover === 'ready') raised.add('dane-rollover-good', subject);
  const idle = tlsa.records.filter((_, index) =>
    ['duplicate', 'unrelated', 'stale', 'unusable'].includes(tlsa.roles?.[index] ?? ''),
  );
  if (idle.length > 0 && tlsa.roles.includes('current'))
    raised.add('dane-leftover', {
      ...subject,
      detail: idle.map(shortRecord).join(', '),
      reason: unusableReason(idle) || undefined,
    });
}

/**
 * Raises a certificate of the policy host that ends soon. After its end no sender can
 * fetch the policy (RFC 8461 §3.3), and those without a cached one send without
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
 * Raises findings on MTA-STS and TLS-RPT. `dane` states whether DANE binds every host.
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
  // Records that were meant for MTA-STS come first: with one of them, "publish a policy"
  // would be the wrong advice.
  const corrected = discardedRules(raised);
  misplacedRules(raised);
  lintRules(raised);
  if (mode === 'enforce' || mode === 'testing') matchRules(raised, mode);
  if (mode === 'testing') raised.add('sts-mode-testing');
  if (mode === 'none') raised.add('sts-mode-none');
  if (mode && mode !== 'none' && (mtaSts.policy?.maxAge ?? 0) < raised.profile.maxAge)
    raised.add('sts-max-age-short', { detail: `${mtaSts.policy?.maxAge ?? 0} seconds` });
  if (mode) policyHostRules(raised);
  if (mode === 'enforce' && raised.hosts.length > 0 && raised.hosts.every(satisfiesPolicy))
    raised.add('sts-good');

  // Without a host that takes mail there is nothing to protect yet.
  if (mode === undefined && mtaSts.status === 'absent' && !corrected && raised.hosts.length > 0) {
    const reason = otherRecords(mtaSts.txt.texts, '_mta-sts', 'STSv1');
    if (dane || isDaneOpen(raised)) raised.add('sts-absent', { reason });
    // Each of these findings already names the way to enforcement; a second one would
    // contradict it.
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
  // Without reports an enforced policy can defer mail for weeks without a sign, so only
  // then a missing record is a warning.
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

/** The value at fault: of a record its text, otherwise the detail of the failure. */
function reasonOf({ code, detail }: FailureEvidence, texts: readonly string[]): string {
  const own = texts.filter((recordText) => /^v=(STS|TLSRPT)v1/.test(recordText));
  if (/^rpt-/.test(code)) return recordReason(own, explainRptRecord(code, own) ?? (detail || code));
  if (/^sts-record/.test(code)) return recordReason(own, detail || code);
  if (code === 'sts-policy-host-missing') return `${detail} has no address`;
  return detail || code;
}

/** Whether DANE binds senders is open: usable records, below names of unknown security. */
function isDaneOpen({ hosts, evidence: { route } }: FindingCollector): boolean {
  return hosts.some(
    ({ evidence: { dnssec, tlsa } }) =>
      tlsa.status === 'usable' && [dnssec, route.dnssec].includes('indeterminate'),
  );
}

/** A TLSA lookup that failed does not show that no record exists (RFC 7672 §2.1.2). */
function couldBeDane({ hosts }: FindingCollector): boolean {
  return hosts.some(
    ({ evidence: { tlsa } }) => tlsa.status === 'bogus' || tlsa.status === 'tempfail',
  );
}

/**
 * Compares every MX host with the policy. Hosts behind an alias are omitted if the
 * alias is the cause, and one finding replaces one per host if no host matches. A host
 * without any address lookup may not exist, and the policy must not come to name it.
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

/** No sender reaches the host, so the policy decides nothing about it (RFC 6890 §2.2). */
function isUnroutable({ addresses }: HostEvidence): boolean {
  return addresses.length > 0 && addresses.every(({ reason }) => reason === 'net-guarded');
}

/**
 * Explains a pattern that was probably meant for a host: `*.` matches one label, neither
 * none nor two (RFC 8461 §4.1 [8461-4.1-1]).
 */
function nearPattern({ evidence }: FindingCollector, host: string): string | undefined {
  const pattern = evidence.mtaSts.policy?.mx.find(
    (text) => text.startsWith('*.') && `.${host}`.endsWith(text.slice(1)),
  );
  return pattern && `"mx: ${pattern}" does not match ${host}: *. stands for exactly one label`;
}

/** The names of the policy next to those of the MX records; at most three of each. */
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
 * Returns true when a sender that applies the policy could deliver to the host: listed,
 * working inside TLS, and every certificate valid for the host name (RFC 8461 §4.1,
 * §4.2).
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

/**
 * Returns true when no address of the host failed before or inside TLS. A finding of
 * severity `good` claims that mail arrives, which a handshake alone does not show.
 */
function takesMail({ addresses }: JudgedHost): boolean {
  return addresses.every(
    ({ summary, certificates, insideTls, intermittent, strictTls }) =>
      summary.status !== 'reachable' ||
      (certificates.length > 0 &&
        !intermittent &&
        (strictTls ?? 'works') === 'works' &&
        (insideTls ?? 'works') === 'works'),
  );
}

/**
 * SHA-256 of the key seen on the host, lower-case hex, for the record in the steps; empty
 * if no certificate was seen.
 */
function keyOf(raised: FindingCollector, name: string): string {
  const judgedHost = raised.hosts.find((host) => host.evidence.name === name);
  return (
    judgedHost?.addresses.flatMap((address) => address.certificates)[0]?.summary.spkiSha256 ?? ''
  );
}

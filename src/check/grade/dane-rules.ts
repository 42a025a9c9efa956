import { clip } from '../../base/index.js';
import { explainUnusable, parseTlsa } from '../../dane/index.js';
import type { HostEvidence } from '../../evidence/index.js';
import { resolverAtFault } from './exposure.js';
import type { FindingCollector } from './finding-collector.js';
import { isUnroutable, takesMail, type JudgedHost } from './judge-host.js';
import { failureWords, proofWords, shortRecord } from './record-rules.js';

/**
 * Raises findings on DANE. Returns true if DANE protects every host: the MX record is
 * secure and each host has usable TLSA records (RFC 7672 §2.2.1). One unprotected host is
 * sufficient for an attacker, who can block the connections to the others.
 */
export function daneRules(raised: FindingCollector): boolean {
  const { hosts, evidence } = raised;
  for (const judged of hosts) {
    lookupRules(raised, judged.evidence);
    recordRules(raised, judged.evidence);
    rolloverRules(raised, judged);
    const { alias } = judged.evidence;
    // The MX record must not name a target that no sender reaches.
    if (alias && !isUnroutable(judged.evidence)) aliasRule(raised, judged, alias.canonicalName);
  }
  const bound = hosts.filter((host) => host.evidence.tlsa.status === 'usable');
  const inForce =
    bound.length > 0 && bound.length === hosts.length && evidence.route.dnssec === 'secure';
  const mode = evidence.mtaSts.policy?.mode ?? 'none';
  if (bound.length > 0 && bound.length < hosts.length && mode !== 'enforce') partialRule(raised);
  if (raised.profile.requiresDane && !inForce) raised.add('dane-required', { mechanisms: [mode] });
  if (inForce && everyCertificateMatches(bound) && bound.every(takesMail)) raised.add('dane-good');
  return inForce;
}

/**
 * Reports failed lookups of a host. Each cause raises one finding: in a bogus zone the
 * TLSA lookup fails as well, so later conditions apply only if no earlier condition does.
 */
function lookupRules(raised: FindingCollector, host: HostEvidence): void {
  const { evidence } = raised;
  const subject = { host: host.name };
  const strips = resolverAtFault(evidence);
  const isRouteKnown = evidence.route.dnssec !== 'indeterminate';
  const { addressLookup, tlsa } = host;
  if (host.dnssec === 'bogus')
    raised.add('dnssec-bogus', { ...subject, reason: proofWords(addressLookup.failure) });
  else if (host.dnssec === 'indeterminate' && isRouteKnown && !strips)
    raised.add('dnssec-indeterminate', {
      ...subject,
      reason: failureWords(addressLookup.failure),
    });
  else if (tlsa.status === 'bogus')
    raised.add('dane-bogus', { ...subject, reason: proofWords(tlsa.failure) });
  else if (tlsa.status === 'tempfail' && !(strips && tlsa.dnssec === 'indeterminate'))
    raised.add('dane-tempfail', { ...subject, reason: failureWords(tlsa.failure) });
  if (addressLookup.status === 'found' && addressLookup.failure)
    raised.add('address-family-failed', {
      ...subject,
      reason: failureWords(addressLookup.failure),
    });
}

/** Reports TLSA records that no sender uses. */
function recordRules(raised: FindingCollector, host: HostEvidence): void {
  const subject = { host: host.name };
  const { tlsa } = host;
  if (tlsa.status === 'unusable')
    raised.add('dane-unusable', {
      ...subject,
      spkiSha256: keyOf(raised, host.name),
      reason: unusableReason(tlsa.records),
    });
  if (tlsa.status === 'insecure') {
    const retired = host.unsupported;
    const detail = retired ? `${retired.zone}: ${retired.algorithms.join(', ')}` : '';
    // If the addresses are secure, only the alias of the TLSA owner name points to an
    // unsigned zone.
    const alias = host.dnssec === 'secure' ? tlsa.alias : undefined;
    const reason = alias && `_25._tcp.${tlsa.base} is an alias of ${alias}`;
    raised.add('dane-inert', { ...subject, detail, tlsaAlias: alias, reason });
  }
  if (tlsa.status === 'absent' && tlsa.alias !== undefined && !host.alias)
    raised.add('dane-alias-dangling', {
      ...subject,
      tlsaAlias: tlsa.alias,
      reason: `_25._tcp.${tlsa.base} leads to ${tlsa.alias}, which has no TLSA record`,
    });
  if (tlsa.elsewhere)
    raised.add('dane-misplaced', {
      ...subject,
      spkiSha256: keyOf(raised, host.name),
      reason: tlsa.elsewhere
        .slice(0, 3)
        .map((line) => clip(line, 100))
        .join('; '),
    });
}

/** Reports hosts without TLSA records if other hosts have them. */
function partialRule(raised: FindingCollector): void {
  const others = raised.hosts
    .filter((host) => host.evidence.tlsa.status === 'absent')
    .map((host) => host.evidence.name);
  if (others.length > 0) raised.add('dane-partial', { detail: others.join(', ') });
}

function everyCertificateMatches(hosts: readonly JudgedHost[]): boolean {
  const certificates = hosts.flatMap((host) =>
    host.addresses.flatMap((address) => address.certificates),
  );
  return certificates.length > 0 && certificates.every(({ summary }) => summary.dane === 'match');
}

/**
 * Explains for each of the first three records why DANE for mail does not use the record
 * (RFC 7672 §3.1.3).
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
 * Reports an alias. An alias that causes other faults has their severity (RFC 8461 §4.1):
 * fail under an enforced policy, since senders defer.
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
 * Reports a prepared record of the next key, and idle records that match no key in use.
 * Idle records are reported only if a current record exists: otherwise `dane-mismatch`
 * contains the steps.
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
 * Returns the SHA-256 of the host's key in lower-case hex, for the record in the steps;
 * empty if the check received no certificate.
 */
function keyOf(raised: FindingCollector, name: string): string {
  const judgedHost = raised.hosts.find((host) => host.evidence.name === name);
  return (
    judgedHost?.addresses.flatMap((address) => address.certificates)[0]?.summary.spkiSha256 ?? ''
  );
}

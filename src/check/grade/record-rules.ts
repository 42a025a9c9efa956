import { dnssecFailures } from '../../dns/index.js';
import { clip } from '../../base/index.js';
import type { FailureEvidence, TxtEvidence } from '../../evidence/index.js';
import { lintPolicy, lintStsRecord, nearStsRecords, stsFailures } from '../../mta-sts/index.js';
import { lintRptRecord, nearRptRecords } from '../../tls-rpt/index.js';
import type { FindingCollector } from './finding-collector.js';

/**
 * Maximum number of faults shown for one record or file. More faults would not change the
 * fix.
 */
const MOST = 3;

/** A value, with a message on its unusual part. */
interface Lint {
  readonly text: string;
  readonly message: string;
}

/**
 * Reports records that are meant for senders and that senders discard. Returns true if
 * one of them is meant for MTA-STS: the fix is then a correction and not a first
 * publication.
 */
export function discardedRules(raised: FindingCollector): boolean {
  const { mtaSts, tlsRpt } = raised.evidence;
  const near = mtaSts.status === 'absent' ? nearStsRecords(mtaSts.txt.texts) : [];
  if (near.length > 0) raised.add('sts-record-ignored', { reason: shown(near) });
  const nearRpt = tlsRpt.status === 'absent' ? nearRptRecords(tlsRpt.txt.texts) : [];
  // Senders ignore a discarded TLS-RPT record, and an enforced policy needs reports.
  const mode = mtaSts.status === 'found' ? mtaSts.policy?.mode : undefined;
  if (nearRpt.length > 0)
    raised.add('tlsrpt-ignored', {
      reason: shown(nearRpt),
      mechanisms: [mode === 'enforce' ? 'enforce' : 'none'],
    });
  return near.length > 0;
}

/** Reports records at names that no sender queries (RFC 8461 §3.1, RFC 8460 §3). */
export function misplacedRules(raised: FindingCollector): void {
  const { mtaSts, tlsRpt } = raised.evidence;
  const found = (txt: TxtEvidence): string | undefined =>
    txt.elsewhere?.length ? joined(txt.elsewhere.map((line) => clip(line, 160))) : undefined;
  const [sts, rpt] = [found(mtaSts.txt), found(tlsRpt.txt)];
  if (sts !== undefined) raised.add('sts-record-misplaced', { reason: sts });
  if (rpt !== undefined) raised.add('tlsrpt-misplaced', { reason: rpt });
}

/**
 * Returns the fix of a fault of the policy host's address records; undefined for other
 * faults.
 */
export function hostAdvice({ code }: FailureEvidence, domain: string): string | undefined {
  if (!/^sts-policy-host-/.test(code)) return undefined;
  return stsFailures.find(code)?.fix.replace('DOMAIN', domain);
}

/**
 * Reports text that senders accept and a publisher should not write (RFC 8461 §3, RFC
 * 8460 §3).
 */
export function lintRules(raised: FindingCollector): void {
  const { mtaSts, tlsRpt } = raised.evidence;
  if (mtaSts.status === 'found' && mtaSts.policy) {
    const { faults, notes } = lintPolicy(mtaSts.policy.body);
    if (faults.length > 0) raised.add('sts-policy-odd', { reason: joined(faults) });
    const record = lintStsRecord(mtaSts.txt.texts).map(phrase);
    const all = [...record.map((recordText) => `record ${recordText}`), ...notes];
    if (all.length > 0) raised.add('sts-policy-note', { reason: joined(all) });
  }
  const rpt = tlsRpt.status === 'found' ? lintRptRecord(tlsRpt.txt.texts) : [];
  if (rpt.length > 0) raised.add('tlsrpt-odd', { reason: shown(rpt) });
}

/** Explains an invalid TLS-RPT record by the faults of its fields. */
export function explainRptRecord(code: string, texts: readonly string[]): string | undefined {
  if (code === 'rpt-record-multiple') return undefined;
  const lints = lintRptRecord(texts);
  const missing = code === 'rpt-rua-missing' ? ['it has no field rua'] : [];
  const phrases = [...missing, ...lints.map(phrase)];
  return phrases.length > 0 ? joined(phrases) : undefined;
}

/** Returns the invalid record with its fault, for comparison with the zone. */
export function recordReason(texts: readonly string[], fault: string): string {
  if (texts.length === 0) return fault;
  const shown = joined(texts.map(quoted));
  if (texts.length === 1) return `${shown}: ${fault}`;
  return `${fault}: ${shown}`;
}

/** Returns the lints as one phrase. */
function shown(lints: readonly Lint[]): string {
  return joined(lints.map(phrase));
}

/**
 * Returns the value in quotes before the message, so that its own punctuation cannot be
 * taken for part of the sentence.
 */
function phrase({ text, message }: Lint): string {
  return `${quoted(text)}: ${message}`;
}

/** Returns the beginning of a TLSA record, which identifies the record in a text. */
export function shortRecord(record: string): string {
  if (record.length > 24) return `${record.slice(0, 22)}...`;
  return record;
}

/**
 * Lists the TXT records at a name that has none of the expected kind, since one of them
 * may contain a mistake. Undefined without records.
 */
export function otherRecords(
  texts: readonly string[],
  owner: string,
  version: string,
): string | undefined {
  if (texts.length === 0) return undefined;
  return `TXT at ${owner}: ${joined(texts.map(quoted))} does not begin with v=${version}`;
}

/** Joins at most {@link MOST} phrases, and states the number of the remaining phrases. */
function joined(phrases: readonly string[]): string {
  const more = phrases.length - MOST;
  return [...phrases.slice(0, MOST), ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

/** Returns at most 120 characters of a text: a TXT record can have thousands. */
function quoted(recordText: string): string {
  return `"${recordText.length > 120 ? `${recordText.slice(0, 117)}...` : recordText}"`;
}

/**
 * Returns the failure of a DNSSEC proof as text: the name, the fault in words, and the
 * code.
 */
export function proofWords(failure: FailureEvidence | undefined): string | undefined {
  if (failure === undefined) return undefined;
  const { message } = dnssecFailures.find(failure.code) ?? {};
  if (message === undefined) return failureWords(failure);
  const subject = failure.detail ? `${failure.detail}: ` : '';
  return `${subject}${message.replace(/\.$/, '')} (${failure.code})`;
}

/**
 * Returns a failure as text: its detail with its code, so that the code can be looked up
 * with `hermetic explain`.
 */
export function failureWords(failure: FailureEvidence | undefined): string | undefined {
  if (failure === undefined) return undefined;
  return failure.detail ? `${failure.detail} (${failure.code})` : failure.code;
}

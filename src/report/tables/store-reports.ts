import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Store } from '../../store/index.js';
import { reportDay, type ParsedReport, type ReportedPolicy, type TlsReport } from '../../tls-rpt/index.js';
import { counts, type JudgedReading } from '../types.js';
import { policyMode } from './policy-mode.js';
import { Rollups } from './rollups.js';

/** `stored`; `repeated`: the same report came before, and counts once; `confirmed`: it came before without anybody to vouch for it, and counts from now on. */
export type StoreOutcome = 'stored' | 'repeated' | 'confirmed';

export interface ReceivedReport {
  readonly reading: JudgedReading;
  readonly parsed: ParsedReport;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

const dayMs = 86_400_000;

/** Stores reports with their rollups in one transaction: all of them or none. A report that came before is not counted again. */
export function storeReports(store: Store, received: readonly ReceivedReport[]): readonly StoreOutcome[] {
  return store.transaction(() => {
    const rollups = new Rollups();
    const outcomes = received.map((one) => storeReport(store, one, rollups));
    rollups.apply(store);
    return outcomes;
  });
}

function storeReport(store: Store, one: ReceivedReport, rollups: Rollups): StoreOutcome {
  const { reading, parsed, receivedAt } = one;
  const { report } = parsed;
  const day = dayOf(report, receivedAt);
  const counted = counts(reading.trust);
  const digest = digestOf(report);
  const known = store.prepare<{ id: number; counted: number }>('SELECT id, counted FROM report WHERE digest = ?').get(digest);
  if (known) {
    store.prepare('UPDATE report SET copies = copies + 1 WHERE id = ?').run(known.id);
    if (!counted || known.counted === 1) return 'repeated';
    // Whoever sends a forged copy ahead must not keep the true one out.
    store
      .prepare('UPDATE report SET counted = 1, trust = ?, trust_detail = ?, via = ?, peer = ?, reporter = ? WHERE id = ?')
      .run(reading.trust, reading.detail, reading.via, reading.peer ?? null, reading.reporter, known.id);
    store.prepare('UPDATE report_policy SET counted = 1, reporter = ? WHERE report = ?').run(reading.reporter, known.id);
    store.prepare('UPDATE report_failure SET counted = 1, reporter = ? WHERE report = ?').run(reading.reporter, known.id);
    rollups.add(report.policies, day, reading.reporter);
    return 'confirmed';
  }
  const { id } = store.prepare<{ id: number }>(insertReport).get(
    digest,
    receivedAt,
    reportDay(report) === undefined ? null : day,
    reading.reporter,
    report.organizationName ?? null,
    report.contactInfo ?? null,
    report.reportId ?? null,
    reading.via,
    reading.peer ?? null,
    reading.trust,
    reading.detail,
    counted ? 1 : 0,
    report.policies.reduce((n, p) => n + p.totalSuccessfulSessionCount, 0),
    report.policies.reduce((n, p) => n + p.totalFailureSessionCount, 0),
    notesOf(parsed),
    packed(reading.raw),
  ) as { id: number };
  report.policies.forEach((policy, n) => storePolicy(store, policy, { id, n, day, reporter: reading.reporter, counted }));
  if (counted) rollups.add(report.policies, day, reading.reporter);
  return 'stored';
}

const insertReport = `INSERT INTO report
  (digest, received_at, day, reporter, organization, contact, report_id, via, peer, trust, trust_detail, counted, ok, failed, notes, raw)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`;
const insertPolicy = `INSERT INTO report_policy (report, number, domain, day, reporter, type, mode, text, counted, ok, failed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const insertFailure = `INSERT INTO report_failure
  (report, number, domain, day, reporter, type, mode, counted, result, mx, ip, sender_ip, reason, info, failed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

interface Place {
  readonly id: number;
  readonly n: number;
  readonly day: number;
  readonly reporter: string;
  readonly counted: boolean;
}

function storePolicy(store: Store, policy: ReportedPolicy, { id, n, day, reporter, counted }: Place): void {
  const domain = policy.policyDomain ?? '';
  const mode = policyMode(policy.policyString);
  const flag = counted ? 1 : 0;
  const text = storeText(store, policy.policyString);
  const { totalSuccessfulSessionCount: ok, totalFailureSessionCount: failed } = policy;
  store.prepare(insertPolicy).run(id, n, domain, day, reporter, policy.policyType, mode, text, flag, ok, failed);
  for (const d of policy.failureDetails)
    store
      .prepare(insertFailure)
      .run(
        id,
        n,
        domain,
        day,
        reporter,
        policy.policyType,
        mode,
        flag,
        d.resultType,
        d.receivingMxHostname ?? '',
        d.receivingIp ?? '',
        d.sendingMtaIp ?? '',
        d.failureReasonCode ?? '',
        d.additionalInformation ?? '',
        d.failedSessionCount,
      );
}

/** Policies repeat from report to report, so each text is kept once. 0: none. */
function storeText(store: Store, strings: readonly string[]): number {
  if (strings.length === 0) return 0;
  const text = JSON.stringify(strings);
  const digest = createHash('sha256').update(text).digest('base64');
  const known = store.prepare<{ id: number }>('SELECT id FROM report_text WHERE digest = ?').get(digest);
  const made =
    known ?? store.prepare<{ id: number }>('INSERT INTO report_text (digest, text) VALUES (?, ?) RETURNING id').get(digest, text);
  return made?.id ?? 0;
}

/** A report without dates counts on the day before it came: that is the day a reporter speaks of. */
function dayOf(report: TlsReport, receivedAt: number): number {
  return Math.floor((reportDay(report) ?? receivedAt - dayMs) / dayMs);
}

/** The same report again, in whatever packing, is the same; one that merely reuses an id is not (reporters reuse theirs for different reports). */
function digestOf(report: TlsReport): string {
  return createHash('sha256').update(JSON.stringify(report)).digest('base64');
}

function notesOf({ notes, unforeseen }: ParsedReport): string | null {
  return notes.length + unforeseen.length === 0 ? null : JSON.stringify({ notes, unforeseen });
}

function packed(raw: Uint8Array): Uint8Array {
  return (raw[0] === 0x1f && raw[1] === 0x8b) || raw.length < 200 ? raw : gzipSync(raw, { level: 1 });
}

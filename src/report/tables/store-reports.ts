import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Store } from '../../store/index.js';
import {
  reportDay,
  reportKey,
  textsKey,
  type ParsedReport,
  type ReportedPolicy,
  type TlsReport,
} from '../../tls-rpt/index.js';
import { counts, type JudgedReading } from '../types.js';
import { partIds } from './part-ids.js';
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

/** Stores reports with their rollups in one transaction: all of them or none. A report that came before is not counted again [8460-5.3-7]. */
export function storeReports(
  store: Store,
  received: readonly ReceivedReport[],
): readonly StoreOutcome[] {
  return store.transaction(() => {
    const rollups = new Rollups();
    // Numbers are given here: RETURNING would cost as much again as the insert.
    let last =
      store.prepare<{ id: number | null }>('SELECT max(id) AS id FROM report').get()?.id ?? 0;
    const outcomes = received.map((one) => {
      const outcome = storeReport(store, last + 1, one, rollups);
      if (outcome === 'stored') last++;
      return outcome;
    });
    rollups.apply(store);
    return outcomes;
  });
}

function storeReport(
  store: Store,
  id: number,
  one: ReceivedReport,
  rollups: Rollups,
): StoreOutcome {
  const { reading, parsed, receivedAt } = one;
  const { report } = parsed;
  const day = dayOf(report, receivedAt);
  const counted = counts(reading.trust);
  const digest = digestOf(report);
  const made = store.prepare(insertReport).run(
    id,
    digest,
    receivedAt,
    report.startDatetime === undefined ? null : day,
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
  );
  if (made === 0) return storeAgain(store, digest, one, rollups, day);
  storePolicies(store, report.policies, { id, day, reporter: reading.reporter, counted });
  if (counted) rollups.add(report.policies, day, reading.reporter);
  return 'stored';
}

/** A report that is there already. */
function storeAgain(
  store: Store,
  digest: Uint8Array,
  { reading, parsed }: ReceivedReport,
  rollups: Rollups,
  day: number,
): StoreOutcome {
  const known = store
    .prepare<{ id: number; counted: number }>('SELECT id, counted FROM report WHERE digest = ?')
    .get(digest) as {
    id: number;
    counted: number;
  };
  store.prepare('UPDATE report SET copies = copies + 1 WHERE id = ?').run(known.id);
  if (!counts(reading.trust) || known.counted === 1) return 'repeated';
  // Whoever sends a forged copy ahead must not keep the true one out.
  store
    .prepare(
      'UPDATE report SET counted = 1, trust = ?, trust_detail = ?, via = ?, peer = ?, reporter = ? WHERE id = ?',
    )
    .run(
      reading.trust,
      reading.detail,
      reading.via,
      reading.peer ?? null,
      reading.reporter,
      known.id,
    );
  store
    .prepare('UPDATE report_policy SET counted = 1, reporter = ? WHERE id BETWEEN ? AND ?')
    .run(reading.reporter, ...partIds(known.id));
  store
    .prepare('UPDATE report_failure SET counted = 1, reporter = ? WHERE id BETWEEN ? AND ?')
    .run(reading.reporter, ...partIds(known.id));
  rollups.add(parsed.report.policies, day, reading.reporter);
  return 'confirmed';
}

const insertReport = `INSERT INTO report
  (id, digest, received_at, day, reporter, organization, contact, report_id, via, peer, trust, trust_detail, counted, ok, failed, notes, raw)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING`;
const insertPolicy = `INSERT INTO report_policy (id, report, domain, day, reporter, type, mode, text, counted, ok, failed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const insertFailure = `INSERT INTO report_failure
  (id, domain, day, reporter, type, mode, counted, result, mx, ip, sender_ip, reason, info, failed)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

interface Place {
  readonly id: number;
  readonly day: number;
  readonly reporter: string;
  readonly counted: boolean;
}

function storePolicies(
  store: Store,
  policies: readonly ReportedPolicy[],
  { id, day, reporter, counted }: Place,
): void {
  const flag = counted ? 1 : 0;
  let [policyId] = partIds(id);
  let [failureId] = partIds(id);
  for (const policy of policies) {
    const {
      policyDomain: domain = '',
      policyType: type,
      policyString,
      totalSuccessfulSessionCount,
      totalFailureSessionCount,
    } = policy;
    const mode = policyMode(policyString);
    const text = storeText(store, policyString);
    store
      .prepare(insertPolicy)
      .run(
        policyId++,
        id,
        domain,
        day,
        reporter,
        type,
        mode,
        text,
        flag,
        totalSuccessfulSessionCount,
        totalFailureSessionCount,
      );
    for (const d of policy.failureDetails) {
      const where = [
        d.receivingMxHostname ?? '',
        d.receivingIp ?? '',
        d.sendingMtaIp ?? '',
      ] as const;
      const why = [d.failureReasonCode ?? '', d.additionalInformation ?? ''] as const;
      store
        .prepare(insertFailure)
        .run(
          failureId++,
          domain,
          day,
          reporter,
          type,
          mode,
          flag,
          d.resultType,
          ...where,
          ...why,
          d.failedSessionCount,
        );
    }
  }
}

/** Numbers of texts. A rollback takes back numbers that were given in it, so they are forgotten then. */
const knownTexts = new WeakMap<
  Store,
  { readonly texts: Map<string, number>; readonly rollbacks: number }
>();
const mostTexts = 10_000;

function textsOf(store: Store): Map<string, number> {
  const [known, rollbacks] = [knownTexts.get(store), store.rollbacks()];
  if (known?.rollbacks === rollbacks) return known.texts;
  const texts = new Map<string, number>();
  knownTexts.set(store, { texts, rollbacks });
  return texts;
}

/** Policies repeat from report to report, so each text is kept once. 0: none. */
function storeText(store: Store, strings: readonly string[]): number {
  if (strings.length === 0) return 0;
  const texts = textsOf(store);
  const key = textsKey(strings);
  const known = texts.get(key);
  if (known !== undefined) return known;
  const text = JSON.stringify(strings);
  const digest = hash('sha256', text, 'base64');
  const found = store
    .prepare<{ id: number }>('SELECT id FROM report_text WHERE digest = ?')
    .get(digest);
  const { id } = (found ??
    store
      .prepare<{ id: number }>('INSERT INTO report_text (digest, text) VALUES (?, ?) RETURNING id')
      .get(digest, text)) as { id: number };
  if (texts.size >= mostTexts) texts.clear();
  if (key.length < 4096) texts.set(key, id);
  return id;
}

/** A report without dates counts on the day before it came: that is the day a reporter speaks of. */
function dayOf(report: TlsReport, receivedAt: number): number {
  return Math.floor((reportDay(report) ?? receivedAt - dayMs) / dayMs);
}

/** The same report again, in whatever packing, is the same; one that merely reuses an id is not (reporters reuse theirs for different reports). */
function digestOf(report: TlsReport): Uint8Array {
  return hash('sha256', reportKey(report), 'buffer').subarray(0, 20);
}

function notesOf({ notes, unforeseen }: ParsedReport): string | null {
  return notes.length + unforeseen.length === 0 ? null : JSON.stringify({ notes, unforeseen });
}

function packed(raw: Uint8Array): Uint8Array {
  return (raw[0] === 0x1f && raw[1] === 0x8b) || raw.length < 200
    ? raw
    : gzipSync(raw, { level: 1 });
}

import type { Store } from '../../store/index.js';
import type { ReportedPolicy } from '../../tls-rpt/index.js';

interface Sums {
  ok: number;
  failed: number;
  reports: number;
}

/** Sums per day, gathered over a group of reports and added in its transaction: one statement a line, however many reports it stands for. */
export class Rollups {
  readonly #days = new Map<string, Sums>();
  readonly #reporters = new Map<string, Sums>();

  /** Under the type `` each report is counted once, however many policies it has. */
  add(policies: readonly ReportedPolicy[], day: number, reporter: string): void {
    const named = policies.map((p) => ({
      domain: p.policyDomain ?? '',
      type: p.policyType,
      ok: p.totalSuccessfulSessionCount,
      failed: p.totalFailureSessionCount,
    }));
    const whole = [...new Set(['', ...named.map((p) => p.domain)])].map((domain) => ({ domain, type: '', ok: 0, failed: 0 }));
    const everywhere = named.filter((p) => p.domain !== '').map((p) => ({ ...p, domain: '' }));
    for (const { domain, type, ok, failed } of [...named, ...everywhere, ...whole]) {
      bump(this.#days, `${domain}\0${day}\0${type}`, ok, failed);
      bump(this.#reporters, `${domain}\0${day}\0${reporter}\0${type}`, ok, failed);
    }
  }

  apply(store: Store): void {
    const day = store.prepare(upsertDay);
    for (const [key, { ok, failed, reports }] of this.#days) {
      const [domain = '', at = '', type = ''] = key.split('\0');
      day.run(domain, Number(at), type, ok, failed, reports);
    }
    const reporterDay = store.prepare(upsertReporterDay);
    for (const [key, { ok, failed, reports }] of this.#reporters) {
      const [domain = '', at = '', reporter = '', type = ''] = key.split('\0');
      reporterDay.run(domain, Number(at), reporter, type, ok, failed, reports);
    }
  }
}

const upsertDay = `INSERT INTO report_day (domain, day, type, ok, failed, reports) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (domain, day, type) DO UPDATE SET
    ok = report_day.ok + excluded.ok, failed = report_day.failed + excluded.failed, reports = report_day.reports + excluded.reports`;
const upsertReporterDay = `INSERT INTO report_reporter_day (domain, day, reporter, type, ok, failed, reports) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (domain, day, reporter, type) DO UPDATE SET
    ok = report_reporter_day.ok + excluded.ok, failed = report_reporter_day.failed + excluded.failed,
    reports = report_reporter_day.reports + excluded.reports`;

function bump(sums: Map<string, Sums>, key: string, ok: number, failed: number): void {
  const sum = sums.get(key);
  if (!sum) return void sums.set(key, { ok, failed, reports: 1 });
  sum.ok += ok;
  sum.failed += failed;
  sum.reports++;
}

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

  /** Over all domains, each report is counted once under the type ``, however many policies it has. */
  add(policies: readonly ReportedPolicy[], day: number, reporter: string): void {
    for (const { policyDomain = '', policyType: type, totalSuccessfulSessionCount: ok, totalFailureSessionCount: failed } of policies) {
      if (policyDomain !== '') bump(this.#days, `${policyDomain}\0${day}\0${type}`, ok, failed);
      bump(this.#days, `\0${day}\0${type}`, ok, failed);
      bump(this.#reporters, `${day}\0${reporter}\0${type}`, ok, failed);
    }
    bump(this.#days, `\0${day}\0`, 0, 0);
    bump(this.#reporters, `${day}\0${reporter}\0`, 0, 0);
  }

  apply(store: Store): void {
    const day = store.prepare(adding('report_day', ['domain', 'day', 'type']));
    for (const [key, { ok, failed, reports }] of this.#days) {
      const [domain = '', at = '', type = ''] = key.split('\0');
      day.run(domain, Number(at), type, ok, failed, reports);
    }
    const reporterDay = store.prepare(adding('report_reporter_day', ['day', 'reporter', 'type']));
    for (const [key, { ok, failed, reports }] of this.#reporters) {
      const [at = '', reporter = '', type = ''] = key.split('\0');
      reporterDay.run(Number(at), reporter, type, ok, failed, reports);
    }
  }
}

function adding(table: string, key: readonly string[]): string {
  const sums = ['ok', 'failed', 'reports'];
  return `INSERT INTO ${table} (${[...key, ...sums].join(', ')}) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${sums.map((c) => `${c} = ${table}.${c} + excluded.${c}`).join(', ')}`;
}

function bump(sums: Map<string, Sums>, key: string, ok: number, failed: number): void {
  const sum = sums.get(key);
  if (!sum) return void sums.set(key, { ok, failed, reports: 1 });
  sum.ok += ok;
  sum.failed += failed;
  sum.reports++;
}

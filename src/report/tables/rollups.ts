import type { Store } from '../../store/index.js';
import type { ReportedPolicy } from '../../tls-rpt/index.js';

/** The key of a line, and what is added to it. */
interface Line {
  readonly key: readonly [string | number, string | number, string];
  ok: number;
  failed: number;
  reports: number;
}

/** Sums per day, gathered over a group of reports and added in its transaction: one statement a line, however many reports it stands for. */
export class Rollups {
  readonly #days = new Map<string, Line>();
  readonly #reporters = new Map<string, Line>();

  /** Over all domains, each report is counted once under the type ``, however many policies it has. */
  add(policies: readonly ReportedPolicy[], day: number, reporter: string): void {
    for (const {
      policyDomain = '',
      policyType: type,
      totalSuccessfulSessionCount: ok,
      totalFailureSessionCount: failed,
    } of policies) {
      if (policyDomain !== '') bump(this.#days, policyDomain, day, type, ok, failed);
      bump(this.#days, '', day, type, ok, failed);
      bump(this.#reporters, day, reporter, type, ok, failed);
    }
    bump(this.#days, '', day, '', 0, 0);
    bump(this.#reporters, day, reporter, '', 0, 0);
  }

  apply(store: Store): void {
    for (const [sql, lines] of [
      [adding('report_day', ['domain', 'day', 'type']), this.#days],
      [adding('report_reporter_day', ['day', 'reporter', 'type']), this.#reporters],
    ] as const) {
      const statement = store.prepare(sql);
      for (const { key, ok, failed, reports } of lines.values())
        statement.run(...key, ok, failed, reports);
    }
  }
}

function adding(table: string, key: readonly string[]): string {
  const sums = ['ok', 'failed', 'reports'];
  return `INSERT INTO ${table} (${[...key, ...sums].join(', ')}) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${sums.map((c) => `${c} = ${table}.${c} + excluded.${c}`).join(', ')}`;
}

function bump(
  lines: Map<string, Line>,
  a: string | number,
  b: string | number,
  type: string,
  ok: number,
  failed: number,
): void {
  const key = `${a}\0${b}\0${type}`;
  const line = lines.get(key);
  if (!line) return void lines.set(key, { key: [a, b, type], ok, failed, reports: 1 });
  line.ok += ok;
  line.failed += failed;
  line.reports++;
}

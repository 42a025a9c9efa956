import type { DomainFacts, FailureRow } from './facts.js';

/** Failures of one kind at one host, whoever reported them. */
export interface FailureGroup {
  readonly result: string;
  readonly type: string;
  /** Policy domain. */
  readonly domain: string;
  /** The strictest mode that was applied: `enforce` before `testing` before none. */
  readonly mode: string;
  /** MX host; empty where the failure belongs to none (the policy could not be had). */
  readonly mx: string;
  readonly ips: readonly string[];
  readonly reporters: readonly string[];
  /** Networks (IPv4 /24, IPv6 /48) that met it, as far as reporters told. */
  readonly networks: readonly string[];
  readonly reasons: readonly string[];
  readonly firstDay: number;
  readonly lastDay: number;
  readonly sessions: number;
}

const modes = ['enforce', '', 'testing', 'none'];

/** More is nobody's trouble, but a report that was made up. */
const MAX_GROUPS = 200;

/** Groups failures by result, kind of policy and host, the most recent and largest first. */
export function groupFailures({ failures, senders }: DomainFacts): readonly FailureGroup[] {
  const groups = new Map<string, FailureRow[]>();
  for (const row of failures) {
    const key = `${row.result} ${row.type} ${row.mx} ${row.domain}`;
    const known = groups.get(key);
    if (known) known.push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()]
    .map((rows) => ({
      rows,
      sessions: rows.reduce((n, r) => n + r.failed, 0),
      lastDay: latest(rows),
    }))
    .sort((a, b) => b.lastDay - a.lastDay || b.sessions - a.sessions)
    .slice(0, MAX_GROUPS)
    .map(({ rows, sessions, lastDay }): FailureGroup => {
      const [{ result, type, mx, domain }] = rows as [FailureRow];
      const met = senders.filter((s) => s.result === result && s.mx === mx);
      return {
        result,
        type,
        domain,
        mode: modes.find((mode) => rows.some((r) => r.mode === mode)) ?? '',
        mx,
        ips: distinct(rows.map((r) => r.ip)),
        reporters: distinct(rows.map((r) => r.reporter)),
        networks: distinct(met.map((s) => networkOf(s.ip))),
        reasons: distinct(rows.map((r) => r.reason)),
        firstDay: rows.reduce((day, r) => Math.min(day, r.firstDay), lastDay),
        lastDay,
        sessions,
      };
    });
}

function latest(rows: readonly FailureRow[]): number {
  return rows.reduce((day, r) => Math.max(day, r.lastDay), 0);
}

function networkOf(ip: string): string {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ip)) return `${ip.slice(0, ip.lastIndexOf('.'))}.0/24`;
  return ip.includes(':') ? `${ip.split(':').slice(0, 3).join(':')}::/48` : ip;
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].filter((v) => v !== '').slice(0, 50);
}

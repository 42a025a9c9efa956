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

/** Groups failures by result, kind of policy and host, the largest first. */
export function groupFailures({ failures, senders }: DomainFacts): readonly FailureGroup[] {
  const groups = new Map<string, FailureRow[]>();
  for (const row of failures) {
    const key = `${row.result} ${row.type} ${row.mx} ${row.domain}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()]
    .map((rows): FailureGroup => {
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
        firstDay: Math.min(...rows.map((r) => r.firstDay)),
        lastDay: Math.max(...rows.map((r) => r.lastDay)),
        sessions: rows.reduce((n, r) => n + r.failed, 0),
      };
    })
    .sort((a, b) => b.lastDay - a.lastDay || b.sessions - a.sessions);
}

function networkOf(ip: string): string {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(ip)) return `${ip.slice(0, ip.lastIndexOf('.'))}.0/24`;
  return ip.includes(':') ? `${ip.split(':').slice(0, 3).join(':')}::/48` : ip;
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)].filter((v) => v !== '').slice(0, 50);
}

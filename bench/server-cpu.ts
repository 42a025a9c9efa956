import { createReadStream, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Database } from '../src/scan/index.js';

/** CPU time of a PostgreSQL server in milliseconds, by the kind of its processes. */
export type ServerCpu = Readonly<Record<string, number>>;

/**
 * Returns the CPU time of the server and its processes so far. Processes that ended count
 * as `ended`: autovacuum workers and closed sessions.
 */
export function serverCpu(data: string): ServerCpu {
  const pid = String(serverPid(data));
  const sums: Record<string, number> = {};
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(entry);
    if (!fields || (entry !== pid && fields[1] !== pid)) continue;
    const [user = 0, system = 0, ended = 0, endedSystem = 0] = fields.slice(11, 15).map(Number);
    const kind = entry === pid ? 'postmaster' : kindOf(entry);
    sums[kind] = (sums[kind] ?? 0) + 10 * (user + system);
    if (entry === pid) sums['ended'] = 10 * (ended + endedSystem);
  }
  return sums;
}

/** Returns the parent process of all other processes of the server. */
export function serverPid(data: string): number {
  return Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** Returns the difference of two measurements by kind, and their sum as `all`. */
export function cpuBetween(before: ServerCpu, after: ServerCpu): ServerCpu {
  const kinds = Object.keys(after);
  const spent = kinds.map((kind) => [kind, (after[kind] ?? 0) - (before[kind] ?? 0)] as const);
  return Object.fromEntries([...spent, ['all', spent.reduce((sum, [, ms]) => sum + ms, 0)]]);
}

/**
 * Returns the title of a process: `postgres: checkpointer`, or a session with its user.
 */
function kindOf(pid: string): string {
  try {
    const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0/g, ' ');
    const [, kind = 'other'] = /^postgres: ([a-z ]+)/.exec(title) ?? [];
    return kind.startsWith('hermetic') ? 'sessions' : kind.trim();
  } catch {
    return 'other';
  }
}

/** Returns the fields of /proc/PID/stat after the name of the program. */
function statOf(pid: string): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Makes the server log the CPU time (getrusage) of every later statement. */
export async function logStatementCpu(database: Database): Promise<void> {
  await database.query('ALTER SYSTEM SET log_statement_stats = on');
  await database.query('SELECT pg_reload_conf()');
}

interface StatementCost {
  readonly text: string;
  readonly calls: number;
  readonly ms: number;
  /** The part of this time for parsing and planning. */
  readonly planMs: number;
}

/** Returns the statements of a log with their CPU time, the most expensive first. */
export async function statementCosts(log: string): Promise<readonly StatementCost[]> {
  const costs = new Map<string, Omit<StatementCost, 'text'>>();
  let open: { ms: number; text: string; isCall: boolean } | undefined;
  let isStatement = false;
  const close = (): void => {
    if (!open) return;
    const text = open.text.replace(/\s+/g, ' ').trim();
    const cost = costs.get(text) ?? { calls: 0, ms: 0, planMs: 0 };
    costs.set(text, {
      calls: cost.calls + Number(open.isCall),
      ms: cost.ms + open.ms,
      planMs: cost.planMs + (open.isCall ? 0 : open.ms),
    });
    open = undefined;
  };
  for await (const line of createInterface({ input: createReadStream(log) })) {
    const [, kind] = /^\d{4}-.*? (LOG|DETAIL|STATEMENT): {2}/.exec(line) ?? [];
    if (kind === 'LOG') {
      close();
      if (line.endsWith('STATISTICS'))
        open = { ms: 0, text: '', isCall: / (QUERY|EXECUTE MESSAGE) STAT/.test(line) };
    }
    if (kind !== undefined) isStatement = kind === 'STATEMENT';
    if (!open) continue;
    const [, user, system] = /^\t!\t([\d.]+) s user, ([\d.]+) s system, /.exec(line) ?? [];
    if (user !== undefined) open.ms = 1000 * (Number(user) + Number(system));
    if (isStatement) open.text += ` ${line.replace(/^\d{4}-.*? STATEMENT: /, '')}`;
  }
  close();
  return [...costs].map(([text, cost]) => ({ text, ...cost })).sort((a, b) => b.ms - a.ms);
}

interface TableWrites {
  readonly relname: string;
  readonly n_tup_ins: number;
  readonly n_tup_upd: number;
  readonly n_tup_hot_upd: number;
  readonly vacuums: number;
  readonly analyses: number;
  readonly octets: number;
}

/** Returns the number of written rows, with the size of each table and its indexes. */
export function tableWrites(database: Database): Promise<readonly TableWrites[]> {
  return database.query<TableWrites>(
    `SELECT relname, n_tup_ins, n_tup_upd, n_tup_hot_upd, autovacuum_count AS vacuums,
        autoanalyze_count AS analyses, pg_total_relation_size(relid) AS octets
      FROM pg_stat_user_tables WHERE n_tup_ins > 0 ORDER BY octets DESC LIMIT 20`,
  );
}

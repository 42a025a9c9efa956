import { fileURLToPath } from 'node:url';
import {
  showDomain,
  showOverview,
  storeCheck,
  type DomainView,
  type Explanation,
} from '../src/tls-rpt-receive/index.js';
import { testCheck } from '../test/support/report/checks.js';
import { withReports } from '../test/support/report/reports.js';
import { playForeignMonth } from '../test/foreign-months.js';
import { playHarshMonth } from '../test/harsh-months.js';
import { playPlainMonth } from '../test/plain-months.js';
import { playMonth } from './report-month.js';
import {
  domain,
  faults,
  firstDay,
  keyOf,
  monthDays,
  type Cause,
  type Month,
} from './report-faults.js';

/**
 * `npm run report-months -- [count] [seed] [usual|harsh|foreign|plain]`: simulates months
 * of TLS reports with a fault of known cause and judges them as `hermetic report show`
 * does. Ends with status 1 when a cause is named wrongly, when a fault has the status
 * `well`, or when more than a quarter of the months stay unclear although two reporters
 * applied the same policy.
 */

/** Counts of the judgements about the months with one kind of fault. */
interface Tally {
  readonly fault: string;
  readonly cause: Cause;
  months: number;
  /** Months in which an arrived report contains a failure caused by the fault. */
  reported: number;
  /** The part of these months with the status `well`. */
  missed: number;
  /**
   * Numbers of months in which the largest failure that the fault caused has a named
   * cause, or an unclear cause.
   */
  right: number;
  unclear: number;
  /** Failures with a wrong cause, whether the fault caused them or not. */
  wrong: number;
  /** Reported months in which at least two reporters applied the affected policy. */
  comparable: number;
  comparableUnclear: number;
}

export interface Outcome {
  readonly tallies: readonly Tally[];
  readonly wrong: readonly string[];
}

/** Simulates months and judges each as `hermetic report show` does. */
export async function judgeMonths(
  count: number,
  seed = 1,
  play: (seed: number) => Month = playMonth,
): Promise<Outcome> {
  const tallies = new Map<string, Tally>();
  const wrong: string[] = [];
  for (let n = 0; n < count; n++) {
    const month = play(seed * 1_000_003 + n);
    const shown = await viewOf(month);
    const tally = tallies.get(month.fault) ?? emptyTally(month);
    tallies.set(month.fault, tally);
    judge(month, shown, tally, (what) => wrong.push(`month ${n}: ${what}`));
  }
  const order = Object.keys(faults);
  const sorted = [...tallies.values()].sort(
    (a, b) => order.indexOf(a.fault) - order.indexOf(b.fault),
  );
  return { tallies: sorted, wrong };
}

function emptyTally({ fault, cause }: Month): Tally {
  const counts = { months: 0, reported: 0, missed: 0, right: 0, unclear: 0, wrong: 0 };
  return { fault, cause, ...counts, comparable: 0, comparableUnclear: 0 };
}

interface Shown {
  readonly view: DomainView;
  /**
   * Whether the overview lists failures of the domain, or failures in reports that name
   * no domain.
   */
  readonly listed: boolean;
}

async function viewOf(month: Month): Promise<Shown> {
  const store = await withReports(...month.reports);
  for (const day of month.checks) storeCheck(store, checkOf(month, day));
  const now = firstDay + monthDays * 86_400_000 + 43_200_000;
  const span = { now, days: monthDays + 1 };
  const view = showDomain(store, domain, span);
  const listed = showOverview(store, span).failing.length > 0;
  store.close();
  return { view, listed };
}

/**
 * Returns a check from the domain's own network: it finds the domain's faults, and no
 * others.
 */
export function checkOf(
  { fault, from, to, hosts, broken, mode }: Month,
  day: number,
): ReturnType<typeof testCheck> {
  const found: Readonly<Record<string, readonly [string, string]>> = {
    'certificate expired': ['cert-expired', 'host'],
    'certificate expired everywhere': ['cert-expired', 'host'],
    'old TLS versions only': ['tls-handshake-failed', 'host'],
    'certificate of another name': ['cert-name-mismatch', 'host'],
    'chain incomplete': ['cert-chain-incomplete', 'host'],
    'TLSA record stale': ['dane-mismatch', 'host'],
    'DNSSEC broken': ['dane-bogus', 'host'],
    'STARTTLS off': ['starttls-absent', 'host'],
    'STARTTLS off on IPv6 only': ['starttls-absent', 'host'],
    'MX host missing from policy': ['sts-mx-mismatch', 'mx2.alpha.example'],
    'policy host down': ['sts-policy-unreachable', domain],
    'policy malformed': ['sts-policy-invalid', domain],
    'policy host certificate': ['sts-policy-webpki-invalid', domain],
  };
  const [id, subject] = found[fault] ?? [];
  const present = id !== undefined && day >= from && day <= to;
  const concerned = broken === undefined ? hosts : [broken];
  const subjects = subject === 'host' ? concerned : [subject ?? domain];
  return testCheck({
    date: new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10),
    domain,
    hosts,
    mode: mode === 'enforce' ? 'enforce' : 'testing',
    mx: fault === 'MX host missing from policy' && present ? ['mx1.alpha.example'] : hosts,
    findings: present ? subjects.map((name) => [id, name] as const) : [],
  });
}

function judge(
  month: Month,
  { view, listed }: Shown,
  tally: Tally,
  onWrong: (what: string) => void,
): void {
  tally.months++;
  const groups = view.failures.map((failure) => ({ failure, truth: truthOf(failure, month) }));
  for (const { failure, truth } of groups) {
    if (failure.whose === 'unclear' || failure.whose === truth) continue;
    tally.wrong++;
    onWrong(
      `${month.fault}: ${failure.result} judged ${failure.whose}, is ${truth}: ${failure.because}`,
    );
  }
  if (month.caused.size === 0) return;
  tally.reported++;
  if (view.failures.length === 0 && !listed) tally.missed++;
  const [main] = groups
    .filter(({ truth }) => truth === month.cause)
    .sort((a, b) => b.failure.sessions - a.failure.sessions);
  if (main?.failure.whose === month.cause) tally.right++;
  else tally.unclear++;
  if (month.samePolicy < 2) return;
  tally.comparable++;
  if (main?.failure.whose !== month.cause) tally.comparableUnclear++;
}

/**
 * Returns the true cause of a failure: a failure belongs to the fault if the fault caused
 * any of its sessions.
 */
function truthOf(failure: Explanation, { caused, cause }: Month): Cause {
  const { policy: type, result, host } = failure;
  const own = failure.reporters.some((reporter) =>
    caused.has(keyOf({ reporter, type, result, host })),
  );
  return own ? cause : 'none';
}

/** Returns the sums that the acceptance criteria use. */
export function totalsOf({ tallies }: Outcome): {
  readonly wrong: number;
  readonly missed: number;
  readonly unclearShare: number;
} {
  const sum = (of: (t: Tally) => number): number => tallies.reduce((n, t) => n + of(t), 0);
  return {
    wrong: sum((t) => t.wrong),
    missed: sum((t) => t.missed),
    unclearShare:
      sum((t) => t.comparableUnclear) /
      Math.max(
        1,
        sum((t) => t.comparable),
      ),
  };
}

/**
 * Returns the share of unclear months for each cause, among months in which two reporters
 * applied the policy.
 */
function unclearByCause({ tallies }: Outcome): string {
  const causes: readonly Cause[] = ['yours', 'theirs', 'path'];
  return causes
    .map((cause) => {
      const { unclearShare } = totalsOf({
        tallies: tallies.filter((tally) => tally.cause === cause),
        wrong: [],
      });
      return `${cause} ${(100 * unclearShare).toFixed(1)} %`;
    })
    .join(', ');
}

/** Returns the table as text. */
export function tableOf(outcome: Outcome): string {
  const head = [
    'fault',
    'cause',
    'months',
    'reported',
    'missed',
    'right',
    'unclear',
    'wrong',
    '2 same',
    'unclear',
  ];
  const rows = outcome.tallies.map((t) =>
    [
      t.fault,
      t.cause,
      t.months,
      t.reported,
      t.missed,
      t.right,
      t.unclear,
      t.wrong,
      t.comparable,
      t.comparableUnclear,
    ].map(String),
  );
  const widths = head.map((name, i) =>
    Math.max(name.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ');
  const { wrong, missed, unclearShare } = totalsOf(outcome);
  return [
    line(head),
    ...rows.map(line),
    '',
    `Causes named wrongly: ${wrong}. Faults shown as well: ${missed}.`,
    `Unclear, with two reporters or more of the same policy: ${(100 * unclearShare).toFixed(1)} %.`,
    `Of these by the true cause: ${unclearByCause(outcome)}.`,
    ...outcome.wrong.slice(0, 20),
    '',
  ].join('\n');
}

const generators: Readonly<Record<string, (seed: number) => Month>> = {
  usual: playMonth,
  harsh: playHarshMonth,
  foreign: playForeignMonth,
  plain: playPlainMonth,
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count = '500', seed = '1', kind = 'usual'] = process.argv.slice(2);
  const outcome = await judgeMonths(Number(count), Number(seed), generators[kind]);
  process.stdout.write(tableOf(outcome));
  const { wrong, missed, unclearShare } = totalsOf(outcome);
  process.exitCode = wrong > 0 || missed > 0 || unclearShare > 0.25 ? 1 : 0;
}

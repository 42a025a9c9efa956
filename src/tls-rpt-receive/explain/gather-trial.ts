import type { Store } from '../../store/index.js';
import { TRIAL_DAYS } from './can-enforce.js';
import { kindOf } from './check-evidence.js';
import { exactSum } from './exact-sum.js';
import { neutraliseName, plus, type TrialRow } from './facts.js';
import { SessionFold } from './gather-policies.js';
import { isConnectionTrouble } from './reason-texts-registry.js';
import { rowDays, type RowPage } from './row-pages.js';
import type { Steps } from './steps.js';

/**
 * The number of failures of one reporter and day with a named fault, and the number of
 * lost connections.
 */
type TrialFailures = Pick<TrialRow, 'named' | 'lost'>;

/**
 * Reads the sessions under the domain's MTA-STS policy during the trial period with the
 * kinds of their failures, in steps of one page.
 */
export function* gatherTrial(
  stateStore: Store,
  domain: string,
  to: number,
  most: number,
): Steps<readonly TrialRow[]> {
  const span = { domain, from: to - TRIAL_DAYS, to };
  const sessions = new SessionFold(most);
  for (const { day, pages } of rowDays(stateStore, 'report_policy', span)) {
    for (const page of pages()) {
      sessions.add(day, page, "AND type = 'sts'");
      yield;
    }
    sessions.endDay();
  }
  const failures = new Map<string, TrialFailures>();
  for (const { day, pages } of rowDays(stateStore, 'report_failure', span))
    for (const page of pages()) {
      addFailures(failures, day, page);
      yield;
    }
  const rows = yield* sessions.first();
  return rows
    .map((row) => ({
      ...row,
      ...(failures.get(`${row.day} ${row.reporter}`) ?? { named: 0, lost: 0 }),
    }))
    .reverse();
}

function addFailures(failures: Map<string, TrialFailures>, day: number, { rows }: RowPage): void {
  const found = rows<{ reporter: string; result: string; reason: string; failed: number }>(
    `SELECT reporter, result, reason, ${exactSum('failed')} FROM $PAGE AND type = 'sts'
     GROUP BY reporter, result, reason`,
  );
  for (const { reporter, result, reason, failed } of found) {
    const key = `${day} ${neutraliseName(reporter)}`;
    const { named, lost } = failures.get(key) ?? { named: 0, lost: 0 };
    const isNamed = kindOf(result) !== 'any';
    failures.set(key, {
      named: isNamed ? plus(named, failed) : named,
      lost: !isNamed && isConnectionTrouble(reason) ? plus(lost, failed) : lost,
    });
  }
}

import type { Store } from '../../store/index.js';
import { neutraliseName, plus, type NoteRow, type ReportedFacts } from './facts.js';
import type { Steps } from './steps.js';

/** Number of reports that one step reads: a single report may have many notes. */
const PAGE = 50;
/** Maximum number of reports whose notes are read. */
const MAX_NOTED = 1000;

interface StoredReport {
  readonly reporter: string;
  readonly reportId: string | null;
  readonly day: number | null;
  readonly copies: number;
  readonly notes: string | null;
  readonly isTrustedMailbox: number;
}

/**
 * Reads the facts about whole reports: departures from RFC 8460, copies, reused ids and
 * trusted mailboxes.
 */
export function* gatherReports(
  stateStore: Store,
  reportIds: readonly number[],
): Steps<Pick<ReportedFacts, 'notes' | 'reusedIds' | 'copies' | 'trustedMailbox'>> {
  const rowOf = stateStore.prepare<StoredReport>(
    `SELECT reporter, report_id AS "reportId", day, copies, notes,
       trust = 'given' AND via = 'mailbox' AS "isTrustedMailbox"
     FROM report WHERE id = ?`,
  );
  const noted = new Map<string, NoteRow>();
  const timesOf = new Map<string, number>();
  let [copies, trustedMailbox, withNotes] = [0, 0, 0];
  for (const [index, id] of reportIds.entries()) {
    if (index % PAGE === PAGE - 1) yield;
    const stored = rowOf.get(id);
    if (!stored) continue;
    copies += stored.copies - 1;
    trustedMailbox += stored.isTrustedMailbox;
    if (stored.reportId !== null) {
      const key = JSON.stringify([stored.reporter, stored.reportId, stored.day]);
      timesOf.set(key, (timesOf.get(key) ?? 0) + 1);
    }
    if (stored.notes !== null && withNotes++ < MAX_NOTED) addNotes(noted, stored);
  }
  return {
    notes: [...noted.values()].sort((left, right) => right.reports - left.reports),
    reusedIds: [...timesOf.values()].filter((times) => times > 1).length,
    copies,
    trustedMailbox,
  };
}

function addNotes(noted: Map<string, NoteRow>, { reporter, notes }: StoredReport): void {
  const { notes: found } = JSON.parse(notes ?? '{"notes":[]}') as {
    notes: readonly { code: string }[];
  };
  for (const { code } of found) {
    const key = `${reporter} ${code}`;
    const known = noted.get(key) ?? { reporter: neutraliseName(reporter), code, reports: 0 };
    noted.set(key, { ...known, reports: plus(known.reports, 1) });
  }
}

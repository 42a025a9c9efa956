import { clip } from '../../base/index.js';
import { kindOf } from '../explain/check-evidence.js';
import type { DomainView, KindSums } from '../explain/domain-view.js';
import type { Explanation } from '../explain/explain-group.js';
import { policyName } from '../explain/result-texts-registry.js';
import { number, painter, paragraph, plural, shortDay, type Paint } from './layout.js';
import { renderFailures } from './render-failures.js';

/** The width of the terminal in columns, and whether it shows colour. */
export interface RenderOptions {
  /** Columns, 80 to 120. Default 80. */
  readonly width?: number;
  readonly color?: boolean;
}

/** Why reports do not count, in words. */
export const trusts: Readonly<Record<string, string>> = {
  unsigned: 'mail without a signature',
  broken: 'the signature is invalid',
  misaligned: 'another organisation signed',
  unverifiable: 'the key of the signature could not be looked up',
  'other-domain': 'about a domain that is not yours',
  future: 'about days to come',
  stale: 'about days long past: replayed, or very late',
  superseded: 'an authenticated report of the same id says something else',
};

/**
 * Renders the page of a domain for a terminal. Empty sections are left out.
 * Ends with a line feed.
 */
export function renderDomain(view: DomainView, options: RenderOptions = {}): string {
  const width = Math.min(120, Math.max(80, options.width ?? 80));
  const paint = painter(options.color ?? false);
  const sections = [
    head(view, width, paint),
    renderFailures(view.failures, width, paint),
    days(view, width, paint),
    senders(view, width, paint),
    policy(view, width, paint),
    arriving(view, width, paint),
    unauthenticated(view, width, paint),
    doubts(view, width, paint),
  ];
  return `${sections
    .map((lines) => lines.join('\n').replace(/^\n/, ''))
    .filter((text) => text !== '')
    .join('\n\n')}\n`;
}

function head(view: DomainView, width: number, paint: Paint): string[] {
  const words = {
    well: 'ALL WELL',
    failing: 'FAILING',
    ended: 'WELL AGAIN',
    'no-reports': arrivedUncounted(view) > 0 ? 'NONE COUNTED' : 'NO REPORTS',
  } as const;
  const styles = { well: 'green', failing: 'red', ended: 'green', 'no-reports': 'yellow' } as const;
  const word = words[view.status];
  const domain = clip(nameOf(view), width - word.length - 2);
  return [
    `${paint(domain, 'bold')}${' '.repeat(width - domain.length - word.length)}${paint(word, styles[view.status])}`,
    ...paragraph(
      `${shortDay(view.from)} to ${shortDay(view.to)} ${view.to.slice(0, 4)}: ${plural(view.reports, 'report')}. ${nowLine(view)}`,
      width,
    ),
  ];
}

function nameOf({ domain }: DomainView): string {
  return domain === '' ? '(reports that name no domain)' : domain;
}

/** Reports that arrived and decide nothing. */
function arrivedUncounted({ doubtful, unauthenticated: posted }: DomainView): number {
  return [...doubtful, ...posted].reduce((n, row) => n + row.reports, 0);
}

function nowLine(view: DomainView): string {
  switch (view.status) {
    case 'no-reports':
      return nothingCounted(view);
    case 'well':
      return wellLine(view);
    case 'ended':
      return 'Failures have ended: the reporters that met them have since reported none.';
    case 'failing':
      return failingLine(view);
  }
}

function wellLine({ repairs }: DomainView): string {
  const unread = repairs
    .filter(({ code }) => code === 'count-invalid')
    .reduce((n, { reports }) => n + reports, 0);
  return unread === 0
    ? 'Every session that was reported went well.'
    : `No failed session was counted, but counts in ${plural(unread, 'report')} could not be read.`;
}

function nothingCounted(view: DomainView): string {
  const arrived = arrivedUncounted(view);
  if (arrived === 0)
    return 'Publish a record at _smtp._tls that names this receiver; the first reports come a day later.';
  return `${plural(arrived, 'report')} arrived, none counted: ${whyUncounted(view)}.${howToAccept(view)}`;
}

function whyUncounted({ doubtful: [first] }: DomainView): string {
  if (!first) return 'they came by HTTPS, which authenticates no reporter';
  const why = trusts[first.trust] ?? first.trust;
  return first.detail === '' ? why : `${why} (${first.detail})`;
}

/** The steps to take where signatures could not be verified. */
function howToAccept({ doubtful }: DomainView): string {
  const has = (trust: string): boolean => doubtful.some((d) => d.trust === trust);
  if (!has('broken') && !has('unverifiable')) return '';
  const steps: string[] = [];
  if (has('unverifiable')) steps.push('Import the mail again when its key can be looked up.');
  if (has('broken')) steps.push('A key that is no longer published cannot verify an old mail.');
  steps.push(
    'To accept an archive from a mailbox that you trust, extract the attachments and import them: hermetic report import --store FILE *.json.gz',
  );
  return steps.map((step) => ` ${step}`).join('');
}

function failingLine(view: DomainView): string {
  const now = view.failures.filter((f) => f.ongoing);
  const where = [...new Set(now.map((f) => f.host || partOf(f)))].slice(0, 5).join(', ');
  const fates = new Set(now.map((f) => f.fate));
  const lost = deferred(view, now);
  const says: string[] = [];
  if (fates.has('kept-back')) {
    const sessions = lost > 0 ? plural(lost, 'session') : 'Sessions';
    says.push(`${sessions} did not deliver: that mail is deferred unless another host took it.`);
  }
  if (fates.has('unknown')) {
    const mail = fates.size > 1 ? 'other mail' : 'the mail';
    says.push(`Whether ${mail} was deferred is not known from these reports.`);
  }
  if (says.length === 0) says.push(deliveredLine(fates));
  return `Failing now: ${where}. ${says.join(' ')}`;
}

/** Reports of a failed fetch say that it deferred nothing, not that the mail arrived. */
function deliveredLine(fates: ReadonlySet<Explanation['fate']>): string {
  return fates.has('cached-policy')
    ? 'No mail was deferred because of this.'
    : 'The mail was delivered all the same.';
}

/**
 * The subject of a failure without a host: the policy file where its fetch failed, else
 * the mail hosts.
 */
function partOf({ policy, result }: Explanation): string {
  if (kindOf(result) === 'policy-file') return 'the MTA-STS policy';
  if (policy === 'no-policy-found') return 'sessions without a policy';
  return `sessions under ${policyName(policy)}`;
}

/**
 * Sessions that two kinds of policy report are the same ones: the larger number counts.
 */
function deferred(view: DomainView, failures: readonly Explanation[]): number {
  const byPolicy = new Map<string, number>();
  for (const { fate, policy, sessions } of failures)
    if (fate === 'kept-back') byPolicy.set(policy, (byPolicy.get(policy) ?? 0) + sessions);
  return Math.min(Math.max(0, ...byPolicy.values()), view.sessions.failed);
}

function days({ timeline }: DomainView, width: number, paint: Paint): string[] {
  const shown = timeline.filter((d) => d.reports > 0 || d.changes.length > 0);
  if (
    shown.length === 0 ||
    (shown.every((d) => d.failed === 0) && shown.every((d) => d.changes.length === 0))
  )
    return [];
  const most = Math.max(...shown.map((d) => d.ok + d.failed));
  return [
    paint('Day by day', 'bold') +
      paint('  sessions (each counted once), failed of them, changes', 'dim'),
    ...shown.flatMap((d) => {
      const bar =
        d.failed === 0
          ? ''
          : '#'.repeat(Math.max(1, Math.round((d.failed / Math.max(1, most)) * 20)));
      const text = `  ${shortDay(d.day).padEnd(11)}${number(d.ok + d.failed).padStart(9)} ${(d.failed === 0 ? '-' : number(d.failed)).padStart(7)}  `;
      return [
        `${text}${paint(bar, 'red')}`.trimEnd(),
        ...d.changes.flatMap((change) =>
          paragraph(change, width, '             * ', '               '),
        ),
      ];
    }),
  ];
}

function senders(view: DomainView, width: number, paint: Paint): string[] {
  if (view.reporters.length === 0) return [];
  const shown = view.reporters.slice(0, 12);
  const count = ({ successful, failed }: Omit<KindSums, 'type'>): string =>
    `${number(successful + failed)}${failed > 0 ? ` (${number(failed)} failed)` : ''}`;
  const overlaps = shown.some(
    (r) => r.kinds.filter((k) => k.type !== 'no-policy-found').length > 1,
  );
  return [
    paint('Senders', 'bold') + paint('  sessions under each kind of policy', 'dim'),
    ...shown.map((r) => {
      const what = r.kinds.map((k) => `${clip(policyName(k.type), 20)} ${count(k)}`).join(', ');
      return `  ${clip(r.reporter, 28).padEnd(29)}${clip(what, width - 31)}`;
    }),
    ...(view.reporters.length > shown.length
      ? [`  and ${view.reporters.length - shown.length} more: --json`]
      : []),
    ...(overlaps
      ? paragraph(
          'A session under MTA-STS and DANE is reported under both; sums count it once: the larger number of both.',
          width,
          '  ',
        )
      : []),
    ...paragraph(coverageLine(view), width, '  '),
  ];
}

function coverageLine({ coverage: { sessions, covered } }: DomainView): string {
  const percent = sessions === 0 ? 0 : Math.floor((covered / sessions) * 100);
  return `${percent} % of the sessions were under MTA-STS or DANE (${number(covered)} of ${number(sessions)}).`;
}

function policy(view: DomainView, width: number, paint: Paint): string[] {
  const { enforce, seenPolicies, quotedRecords } = view;
  const answers = {
    yes: 'Yes.',
    'not-yet': 'Not yet.',
    already: 'Already enforced.',
    'no-policy': 'No.',
    unclear: 'Unknown.',
  } as const;
  const old = seenPolicies.filter((p) => p.state === 'other');
  return [
    paint('Policy', 'bold'),
    ...paragraph(
      `Safe to enforce MTA-STS? ${answers[enforce.answer]} ${enforce.reasons.join(' ')}`,
      width,
      '  ',
      '    ',
    ),
    ...(seenPolicies.length > 0 &&
    old.length === 0 &&
    seenPolicies.every((p) => p.state === 'current')
      ? ['  Every reporter applies the policy that is published now.']
      : []),
    ...old
      .slice(0, 5)
      .flatMap((p) =>
        paragraph(
          `${p.reporter} applied another policy on ${shortDay(p.last)}: ${p.differences.join('; ')}. Senders keep one until its max_age has passed.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...(quotedRecords.length > 0 ? paragraph(recordLine(quotedRecords), width, '  ', '    ') : []),
  ];
}

function recordLine(records: DomainView['quotedRecords']): string {
  const quoted = records.map(
    ({ record, published, last }) =>
      `${record.slice(0, 20)}... (${publishedWord(published)}, last ${shortDay(last)})`,
  );
  const line = `TLSA records quoted: ${quoted.join('; ')}.`;
  if (!records.some(({ published }) => published === false)) return line;
  return `${line} Keep the keys of the old ones until no reporter quotes them.`;
}

function publishedWord(published: boolean | 'unknown'): string {
  if (published === 'unknown') return 'not checked';
  return published ? 'published' : 'no longer published';
}

function arriving(view: DomainView, width: number, paint: Paint): string[] {
  const silent = view.arrivals.filter((a) => a.state === 'silent');
  if (view.arrivals.length === 0) return [];
  const fine = view.arrivals.filter((a) => a.state === 'fine').length;
  return [
    paint('Are reports coming?', 'bold'),
    ...paragraph(
      view.silent
        ? 'No: no report has come for the last day that is due. Check the record at _smtp._tls and this receiver.'
        : `${fine} of ${plural(view.arrivals.length, 'reporter')} reported on the last day that is due.`,
      width,
      '  ',
      '    ',
    ),
    ...silent
      .slice(0, 5)
      .flatMap((a) =>
        paragraph(
          `${a.reporter} reported daily, and last on ${shortDay(a.last)}.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...view.perhapsLoops
      .slice(0, 3)
      .flatMap((r) =>
        paragraph(
          `${r} has exactly one session every day: perhaps nothing but the mail that brings its report.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...view.repairs
      .slice(0, 4)
      .flatMap((r) =>
        paragraph(
          `${r.reporter}: ${plural(r.reports, 'report')} repaired. ${r.says} (${r.code})`,
          width,
          '  ',
          '    ',
        ),
      ),
  ];
}

/** One line for each source and day; a claimed name of a reporter is not repeated. */
function unauthenticated(view: DomainView, width: number, paint: Paint): string[] {
  const rows = view.unauthenticated;
  if (rows.length === 0) return [];
  const shown = rows.slice(0, 5);
  return [
    paint('Not authenticated', 'bold') + paint('  reports by HTTPS; they decide nothing', 'dim'),
    ...shown.flatMap((row) =>
      paragraph(
        `${shortDay(row.day)} from ${row.source || 'an unknown address'}: ${plural(row.reports, 'report')}, ${plural(row.successful + row.failed, 'session')}, ${number(row.failed)} failed.`,
        width,
        '  ',
        '    ',
      ),
    ),
    ...(rows.length > shown.length
      ? [`  and ${plural(rows.length - shown.length, 'line')} more: --json`]
      : []),
  ];
}

function doubts(view: DomainView, width: number, paint: Paint): string[] {
  if (view.doubtful.length === 0 && view.repeated === 0 && view.reusedIds === 0) return [];
  return [
    paint('Kept out of the numbers', 'bold'),
    ...view.doubtful
      .slice(0, 6)
      .flatMap((d) =>
        paragraph(
          `${plural(d.reports, 'report')} that ${d.reports === 1 ? 'names' : 'name'} ${d.reporter} as the reporter: ${trusts[d.trust] ?? d.trust}${d.detail && d.trust !== 'superseded' ? ` (${d.detail})` : ''}.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...(view.repeated > 0
      ? paragraph(
          `${plural(view.repeated, 'copy', 'copies')} of reports that came before.`,
          width,
          '  ',
        )
      : []),
    ...(view.reusedIds > 0
      ? paragraph(
          `${plural(view.reusedIds, 'report id')} used for different reports; all of them count.`,
          width,
          '  ',
        )
      : []),
  ];
}

import { clip, countOf, formatCount } from '../../base/index.js';
import { kindOf } from '../explain/check-evidence.js';
import type { DomainView, KindSums } from '../explain/domain-view.js';
import type { Explanation } from '../explain/explain-group.js';
import { policyName } from '../explain/result-texts-registry.js';
import { painter, paragraph, shortDay, trustNotice, type Paint } from './layout.js';
import {
  arriving,
  doubts,
  howToAccept,
  unauthenticated,
  whyNotCounted,
} from './render-arrivals.js';
import { renderFailures } from './render-failures.js';

/** The layout of a report page on a terminal. */
export interface RenderOptions {
  /** Number of columns, from 80 to 120. Default 80. */
  readonly width?: number;
  /**
   * Whether to use ANSI colours. Default false, so that a pipe or a message gets plain
   * text.
   */
  readonly color?: boolean;
}

/**
 * Returns the page of a domain for a terminal, in lines of at most `width` columns. The
 * sections that require action come first. Empty sections are omitted. Text of reporters
 * is neutralised, so that a report cannot add lines or colours to the page [8460-7-4].
 * Ends with a line feed.
 */
export function renderDomain(domainView: DomainView, options: RenderOptions = {}): string {
  const lineWidth = Math.min(120, Math.max(80, options.width ?? 80));
  const paint = painter(options.color ?? false);
  const sections = [
    head(domainView, lineWidth, paint),
    renderFailures(domainView.failures, lineWidth, paint),
    days(domainView, lineWidth, paint),
    senders(domainView, lineWidth, paint),
    policy(domainView, lineWidth, paint),
    arriving(domainView, lineWidth, paint),
    unauthenticated(domainView, lineWidth, paint),
    doubts(domainView, lineWidth, paint),
  ];
  return `${sections
    .map((lines) => lines.join('\n').replace(/^\n/, ''))
    .filter((outputText) => outputText !== '')
    .join('\n\n')}\n`;
}

/**
 * Returns the domain with its state at the right edge, then one sentence about the state.
 * Reports that arrived but are excluded from the sums have a separate state: if the page
 * said "no reports", the operator would search for a fault in the TXT record.
 */
function head(domainView: DomainView, lineWidth: number, paint: Paint): string[] {
  const words = {
    well: 'NO FAILURE',
    failing: 'FAILING',
    ended: 'RECOVERED',
    'no-reports': arrivedUncounted(domainView) > 0 ? 'NONE COUNTED' : 'NO REPORTS',
  } as const;
  const styles = { well: 'green', failing: 'red', ended: 'green', 'no-reports': 'yellow' } as const;
  const word = words[domainView.status];
  const domainName = clip(nameOf(domainView), lineWidth - word.length - 2);
  return [
    `${paint(domainName, 'bold')}${' '.repeat(lineWidth - domainName.length - word.length)}${paint(word, styles[domainView.status])}`,
    ...paragraph(
      `${shortDay(domainView.from)} to ${shortDay(domainView.to)} ${domainView.to.slice(0, 4)}: ${countOf(domainView.reports, 'report')}. ${domainHeadline(domainView)}`,
      lineWidth,
    ),
    ...trustNotice(domainView.trustedMailbox, lineWidth),
  ];
}

/**
 * Returns the domain of the page. For reports without a domain, returns a phrase in
 * brackets, which cannot be a domain.
 */
function nameOf({ domain }: DomainView): string {
  return domain === '' ? '(reports that name no domain)' : domain;
}

/**
 * Returns the number of reports that arrived without authentication: reports without a
 * valid signature, and reports by HTTPS.
 */
function arrivedUncounted({ doubtful, unauthenticated: posted }: DomainView): number {
  return [...doubtful, ...posted].reduce((total, row) => total + row.reports, 0);
}

/**
 * Returns the current state in one sentence. A failure has ended only if every reporter
 * that observed it has reported a success since: missing reports do not end a failure.
 */
export function domainHeadline(domainView: DomainView): string {
  switch (domainView.status) {
    case 'no-reports':
      return nothingCounted(domainView);
    case 'well':
      return wellLine(domainView);
    case 'ended':
      return 'The failures have ended: the affected reporters have reported no failure since.';
    case 'failing':
      return failingLine(domainView);
  }
}

/**
 * Returns the sentence for a domain without failures. It mentions counts that could not
 * be read, since they may be counts of failures.
 */
function wellLine({ repairs }: DomainView): string {
  const unread = repairs
    .filter(({ code }) => code === 'count-invalid')
    .reduce((count, { reports }) => count + reports, 0);
  return unread === 0
    ? 'Every reported session succeeded.'
    : `The reports count no failed session, but ${countOf(unread, 'report')} contained unreadable counts.`;
}

/**
 * Returns the sentence for a domain without authenticated reports, with the first step to
 * take. If no report arrived at all, a missing TXT record is the most likely cause.
 */
function nothingCounted(domainView: DomainView): string {
  const arrived = arrivedUncounted(domainView);
  if (domainView.domain === '' && arrived === 0)
    return 'Every report of these days names its domain, or none arrived.';
  if (domainView.unnamed > 0 && arrived === 0)
    return `${countOf(domainView.unnamed, 'report')} arrived that named no domain: hermetic report show ''`;
  if (arrived === 0)
    return 'Publish a record at _smtp._tls that names this receiver; the first reports come a day later.';
  return `${countOf(arrived, 'report')} arrived, none counted: ${whyUncounted(domainView)}.${howToAccept(domainView.doubtful)}`;
}

/**
 * Returns at most three reasons why reports are excluded from the sums, the most frequent
 * first.
 */
function whyUncounted({ doubtful, unauthenticated: posted }: DomainView): string {
  const reasons = [...new Set(doubtful.map(whyNotCounted))];
  if (posted.length > 0) reasons.push('HTTPS authenticates no reporter');
  const more = reasons.length > 3 ? ['other reasons'] : [];
  return [...reasons.slice(0, 3), ...more].join('; ');
}

/**
 * Returns the sentences that name the current failures and state whether senders deferred
 * mail. Only a policy in force makes a sender defer mail: after most failures mail is
 * delivered without verification.
 */
function failingLine(domainView: DomainView): string {
  const now = domainView.failures.filter((failure) => failure.ongoing);
  const where = [...new Set(now.map((failure) => clip(failure.host, 60) || partOf(failure)))]
    .slice(0, 5)
    .join(', ');
  const fates = new Set(now.map((failure) => failure.fate));
  const lost = deferred(domainView, now);
  const says: string[] = [];
  if (fates.has('kept-back')) {
    const sessions = lost > 0 ? countOf(lost, 'session') : 'Sessions';
    says.push(`${sessions} delivered no mail: senders defer it unless another host accepted it.`);
  }
  if (fates.has('unknown')) {
    const mail = fates.size > 1 ? 'other mail' : 'the mail';
    says.push(`These reports do not show whether senders deferred ${mail}.`);
  }
  if (says.length === 0) says.push(deliveredLine(fates));
  return `Failing now: ${where}. ${says.join(' ')}`;
}

/**
 * Returns the sentence for failures that deferred no mail. After a failed policy fetch it
 * does not claim that the mail was delivered, because a report does not show that.
 */
function deliveredLine(fates: ReadonlySet<Explanation['fate']>): string {
  return fates.has('cached-policy')
    ? 'No sender deferred mail because of this failure.'
    : 'The senders delivered the mail anyway.';
}

/**
 * Returns the name of the object that failed, for a failure without a host: the policy
 * file if its fetch failed, otherwise the sessions under the policy.
 */
function partOf({ policy, result }: Explanation): string {
  if (kindOf(result) === 'policy-file') return 'the MTA-STS policy';
  if (policy === 'no-policy-found') return 'sessions without a policy';
  return `sessions under ${policyName(policy)}`;
}

/**
 * Returns the number of deferred sessions, at most the number of failed sessions. The
 * counts of two policy types may contain the same sessions, so the larger count is used
 * instead of the sum.
 */
function deferred(domainView: DomainView, failures: readonly Explanation[]): number {
  const byPolicy = new Map<string, number>();
  for (const { fate, policy, sessions } of failures)
    if (fate === 'kept-back') byPolicy.set(policy, (byPolicy.get(policy) ?? 0) + sessions);
  return Math.min(Math.max(0, ...byPolicy.values()), domainView.sessions.failed);
}

/**
 * Returns one line for each day with reports: the sessions, the failures as a bar, and
 * the changes of the domain on that day. Returns no line if there are no failures and no
 * changes.
 */
function days({ timeline }: DomainView, lineWidth: number, paint: Paint): string[] {
  const shown = timeline.filter((dayRow) => dayRow.reports > 0 || dayRow.changes.length > 0);
  if (
    shown.length === 0 ||
    (shown.every((dayRow) => dayRow.failed === 0) &&
      shown.every((dayRow) => dayRow.changes.length === 0))
  )
    return [];
  // The length of a bar is relative to the busiest day, so that a day with little mail
  // has a short bar.
  const most = Math.max(...shown.map((dayRow) => dayRow.ok + dayRow.failed));
  return [
    paint('Day by day', 'bold') +
      paint('  sessions (each counted once), failed of them, changes', 'dim'),
    ...shown.flatMap((dayRow) => {
      const bar =
        dayRow.failed === 0
          ? ''
          : '#'.repeat(Math.max(1, Math.round((dayRow.failed / Math.max(1, most)) * 20)));
      const outputText = `  ${shortDay(dayRow.day).padEnd(11)}${formatCount(dayRow.ok + dayRow.failed).padStart(9)} ${(dayRow.failed === 0 ? '-' : formatCount(dayRow.failed)).padStart(7)}  `;
      return [
        `${outputText}${paint(bar, 'red')}`.trimEnd(),
        ...dayRow.changes.flatMap((change) =>
          paragraph(change, lineWidth, '             * ', '               '),
        ),
      ];
    }),
  ];
}

/**
 * Returns lines for at most twelve reporters, those with the most sessions, with the
 * number of their sessions by policy type.
 */
function senders(domainView: DomainView, lineWidth: number, paint: Paint): string[] {
  if (domainView.reporters.length === 0) return [];
  const shown = domainView.reporters.slice(0, 12);
  const count = ({ successful, failed }: Omit<KindSums, 'type'>): string =>
    `${formatCount(successful + failed)}${failed > 0 ? ` (${formatCount(failed)} failed)` : ''}`;
  // A sender with DANE and MTA-STS reports a session under both, so the sum of the
  // columns exceeds the number of sessions.
  const overlaps = shown.some(
    (reporterRow) => reporterRow.kinds.filter((kind) => kind.type !== 'no-policy-found').length > 1,
  );
  return [
    paint('Senders', 'bold') + paint('  sessions under each kind of policy', 'dim'),
    ...shown.map((reporterRow) => {
      const what = reporterRow.kinds
        .map((kind) => `${clip(policyName(kind.type), 20)} ${count(kind)}`)
        .join(', ');
      return `  ${clip(reporterRow.reporter, 28).padEnd(29)}${clip(what, lineWidth - 31)}`;
    }),
    ...(domainView.reporters.length > shown.length
      ? [`  and ${domainView.reporters.length - shown.length} more: --json`]
      : []),
    ...(overlaps
      ? paragraph(
          'Reporters list a session under MTA-STS and DANE twice. The sums count it once, with the larger number.',
          lineWidth,
          '  ',
        )
      : []),
    ...paragraph(coverageLine(domainView), lineWidth, '  '),
  ];
}

/**
 * Returns the sentence about the share of sessions that a policy protected. The share is
 * rounded down, so that 100 % means every session.
 */
export function coverageLine({ coverage: { sessions, covered } }: DomainView): string {
  const percent = sessions === 0 ? 0 : Math.floor((covered / sessions) * 100);
  return `${percent} % of the sessions were under MTA-STS or DANE (${formatCount(covered)} of ${formatCount(sessions)}).`;
}

/** The texts for the answers to the question "Safe to enforce MTA-STS?". */
export const enforceNames: Readonly<Record<DomainView['enforce']['answer'], string>> = {
  yes: 'Yes.',
  'not-yet': 'Not yet.',
  already: 'Already enforced.',
  'no-policy': 'No.',
  unclear: 'Unknown.',
};

/**
 * Returns lines that state whether enforcement is safe, which policies reporters applied,
 * and which TLSA records they quoted. After a change, senders may apply a cached policy
 * until its max_age ends (RFC 8461 §3.2), so reports with the old policy are expected.
 */
function policy(domainView: DomainView, lineWidth: number, paint: Paint): string[] {
  const { enforce, seenPolicies, quotedRecords } = domainView;
  const old = seenPolicies.filter((seenPolicy) => seenPolicy.state === 'other');
  return [
    paint('Policy', 'bold'),
    ...paragraph(
      `Safe to enforce MTA-STS? ${enforceNames[enforce.answer]} ${enforce.reasons.join(' ')}`,
      lineWidth,
      '  ',
      '    ',
    ),
    ...(seenPolicies.length > 0 &&
    old.length === 0 &&
    seenPolicies.every((seenPolicy) => seenPolicy.state === 'current')
      ? ['  Every reporter applies the currently published policy.']
      : []),
    ...old
      .slice(0, 5)
      .flatMap((seenPolicy) =>
        paragraph(
          `${seenPolicy.reporter} applied another policy on ${shortDay(seenPolicy.last)}: ${seenPolicy.differences.join('; ')}. Senders cache a policy until its max_age has passed.`,
          lineWidth,
          '  ',
          '    ',
        ),
      ),
    ...(quotedRecords.length > 0
      ? paragraph(recordLine(quotedRecords), lineWidth, '  ', '    ')
      : []),
  ];
}

function recordLine(records: DomainView['quotedRecords']): string {
  const quoted = records.map(
    ({ record, published, last }) =>
      `${record.slice(0, 20)}... (${publishedWord(published)}, last ${shortDay(last)})`,
  );
  const textLine = `TLSA records quoted: ${quoted.join('; ')}.`;
  if (!records.some(({ published }) => published === false)) return textLine;
  return `${textLine} Keep the old keys until no reporter quotes their records.`;
}

/**
 * Returns the words that state whether a quoted record is still published, or that this
 * was not checked.
 */
function publishedWord(published: boolean | 'unknown'): string {
  if (published === 'unknown') return 'not checked';
  return published ? 'published' : 'no longer published';
}

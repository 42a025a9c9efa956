import { countOf, formatCount } from '../../base/index.js';
import type { DomainView } from '../explain/domain-view.js';
import type { UncountedReports } from '../explain/overview.js';
import { MISSING_PROOF } from '../verify/judge-trust.js';
import { paragraph, shortDay, type Paint } from './layout.js';

/**
 * The texts for the reasons why reports are excluded from the sums, by the verdict on the
 * report. An unknown verdict is shown as it is stored.
 */
export const trustNames: Readonly<Record<string, string>> = {
  unsigned: 'the mail has no signature',
  broken: 'the signature is invalid',
  misaligned: 'another organisation signed',
  unverifiable: 'the key of the signature could not be looked up',
  'other-domain': 'the report is about a domain that neither --domain nor the configuration names',
  future: 'about future days',
  stale: 'the report is about days long past: it is very late, or an attacker replayed it',
  superseded: 'an authenticated report of the same id has other content',
};

/** The texts for the reasons in the mail, which are more specific than the verdict. */
const reasonNames: Readonly<Record<string, string>> = {
  'key-absent': 'the DKIM key of the signature is no longer published',
  'key-unusable': 'the DKIM key of the signature cannot be used',
  'key-for-other-service': 'the DKIM key of the signature is for other services',
  'key-testing': 'the domain of the signature only tests DKIM',
  'signature-malformed': 'the signature is malformed',
  'body-changed': 'the message was changed after it was signed',
  'header-changed': 'the header was changed after it was signed',
  'signature-expired': 'the signature has expired',
};

/** Returns the text for the reason why reports are excluded from the sums. */
export function uncountedName({ trust, reason }: Omit<UncountedReports, 'reports'>): string {
  return reasonNames[reason] ?? trustNames[trust] ?? trust;
}

/**
 * Returns the text for the reason why a report is excluded, with the detail of the
 * verification.
 */
export function whyNotCounted(row: DomainView['doubtful'][number]): string {
  const name = uncountedName(row);
  return row.detail === '' || row.trust === 'superseded' ? name : `${name} (${row.detail})`;
}

/**
 * Codes of reasons that a withdrawn DKIM key explains. The empty code is from older
 * versions, which stored no reason.
 */
const WITHDRAWN: readonly string[] = ['key-absent', 'key-unusable', ''];

/**
 * Returns the steps to accept reports that only lack a proof of the reporter. Keys of old
 * mail are often withdrawn, so the operator must vouch for an archive. Returns an empty
 * text for messages that were changed, which are never accepted.
 */
export function howToAccept(rows: readonly Omit<UncountedReports, 'reports'>[]): string {
  const unproved = rows.filter(lacksProof);
  if (unproved.length === 0) return '';
  const steps: string[] = [];
  if (unproved.some(({ trust }) => trust === 'unverifiable'))
    steps.push('Import the mail again when its key can be looked up.');
  if (unproved.some(({ trust, reason }) => trust === 'broken' && WITHDRAWN.includes(reason)))
    steps.push('A key that is no longer published cannot verify an old message.');
  steps.push(
    'The daemon accepts the mails of a mailbox with trusted: true, and report import --mailbox accepts them with --trusted.',
    'To accept an archive from a mailbox that you trust, extract the attachments and import them: hermetic report import --store FILE *.json.gz',
  );
  return steps.map((step) => ` ${step}`).join('');
}

function lacksProof({ trust, reason }: Omit<UncountedReports, 'reports'>): boolean {
  if (trust === 'unverifiable') return true;
  if (trust === 'broken' && WITHDRAWN.includes(reason)) return true;
  return MISSING_PROOF.some((missing) => missing === reason);
}

/**
 * Renders the section that tells whether reports arrive as usual. Lists reporters whose
 * reports stopped. If all reports stopped, the first sentence says so, because the likely
 * cause is the record or this receiver.
 */
export function arriving(view: DomainView, width: number, paint: Paint): string[] {
  const silent = view.arrivals.filter((arrival) => arrival.state === 'silent');
  if (view.arrivals.length === 0) return [];
  const fine = view.arrivals.filter((arrival) => arrival.state === 'fine').length;
  return [
    paint('Do reports arrive?', 'bold'),
    ...paragraph(
      view.silent
        ? 'No: no reporter has sent a report for the last day that is due. Check the record at _smtp._tls and this receiver.'
        : `${fine} of ${countOf(view.arrivals.length, 'reporter')} reported on the last day that is due.`,
      width,
      '  ',
      '    ',
    ),
    ...silent
      .slice(0, 5)
      .flatMap((arrival) =>
        paragraph(
          `${arrival.reporter} reported daily until ${shortDay(arrival.last)}.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...view.perhapsLoops
      .slice(0, 3)
      .flatMap((row) =>
        paragraph(
          `${row} has exactly one session every day: perhaps only the mail that carries its report.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...view.repairs
      .slice(0, 4)
      .flatMap((row) =>
        paragraph(
          `${row.reporter}: ${countOf(row.reports, 'report')} repaired. ${row.says} (${row.code})`,
          width,
          '  ',
          '    ',
        ),
      ),
  ];
}

/**
 * Renders the unauthenticated reports, one line for each source and day. Omits the
 * reporters' names, because any client can write any name into a report.
 */
export function unauthenticated(view: DomainView, width: number, paint: Paint): string[] {
  const rows = view.unauthenticated;
  if (rows.length === 0) return [];
  const shown = rows.slice(0, 5);
  return [
    paint('Not authenticated', 'bold') +
      paint('  reports over HTTPS; no decision depends on them', 'dim'),
    ...shown.flatMap((row) =>
      paragraph(
        `${shortDay(row.day)} from ${row.source || 'an unknown address'}: ${countOf(row.reports, 'report')}, ${countOf(row.successful + row.failed, 'session')}, ${formatCount(row.failed)} failed.`,
        width,
        '  ',
        '    ',
      ),
    ),
    ...(rows.length > shown.length
      ? [`  and ${countOf(rows.length - shown.length, 'line')} more: --json`]
      : []),
  ];
}

/**
 * Renders the reports that are excluded from the sums, with the reasons, and the number
 * of copies, so that the operator notices them.
 */
export function doubts(view: DomainView, width: number, paint: Paint): string[] {
  if (view.doubtful.length === 0 && view.repeated === 0 && view.reusedIds === 0) return [];
  return [
    paint('Not in the totals', 'bold'),
    ...view.doubtful
      .slice(0, 6)
      .flatMap((row) =>
        paragraph(
          `${countOf(row.reports, 'report')} that ${row.reports === 1 ? 'names' : 'name'} ${row.reporter} as the reporter: ${whyNotCounted(row)}.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...(view.repeated > 0
      ? paragraph(`${countOf(view.repeated, 'copy', 'copies')} of earlier reports.`, width, '  ')
      : []),
    ...(view.reusedIds > 0
      ? paragraph(
          `${countOf(view.reusedIds, 'report id')} used for different reports; all of them are included.`,
          width,
          '  ',
        )
      : []),
  ];
}

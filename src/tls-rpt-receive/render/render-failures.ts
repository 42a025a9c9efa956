import { clip, countOf, neutralise, wrap } from '../../base/index.js';
import type { Explanation } from '../explain/explain-group.js';
import { paragraph, shortDay, type Paint, type Style } from './layout.js';

/**
 * The words and the style for each cause. Faults that the domain can fix are red; faults
 * that only the reporter can fix are dim.
 */
const whose: Readonly<Record<Explanation['whose'], readonly [string, Style]>> = {
  yours: ['YOUR DOMAIN', 'red'],
  theirs: ['THE REPORTER', 'dim'],
  path: ['THE NETWORK', 'red'],
  unclear: ['UNCLEAR', 'yellow'],
};

/** The texts for the effects on the mail. */
export const fateNames: Readonly<Record<Explanation['fate'], string>> = {
  'kept-back':
    'not delivered to this host: senders try other hosts, or defer and finally bounce the mail',
  reported: 'delivered anyway; the policy is in mode testing',
  unprotected: 'delivered anyway, perhaps in plaintext, because no policy required TLS',
  'cached-policy': 'not deferred: the sender applied its cached policy',
  unknown: 'unknown: these reports do not show whether senders deferred the mail',
};

/**
 * Renders one block for each failure. Text of reporters is neutralised [8460-7-4]. All
 * labels are in one column, so that blocks can be compared line by line.
 */
export function renderFailures(
  failures: readonly Explanation[],
  lineWidth: number,
  paint: Paint,
): string[] {
  return failures.flatMap((failure, index) => [
    '',
    ...renderFailure(failure, index + 1, lineWidth, paint),
  ]);
}

/** Returns the period of a failure and the number of its sessions, as one phrase. */
export function describeExtent(failure: Explanation): string {
  return `${periodOf(failure)}; ${count(failure)}`;
}

/**
 * Returns the number of failed sessions as text. A report may describe a failure without
 * a number (RFC 8460 §4.4).
 */
function count({ sessions }: Explanation): string {
  return sessions > 0 ? countOf(sessions, 'session') : 'number of sessions unknown';
}

/** Returns the period of a failure: `Thu 26 Nov`, `since Fri 20 Nov, not ended`. */
function periodOf({ since, last, ongoing }: Explanation): string {
  const end = ongoing ? ', not ended' : '';
  if (since === last) return `${shortDay(since)}${end}`;
  return `since ${shortDay(since)}${ongoing ? end : `, last ${shortDay(last)}`}`;
}

/**
 * Returns the block of one failure: its type, period, effect on mail, cause and steps. It
 * shows at most three reasons and four addresses, since reporters choose their number.
 */
function renderFailure(
  failure: Explanation,
  nth: number,
  lineWidth: number,
  paint: Paint,
): string[] {
  const [word, style] = whose[failure.whose];
  const title = clip(
    `${nth}. ${failure.result}${failure.host === '' ? '' : ` at ${failure.host}`}`,
    lineWidth - word.length - 2,
  );
  const line = (label: string, outputText: string): string[] => [
    ...paragraph(outputText, lineWidth, `   ${label.padEnd(9)}`, ' '.repeat(12)),
  ];
  return [
    `${paint(title, 'bold')}${' '.repeat(Math.max(1, lineWidth - title.length - word.length))}${paint(word, style)}`,
    ...line('What', failure.says),
    ...line('When', `${describeExtent(failure)}, reported by ${failure.reporters.join(', ')}`),
    ...line('Mail', fateNames[failure.fate]),
    ...line('Cause', failure.because),
    ...(failure.settle === undefined ? [] : line('Needed', failure.settle)),
    ...failure.reasons
      .slice(0, 3)
      .flatMap((reason) =>
        line(
          'Reason',
          `${neutralise(reason.text, 160)}${reason.means === undefined ? '' : ` (${reason.means})`}`,
        ),
      ),
    ...(failure.addresses.length > 0
      ? line('Address', failure.addresses.slice(0, 4).join(', '))
      : []),
    ...(failure.certificate
      ? line(
          'Cert.',
          `${failure.certificate.names.slice(0, 4).join(', ')}, valid to ${failure.certificate.notAfter.slice(0, 16).replace('T', ' ')} UTC, key ${failure.certificate.spkiSha256.slice(0, 16)} (seen ${failure.certificate.seen.slice(0, 10)})`,
        )
      : []),
    ...failure.todo.flatMap((step, index) =>
      // Steps are texts of this program, which may contain commands of several lines.
      wrap(
        step,
        lineWidth,
        `   ${(index === 0 ? 'To do' : '').padEnd(9)}${index + 1}. `,
        ' '.repeat(15),
      ),
    ),
  ];
}

import { clip, neutralise, wrap } from '../../base/index.js';
import type { Explanation } from '../explain/explain-group.js';
import { paragraph, plural, shortDay, type Paint, type Style } from './layout.js';

const whose: Readonly<Record<Explanation['whose'], readonly [string, Style]>> = {
  yours: ['YOURS', 'red'],
  theirs: ['THEIRS', 'dim'],
  path: ['ON THE WAY', 'red'],
  unclear: ['UNCLEAR', 'yellow'],
};
const fates: Readonly<Record<Explanation['fate'], string>> = {
  'kept-back':
    'not delivered to this host: senders try the others; else it is deferred, and bounces in the end',
  reported: 'delivered all the same; the policy is in mode testing',
  unprotected: 'no policy asked for more: delivered all the same, perhaps in plaintext',
  'cached-policy':
    'not deferred because of this failure: the sender applied the policy that it had cached',
  unknown: 'not known: these reports do not say whether a policy deferred it',
};

/** One block for each failure, foreign text neutralised [8460-7-4]. */
export function renderFailures(
  failures: readonly Explanation[],
  width: number,
  paint: Paint,
): string[] {
  return failures.flatMap((failure, i) => ['', ...renderFailure(failure, i + 1, width, paint)]);
}

function count({ sessions }: Explanation): string {
  return sessions > 0 ? plural(sessions, 'session') : 'number of sessions not given';
}

/** The days of a failure: `26 Nov`, `since 20 Nov, not ended`. */
function periodOf({ since, last, ongoing }: Explanation): string {
  const end = ongoing ? ', not ended' : '';
  if (since === last) return `${shortDay(since)}${end}`;
  return `since ${shortDay(since)}${ongoing ? end : `, last ${shortDay(last)}`}`;
}

function renderFailure(f: Explanation, nth: number, width: number, paint: Paint): string[] {
  const [word, style] = whose[f.whose];
  const title = clip(
    `${nth}. ${f.result}${f.host === '' ? '' : ` at ${f.host}`}`,
    width - word.length - 2,
  );
  const line = (label: string, text: string): string[] => [
    ...paragraph(text, width, `   ${label.padEnd(9)}`, ' '.repeat(12)),
  ];
  return [
    `${paint(title, 'bold')}${' '.repeat(Math.max(1, width - title.length - word.length))}${paint(word, style)}`,
    ...line('What', f.says),
    ...line('When', `${periodOf(f)}; ${count(f)}, reported by ${f.reporters.join(', ')}`),
    ...line('Mail', fates[f.fate]),
    ...line('Cause', f.because),
    ...(f.settle === undefined ? [] : line('Open', `What would settle it: ${f.settle}`)),
    ...f.reasons
      .slice(0, 3)
      .flatMap((r) =>
        line('Reason', `${neutralise(r.text, 160)}${r.means === undefined ? '' : ` (${r.means})`}`),
      ),
    ...(f.addresses.length > 0 ? line('Address', f.addresses.slice(0, 4).join(', ')) : []),
    ...(f.certificate
      ? line(
          'Cert.',
          `${f.certificate.names.slice(0, 4).join(', ')}, valid to ${f.certificate.notAfter.slice(0, 16).replace('T', ' ')} UTC, key ${f.certificate.spkiSha256.slice(0, 16)} (seen ${f.certificate.seen.slice(0, 10)})`,
        )
      : []),
    ...f.todo.flatMap((step, i) =>
      // Steps are our own text, and may hold commands of several lines.
      wrap(step, width, `   ${(i === 0 ? 'To do' : '').padEnd(9)}${i + 1}. `, ' '.repeat(15)),
    ),
  ];
}

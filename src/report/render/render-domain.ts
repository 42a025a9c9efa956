import { clip, wrap } from '../../base/index.js';
import { sessionsOf, type DomainView, type KindSums } from '../explain/domain-view.js';
import { number, painter, plural, shortDay, type Paint } from './layout.js';
import { renderFailures } from './render-failures.js';

export interface RenderOptions {
  /** Columns, 80 to 120. Default 80. */
  readonly width?: number;
  readonly color?: boolean;
}

const kinds: Readonly<Record<string, string>> = {
  sts: 'MTA-STS',
  tlsa: 'DANE',
  'no-policy-found': 'no policy',
};
const trusts: Readonly<Record<string, string>> = {
  unsigned: 'mail without a signature',
  broken: 'a signature that does not hold',
  misaligned: "somebody else's signature",
  unverifiable: 'a signature whose key could not be had',
  'other-domain': 'about a domain that is not yours',
  future: 'about days to come',
  stale: 'about days long past: replayed, or very late',
};

/** What the reports say, on a terminal. Sections without anything to say are left out. Ends with a line feed. */
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
    'no-reports': 'NO REPORTS',
  } as const;
  const style =
    view.status === 'failing' ? 'red' : view.status === 'no-reports' ? 'yellow' : 'green';
  const word = words[view.status];
  const domain = clip(view.domain, width - word.length - 2);
  return [
    `${paint(domain, 'bold')}${' '.repeat(width - domain.length - word.length)}${paint(word, style)}`,
    ...wrap(
      `${shortDay(view.from)} to ${shortDay(view.to)} ${view.to.slice(0, 4)}: ${plural(view.reports, 'report')}. ${nowLine(view)}`,
      width,
    ),
  ];
}

function nowLine(view: DomainView): string {
  const now = view.failures.filter((f) => f.ongoing);
  const lost = now.filter((f) => f.fate === 'kept-back').reduce((n, f) => n + f.sessions, 0);
  const where = [...new Set(now.map((f) => f.host || 'the MTA-STS policy'))].join(', ');
  switch (view.status) {
    case 'no-reports':
      return 'Publish a record at _smtp._tls that names this receiver; the first reports come a day later.';
    case 'well':
      return 'Every session that was reported went well.';
    case 'ended':
      return 'Failures have ended; the last reports tell of none.';
    case 'failing':
      return `Failing now: ${where}. ${lost > 0 ? `${plural(lost, 'session')} did not deliver: that mail waits at its senders.` : 'The mail was delivered all the same.'}`;
  }
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
    paint('Day by day', 'bold') + paint('  sessions, failed of them, and what changed', 'dim'),
    ...shown.flatMap((d) => {
      const bar =
        d.failed === 0
          ? ''
          : '#'.repeat(Math.max(1, Math.round((d.failed / Math.max(1, most)) * 20)));
      const text = `  ${shortDay(d.day).padEnd(11)}${number(d.ok + d.failed).padStart(9)} ${(d.failed === 0 ? '-' : number(d.failed)).padStart(7)}  `;
      return [
        `${text}${paint(bar, 'red')}`.trimEnd(),
        ...d.changes.flatMap((change) => wrap(change, width, '             * ', '               ')),
      ];
    }),
  ];
}

function senders(view: DomainView, width: number, paint: Paint): string[] {
  if (view.reporters.length === 0) return [];
  const shown = view.reporters.slice(0, 12);
  const share = ({ successful, failed }: KindSums): string =>
    `${kinds[view.kinds.find(() => true)?.type ?? ''] ? '' : ''}${number(successful + failed)}${failed > 0 ? ` (${number(failed)} failed)` : ''}`;
  return [
    paint('Who sends', 'bold') +
      paint('  sessions under each kind of policy; a session may count under two', 'dim'),
    ...shown.map((r) => {
      const what = r.kinds
        .map((k) => `${kinds[k.type] ?? clip(k.type, 20)} ${share(k)}`)
        .join(', ');
      return `  ${clip(r.reporter, 28).padEnd(29)}${clip(what, width - 31)}`;
    }),
    ...(view.reporters.length > shown.length
      ? [`  and ${view.reporters.length - shown.length} more: --json`]
      : []),
    ...wrap(protectedLine(view), width, '  '),
  ];
}

function protectedLine(view: DomainView): string {
  const all = view.reporters.reduce((n, r) => n + sessionsOf(r), 0);
  const bare = view.kinds.find((k) => k.type === 'no-policy-found');
  const without = bare ? bare.successful + bare.failed : 0;
  const percent = all === 0 ? 0 : Math.round(((all - without) / all) * 100);
  return `${Math.max(0, percent)} % of the sessions were under MTA-STS or DANE.`;
}

function policy(view: DomainView, width: number, paint: Paint): string[] {
  const { enforce, seenPolicies, quotedRecords } = view;
  const answers = {
    yes: 'Yes.',
    'not-yet': 'Not yet.',
    already: 'It is.',
    'no-policy': 'No.',
    unclear: 'Cannot be told.',
  } as const;
  const old = seenPolicies.filter((p) => p.state === 'other');
  const gone = quotedRecords.filter((r) => r.published === false);
  return [
    paint('Policy', 'bold'),
    ...wrap(
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
        wrap(
          `${p.reporter} applied another policy on ${shortDay(p.last)}: ${p.differences.join('; ')}. Senders keep one until its max_age has passed.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...(quotedRecords.length > 0
      ? wrap(
          `TLSA records quoted: ${quotedRecords.map((r) => `${r.record.slice(0, 20)}... (${r.published === true ? 'published' : r.published === false ? 'no longer published' : 'not checked'}, last ${shortDay(r.last)})`).join('; ')}.${gone.length > 0 ? ' Wait until nobody quotes the old ones before their key goes.' : ''}`,
          width,
          '  ',
          '    ',
        )
      : []),
  ];
}

function arriving(view: DomainView, width: number, paint: Paint): string[] {
  const silent = view.arrivals.filter((a) => a.state === 'silent');
  if (view.arrivals.length === 0) return [];
  const fine = view.arrivals.filter((a) => a.state === 'fine').length;
  return [
    paint('Are reports coming?', 'bold'),
    ...wrap(
      view.silent
        ? 'No: nobody has reported on the last day that is due. Check the record at _smtp._tls and this receiver.'
        : `${fine} of ${plural(view.arrivals.length, 'reporter')} reported on the last day that is due.`,
      width,
      '  ',
      '    ',
    ),
    ...silent
      .slice(0, 5)
      .flatMap((a) =>
        wrap(`${a.reporter} reported daily, and last on ${shortDay(a.last)}.`, width, '  ', '    '),
      ),
    ...view.perhapsLoops
      .slice(0, 3)
      .flatMap((r) =>
        wrap(
          `${r} has exactly one session every day: perhaps nothing but the mail that brings its report.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...view.repairs
      .slice(0, 4)
      .flatMap((r) =>
        wrap(
          `${r.reporter}: ${plural(r.reports, 'report')} repaired. ${r.says} (${r.code})`,
          width,
          '  ',
          '    ',
        ),
      ),
  ];
}

function doubts(view: DomainView, width: number, paint: Paint): string[] {
  if (view.doubtful.length === 0 && view.repeated === 0 && view.reusedIds === 0) return [];
  return [
    paint('Kept out of the numbers', 'bold'),
    ...view.doubtful
      .slice(0, 6)
      .flatMap((d) =>
        wrap(
          `${plural(d.reports, 'report')} in the name of ${d.reporter}: ${trusts[d.trust] ?? d.trust}${d.detail ? ` (${d.detail})` : ''}.`,
          width,
          '  ',
          '    ',
        ),
      ),
    ...(view.repeated > 0
      ? wrap(
          `${plural(view.repeated, 'copy', 'copies')} of reports that had come before.`,
          width,
          '  ',
        )
      : []),
    ...(view.reusedIds > 0
      ? wrap(
          `${plural(view.reusedIds, 'report id')} used for different reports; all of them count.`,
          width,
          '  ',
        )
      : []),
  ];
}

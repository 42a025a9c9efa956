import { countOf, displayName } from '../../../base/index.js';
import type { StsEntry } from '../../../mta-sts/index.js';
import { badge, codeBox, dataTable, markup, type Markup, type Tone } from '../../../page/index.js';
import {
  trustNames,
  uncountedName,
  type ListedReport,
  type ListedReporter,
  type Overview,
  type ReadReport,
} from '../../../tls-rpt-receive/index.js';
import type { ListedAlarm } from '../../../watch/index.js';
import { stepList } from './domain-page.js';
import { domainPath, grouped, minuteOfTime, operatorPage, tabs } from './operator-layout.js';

/** Returns the page of reporters, with the first and the last day of their reports. */
export function reportersPage(
  reporters: readonly ListedReporter[],
  days: number,
): readonly Markup[] {
  const lead = `${countOf(reporters.length, 'reporter')} sent reports in the last ${days} days.`;
  return operatorPage({ title: 'Reporters', lead }, [
    reporters.length === 0 &&
      markup`<p>After each UTC day, senders report to the address in your TLS-RPT record.</p>`,
    reporters.length > 0 &&
      markup`<section class="wide">${dataTable(
        'Reporters, the most reports first',
        [
          { name: 'Reporter', cell: ({ reporter }: ListedReporter) => reporter },
          { name: 'Reports', cell: ({ reports }) => grouped(reports) },
          { name: 'First day', cell: ({ first }) => first },
          { name: 'Last day', cell: ({ last }) => last },
          { name: 'Authenticated', cell: ({ authenticated }) => (authenticated ? 'yes' : 'no') },
        ],
        reporters,
      )}</section>`,
  ]);
}

const selections = [
  ['/o/reports', 'All'],
  ['/o/reports?only=uncounted', 'Not counted'],
  ['/o/reports?only=odd', 'Nonconforming'],
] as const;

/** The tones for the verdicts on a report. */
const trustTones: Readonly<Record<string, Tone>> = {
  signed: 'good',
  given: 'good',
  posted: 'quiet',
};

/**
 * Returns the page of reports, the last arrived first, with the reasons why reports are
 * excluded from the sums.
 */
export function reportsPage(
  reports: readonly ListedReport[],
  {
    only,
    overview,
    more,
  }: { readonly only?: string | undefined; readonly overview: Overview; readonly more: boolean },
): readonly Markup[] {
  const current = only === undefined ? '/o/reports' : `/o/reports?only=${only}`;
  const last = reports.at(-1);
  const next = `/o/reports?${only === undefined ? '' : `only=${only}&`}before=${last?.id ?? 0}`;
  const isEmpty = reports.length === 0 && only === undefined;
  const lead = isEmpty ? 'No report has arrived.' : uncountedLine(overview);
  return operatorPage({ title: 'Reports', lead }, [
    tabs('Selection', selections, current),
    reports.length === 0
      ? !isEmpty && markup`<p>There is no such report.</p>`
      : markup`<section class="wide">${dataTable(
          'Reports, newest first',
          [
            {
              name: 'Reporter',
              cell: ({ id, reporter }: ListedReport) =>
                markup`<a href="/o/reports/${id}">${reporter}</a>`,
            },
            { name: 'Day', cell: ({ day }) => day ?? 'not given' },
            { name: 'Received', cell: ({ receivedAt }) => minuteOfTime(receivedAt) },
            { name: 'Trust', cell: ({ trust }) => badge(trust, trustTones[trust] ?? 'fair') },
            { name: 'Counted', cell: ({ counted }) => (counted ? 'yes' : 'no') },
          ],
          reports,
        )}</section>`,
    more && markup`<p><a href="${next}">Older reports</a></p>`,
  ]);
}

/**
 * Returns the sentences about reports that are excluded from the sums, and about refused
 * items.
 */
function uncountedLine({ uncounted, refused }: Overview): string {
  const aside = uncounted.map((row) => `${row.reports} (${uncountedName(row)})`);
  const turned = refused.map(({ refused: count, code, via }) => `${count} by ${via} (${code})`);
  if (aside.length + turned.length === 0) return 'Every report of these days is included.';
  return [
    aside.length > 0 ? `Not counted: ${aside.join(', ')}.` : '',
    turned.length > 0 ? `Refused: ${turned.join(', ')}.` : '',
  ].join(' ');
}

/** Maximum characters of a report that a page shows. */
const MAX_SHOWN = 100_000;

/**
 * Returns the page of one report as it was received, with its departures from RFC 8460.
 */
export function reportPage(report: ReadReport): readonly Markup[] {
  const { id, reporter, day, receivedAt, via, trust, trustDetail, counted, notes, text } = report;
  const lead = `${counted ? 'Counted' : 'Not counted'}: ${trustNames[trust] ?? trust}${trustDetail === '' ? '' : ` (${trustDetail})`}.`;
  return operatorPage({ title: `Report ${id}`, lead }, [
    markup`<dl><dt>Reporter</dt><dd>${reporter}</dd><dt>Day</dt><dd>${day ?? 'not given'}</dd>
      <dt>Received</dt><dd>${minuteOfTime(receivedAt)} by ${via}</dd></dl>`,
    notes.length > 0 &&
      markup`<section><h2>Departures from RFC 8460</h2><ul class="notes">${notes.map(({ code, says }) => markup`<li>${says} <span class="soft">${code}</span></li> `)}</ul></section>`,
    markup`<section><h2>Content</h2>${content(text)}</section>`,
  ]);
}

/** Returns a box with the content of a report, or with the beginning of a long report. */
function content(text: string | undefined): Markup {
  if (text === undefined) return markup`<p>The daemon can no longer unpack the content.</p>`;
  if (text.length <= MAX_SHOWN) return codeBox(indented(text), 'Report');
  return markup`<p>The report has ${text.length} characters. Its beginning:</p>
    ${codeBox(text.slice(0, MAX_SHOWN), 'Report')}`;
}

/** Returns JSON with line ends and indentation, and other text unchanged. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

const kinds: Readonly<Record<ListedAlarm['kind'], readonly [word: string, tone: Tone]>> = {
  added: ['began', 'bad'],
  worse: ['became worse', 'bad'],
  ended: ['ended', 'good'],
};

/** Returns the block of one alarm, with the domain, the time and the steps. */
function alarmBlock({ kind, domain, says, at, todo, waiting }: ListedAlarm): Markup {
  const [word, tone] = kinds[kind];
  const pending = waiting.length > 0 ? `; not accepted yet by ${waiting.join(', ')}` : '';
  return markup`<article class="group-of">
    <div class="fix-head"><h3>${says}</h3>${badge(word, tone)}</div>
    <p class="soft"><a href="${domainPath(domain, '/checks')}">${displayName(domain)}</a>, ${minuteOfTime(at)}${pending}</p>
    ${kind !== 'ended' && todo.length > 0 && stepList(todo)}
  </article>`;
}

/** The data of the page of alarms. */
export interface AlertsView {
  readonly alarms: readonly ListedAlarm[];
  /** The number of open alarms. */
  readonly open: number;
  /** The muted domains, each with the time until which it is muted. */
  readonly muted: readonly (readonly [domain: string, until: number])[];
  /** The token for forms; undefined for accounts that may not mute domains. */
  readonly token: string | undefined;
}

/** Returns the page with the alarms of the watch, newest first. */
export function alertsPage({ alarms, open, muted, token }: AlertsView): readonly Markup[] {
  const verb = open === 1 ? 'alarm is' : 'alarms are';
  const lead = open === 0 ? 'No alarm is open.' : `${open} ${verb} open.`;
  return operatorPage({ title: 'Alerts', lead }, [
    alarms.length === 0 && markup`<p>The watch has reported no alarm.</p>`,
    alarms.length > 0 &&
      markup`<section><h2>Began and ended, newest first</h2>${alarms.map(alarmBlock)}</section>`,
    token !== undefined && muteForm(muted, token),
  ]);
}

/** Returns the list of muted domains, and the form to mute a domain. */
function muteForm(muted: AlertsView['muted'], token: string): Markup {
  const fields = (domain: string, hours: string, says: string): Markup =>
    markup`<form method="post" action="/o/alerts/mute"><input type="hidden" name="token" value="${token}" />
      <input type="hidden" name="domain" value="${domain}" /><input type="hidden" name="hours" value="${hours}" />
      <button class="link">${says}</button></form>`;
  return markup`<section><h2>Mute a domain</h2>
    <p>Channels receive its alarms after that time. No alarm is lost.</p>
    ${muted.map(([domain, until]) => markup`<p>${displayName(domain)} until ${minuteOfTime(until)} ${fields(domain, '0', 'End')}</p>`)}
    <form class="field" method="post" action="/o/alerts/mute"><input type="hidden" name="token" value="${token}" />
      <label for="mute">Domain</label><input id="mute" name="domain" required maxlength="253" autocapitalize="none" />
      <label for="hours">Hours</label>
      <input id="hours" name="hours" type="number" min="1" max="720" value="24" required />
      <p><button class="plain">Mute</button></p></form></section>`;
}

/** Returns the page with the configuration in force. */
export function settingsPage(configuration: string | undefined): readonly Markup[] {
  const lead = 'The configuration in force, with every default. Secrets are hidden.';
  return operatorPage({ title: 'Settings', lead }, [
    configuration === undefined
      ? markup`<p>This program runs without a configuration file.</p>`
      : markup`<div class="wide">${codeBox(configuration.trimEnd(), 'Configuration')}</div>`,
  ]);
}

/**
 * Returns the page with the cached policies that the senders of this machine apply, and
 * with failing fetches.
 */
export function sendingPage(entries: readonly StsEntry[]): readonly Markup[] {
  const lead =
    entries.length === 0
      ? 'The senders of this machine have cached no MTA-STS policy.'
      : `The senders of this machine apply ${entries.length} cached MTA-STS policies.`;
  return operatorPage({ title: 'Sending', lead }, [
    entries.length > 0 &&
      markup`<section class="wide">${dataTable(
        'Cached policies',
        [
          { name: 'Domain', cell: ({ domain }: StsEntry) => displayName(domain) },
          { name: 'Mode', cell: ({ policy }) => policy?.mode ?? 'none' },
          {
            name: 'Fetched',
            cell: ({ policy }) => (policy ? minuteOfTime(policy.fetchedAt) : 'never'),
          },
          { name: 'MX hosts', cell: ({ policy }) => policy?.mx.join(', ') ?? '' },
          {
            name: 'Failed fetches',
            cell: ({ failed }) =>
              failed ? `${failed.count}, last ${failed.failure.code}` : 'none',
          },
        ],
        entries,
      )}</section>`,
    markup`<section><h2>Mail that is deferred</h2>
      <p>Your mail server keeps the queue. This command explains why mail to a domain is deferred:</p>
      ${codeBox('hermetic policy example.com', 'Command')}</section>`,
  ]);
}

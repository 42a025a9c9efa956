import { displayName } from '../../../base/index.js';
import { badge, codeBox, dataTable, markup, type Markup, type Tone } from '../../../page/index.js';
import {
  coverageLine,
  describeExtent,
  domainHeadline,
  enforceNames,
  fateNames,
  whyNotCounted,
  type DomainView,
  type Explanation,
  type FaultParty,
} from '../../../tls-rpt-receive/index.js';
import { dayChart } from './day-chart.js';
import { domainPath, grouped, operatorPage, tabs } from './operator-layout.js';

/** The words and the tone for the cause of a failure. */
const parties: Readonly<Record<FaultParty, readonly [word: string, tone: Tone]>> = {
  yours: ['your domain', 'bad'],
  theirs: ['the reporter', 'quiet'],
  path: ['the network', 'bad'],
  unclear: ['unclear', 'fair'],
};

/** The lengths of the periods that a page offers, in days. */
const spans = [14, 30, 90] as const;

/**
 * Returns the page with the reports about one domain: the days, the failures with cause
 * and steps, and the reporters.
 */
export function domainPage(view: DomainView, days: number): readonly Markup[] {
  const { domain } = view;
  return [
    ...operatorPage({ title: displayName(domain), lead: domainHeadline(view) }, [
      domainTabs(domain, ''),
    ]),
    ...domainReportSections(
      view,
      tabs(
        'Days',
        spans.map((span) => [`${domainPath(domain)}?days=${span}`, `${span} days`]),
        `${domainPath(domain)}?days=${days}`,
      ),
    ),
  ];
}

/**
 * Returns the sections about the reports of a domain: facts, days, failures with cause
 * and steps, and reporters. `periods`: links to other periods.
 */
export function domainReportSections(view: DomainView, periods?: Markup): readonly Markup[] {
  const { failures } = view;
  return [
    facts(view),
    markup`<section><h2>Sessions by day</h2>${periods}${dayChart(view)}</section>`,
    markup`<section><h2>Failures</h2>
      ${failures.length === 0 && markup`<p>No failed session was reported from ${view.from} to ${view.to}.</p>`}
      ${failures.map(failureGroup)}</section>`,
    enforcement(view),
    reporters(view),
    doubts(view),
  ].filter((part): part is Markup => part instanceof Object);
}

/** Returns links to all pages about one domain. */
export function domainTabs(
  domain: string,
  current: '' | '/checks' | '/published' | '/plan',
): Markup {
  return tabs(
    'Pages of the domain',
    [
      [domainPath(domain), 'Reports'],
      [domainPath(domain, '/checks'), 'Checks'],
      [domainPath(domain, '/published'), 'Published'],
      [domainPath(domain, '/plan'), 'Plan'],
    ],
    domainPath(domain, current),
  );
}

function facts(view: DomainView): Markup {
  const { reports, sessions, coverage } = view;
  const all = sessions.successful + sessions.failed;
  // The share is rounded down, so that 100 % means every session.
  const percent =
    coverage.sessions === 0 ? 0 : Math.floor((coverage.covered / coverage.sessions) * 100);
  return markup`<dl class="facts">
    <div><dt>sessions</dt><dd>${grouped(all)}</dd></div>
    <div><dt>failed</dt><dd>${grouped(sessions.failed)}</dd></div>
    <div><dt>under MTA-STS or DANE</dt><dd>${percent} %</dd></div>
    <div><dt>reports</dt><dd>${grouped(reports)}</dd></div>
  </dl>`;
}

/** Returns one group of failures: type, period, effect on mail, cause and steps. */
function failureGroup(failure: Explanation): Markup {
  const { result, host, says, whose, because, fate, settle, todo, reporters: by } = failure;
  const [word, tone] = parties[whose];
  const where = host === '' ? '' : ` at ${host}`;
  return markup`<article class="group-of">
    <div class="fix-head"><h3>${says}</h3>${badge(`cause: ${word}`, tone)}</div>
    <p class="soft">${result}${where}</p>
    <dl>
      <dt>When</dt><dd>${describeExtent(failure)}, reported by ${by.join(', ')}</dd>
      <dt>Mail</dt><dd>${fateNames[fate]}</dd>
      <dt>Cause</dt><dd>${because}</dd>
      ${settle !== undefined && markup`<dt>Needed</dt><dd>${settle}</dd>`}
      ${failure.addresses.length > 0 && markup`<dt>Addresses</dt><dd>${failure.addresses.slice(0, 8).join(', ')}</dd>`}
      ${failure.reasons.length > 0 && markup`<dt>Reasons</dt><dd>${failure.reasons.slice(0, 3).map(({ text, means }) => markup`<q>${text}</q>${means !== undefined && ` (${means})`} `)}</dd>`}
      ${failure.certificate && markup`<dt>Certificate</dt><dd>${failure.certificate.names.slice(0, 4).join(', ')}, valid until ${failure.certificate.notAfter.slice(0, 10)}</dd>`}
    </dl>
    <h4>Steps</h4>
    ${stepList(todo)}
  </article>`;
}

/** Returns the list of steps. In a step, the lines after the first are text to copy. */
export function stepList(steps: readonly string[]): Markup {
  const items = steps.map((step) => {
    const [instruction, ...code] = step.split('\n');
    return markup`<li>${instruction}${code.length > 0 && codeBox(code.join('\n'), 'Text to paste')}</li> `;
  });
  return markup`<ol>${items}</ol>`;
}

/**
 * Returns the section that states whether enforcement is safe, and which policies and
 * records reporters used.
 */
function enforcement({ enforce, seenPolicies, quotedRecords }: DomainView): Markup {
  const old = seenPolicies.filter(({ state }) => state === 'other');
  const current = seenPolicies.filter(({ state }) => state === 'current').length;
  const retired = quotedRecords.filter(({ published }) => published === false);
  return markup`<section><h2>Is it safe to enforce MTA-STS?</h2>
    <p><b>${enforceNames[enforce.answer]}</b> ${enforce.reasons.join(' ')}</p>
    ${seenPolicies.length > 0 && markup`<p>${current} of ${seenPolicies.length} reporters applied the currently published policy.</p>`}
    ${old.length > 0 && markup`<h3>Old policies that reporters applied</h3><ul class="notes">${old.map(({ reporter, last, differences }) => markup`<li>${reporter}, last on ${last}: ${differences.join('; ')}</li> `)}</ul>`}
    ${quotedRecords.length > 0 && markup`<h3>Is it safe to remove the old key?</h3><p>${retired.length === 0 ? 'The domain publishes every TLSA record that reporters quote, or no check has read the records.' : `${retired.length} TLSA records that reporters quote are no longer published. Keep the keys of these records until no reporter quotes the records.`}</p>`}
  </section>`;
}

function reporters(view: DomainView): Markup | false {
  if (view.reporters.length === 0) return false;
  const arrivals = new Map(view.arrivals.map((arrival) => [arrival.reporter, arrival]));
  const table = dataTable(
    'Reporters, the most sessions first',
    [
      { name: 'Reporter', cell: ({ reporter }) => reporter },
      { name: 'Sessions', cell: ({ sessions }) => grouped(sessions.successful + sessions.failed) },
      { name: 'Failed', cell: ({ sessions }) => grouped(sessions.failed) },
      { name: 'Arrival', cell: ({ reporter }) => arrivalText(arrivals.get(reporter)) },
    ],
    view.reporters.slice(0, 50),
  );
  return markup`<section class="wide"><h2>Reporters</h2><p>${coverageLine(view)}</p>${table}</section>`;
}

function arrivalText(arrival: DomainView['arrivals'][number] | undefined): string {
  if (!arrival) return '';
  return arrival.state === 'silent' ? `silent since ${arrival.last}` : arrival.state;
}

/**
 * Returns the section about reports that are excluded from the sums, with the reasons;
 * false if there is no such report.
 */
function doubts({ doubtful, unauthenticated, repairs }: DomainView): Markup | false {
  const posted = unauthenticated.reduce((sum, { reports }) => sum + reports, 0);
  if (doubtful.length === 0 && posted === 0 && repairs.length === 0) return false;
  return markup`<section><h2>Reports without effect on decisions</h2>
    <ul class="notes">
      ${posted > 0 && markup`<li>${posted} reports arrived over HTTPS, which authenticates no reporter.</li>`}
      ${doubtful.slice(0, 20).map((row) => markup`<li>${row.reports} of ${row.reporter}: ${whyNotCounted(row)}</li> `)}
      ${repairs.slice(0, 20).map(({ reporter, reports, says }) => markup`<li>${reports} of ${reporter} were repaired: ${says}</li> `)}
    </ul></section>`;
}

/** Returns a box with the text of a policy. */
export function policyBox(body: string): Markup {
  return codeBox(body.replaceAll('\r\n', '\n').trim(), 'Policy file');
}

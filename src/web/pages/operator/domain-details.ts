import { displayName } from '../../../base/index.js';
import { verdictNames, verdictTones } from '../../../check/index.js';
import type { CheckResult } from '../../../evidence/index.js';
import { badge, dataTable, markup, type Markup } from '../../../page/index.js';
import type { LedgerNote, ServedPolicy } from '../../../publish/index.js';
import type { DomainState } from '../../../watch/index.js';
import type { CheckRow } from '../../checks/check-table.js';
import { domainTabs, policyBox, stepList } from './domain-page.js';
import { domainPath, minuteOfTime, operatorPage } from './operator-layout.js';

/** The data of the page with the checks of one domain. */
export interface ChecksView {
  readonly domain: string;
  readonly watched?: DomainState | undefined;
  /** The results that the jobs of the daemon stored, newest first. */
  readonly results: readonly CheckResult[];
  /** The checks that were started on the check page, newest first. */
  readonly rows: readonly CheckRow[];
}

/**
 * Returns the page with the faults that the watch has confirmed, and the history of
 * checks.
 */
export function checksPage({ domain, watched, results, rows }: ChecksView): readonly Markup[] {
  const lead = watched
    ? `The watch last checked the domain on ${minuteOfTime(watched.lookedAt)}: ${watched.verdict}.`
    : 'The watch does not include this domain.';
  return operatorPage({ title: displayName(domain), lead }, [
    domainTabs(domain, '/checks'),
    markup`<form method="post" action="/check" class="field"><input type="hidden" name="domain" value="${domain}" />
      <button>Check now</button></form>`,
    watched && watched.faults.length > 0 && faults(watched),
    rows.length > 0 &&
      markup`<section class="wide"><h2>Checks from this page</h2>${dataTable(
        'Checks, newest first',
        [
          {
            name: 'Time',
            cell: ({ id, askedAt }: CheckRow) =>
              markup`<a href="/check/${id}">${minuteOfTime(askedAt)}</a>`,
          },
          { name: 'State', cell: ({ state }) => state },
          {
            name: 'Compared',
            cell: ({ previous }) =>
              previous === undefined
                ? ''
                : markup`<a href="/check/${previous}">with the previous one</a>`,
          },
        ],
        rows,
      )}</section>`,
    results.length > 0 &&
      markup`<section class="wide"><h2>Checks of the daemon</h2>${dataTable(
        'Results, newest first',
        [
          {
            name: 'Time',
            cell: ({ checkedAt }: CheckResult) => `${checkedAt.slice(0, 16).replace('T', ' ')} UTC`,
          },
          {
            name: 'Verdict',
            cell: ({ verdict }) => badge(verdictNames[verdict], verdictTones[verdict]),
          },
          { name: 'Worst finding', cell: worstFinding },
        ],
        results,
      )}</section>`,
  ]);
}

function worstFinding({ findings }: CheckResult): string {
  return (
    findings.find(({ severity }) => severity === 'fail' || severity === 'warn')?.title ?? 'none'
  );
}

function faults({ faults: all }: DomainState): Markup {
  return markup`<section><h2>Faults found by the watch</h2>${all.map(
    ({ says, subjects, since, todo }) => markup`<article class="group-of">
      <h3>${says}</h3>
      <p class="soft">${subjects.join(', ')}, since ${minuteOfTime(since)}</p>
      ${stepList(todo)}</article>`,
  )}</section>`;
}

/** The data of the page about the publishing of one domain. */
export interface PublishedView {
  readonly domain: string;
  /** The served policies that the ledger contains, oldest first. */
  readonly served: readonly ServedPolicy[];
  readonly body: string | undefined;
  readonly notes: readonly LedgerNote[];
  readonly failures: readonly { readonly action: string; readonly at: number }[];
}

/**
 * Returns the page with the served policy, earlier policies that senders may have cached,
 * and the ledger.
 */
export function publishedPage(view: PublishedView): readonly Markup[] {
  const { domain, served, body, notes, failures } = view;
  const current = served.at(-1);
  const lead = current
    ? `The policy is in mode ${current.mode} and is cached for ${Math.round(current.maxAge / 86_400)} days.`
    : 'This daemon publishes no policy for the domain.';
  return operatorPage({ title: displayName(domain), lead }, [
    domainTabs(domain, '/published'),
    body !== undefined && markup`<section><h2>Policy file</h2>${policyBox(body)}</section>`,
    served.length > 0 &&
      markup`<section class="wide"><h2>Policies that senders may have cached</h2>${dataTable(
        'Policies, newest first',
        [
          { name: 'Id', cell: ({ id }: ServedPolicy) => id.slice(0, 16) },
          { name: 'Mode', cell: ({ mode }) => mode },
          { name: 'Served since', cell: ({ first }) => minuteOfTime(first) },
          {
            name: 'Announced',
            cell: ({ announced }) => (announced ? minuteOfTime(announced.at) : 'not yet'),
          },
          { name: 'Replaced', cell: ({ last }) => (last === undefined ? '' : minuteOfTime(last)) },
        ],
        [...served].reverse(),
      )}</section>`,
    failures.length > 0 &&
      markup`<section><h2>Failed actions</h2><ul class="notes">${failures.map(({ action, at }) => markup`<li>${action}, ${minuteOfTime(at)}</li> `)}</ul></section>`,
    notes.length > 0 &&
      markup`<section><h2>Executed actions</h2><ul class="notes">${notes.map(({ at, says }) => markup`<li>${minuteOfTime(at)}: ${says}</li> `)}</ul></section>`,
    markup`<p><a href="${domainPath(domain, '/plan')}">The next steps and their reasons</a></p>`,
  ]);
}

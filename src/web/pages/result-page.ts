import type { directionNames } from '../../check/index.js';
import { domainReport, profiles } from '../../check/index.js';
import type { CheckResult, Comparison } from '../../evidence/index.js';
import { badge, dataTable, markup, type Markup, type Tone } from '../../page/index.js';
import type { CheckRow } from '../checks/check-table.js';

/** The data of the page of a finished check. */
export interface ResultView {
  readonly row: CheckRow;
  readonly result: CheckResult;
  /** The difference from the earlier check that this check repeats. */
  readonly comparison?: Comparison | undefined;
}

/** Returns the permanent page of a result: the report, the downloads and the links. */
export function resultPage({ row, result, comparison }: ResultView): readonly Markup[] {
  const { id } = row;
  return [
    markup`<div class="tools">
      <span>Checked ${minuteOf(result.checkedAt)}</span>
      <form method="post" action="/check/${id}/again"><button class="link">Check again</button></form>
      <a href="#share">Share and download</a>
    </div>`,
    ...(comparison ? [comparisonSection(comparison)] : []),
    domainReport(result, 'domain-1'),
    shareSection(row, result.profile),
  ];
}

const directionTones: Readonly<Record<keyof typeof directionNames, Tone>> = {
  worse: 'bad',
  unclear: 'fair',
  better: 'good',
  changed: 'quiet',
};

/**
 * Returns the section with the differences between two checks of a domain, changes for
 * the worse first.
 */
function comparisonSection({ before, changes }: Comparison): Markup {
  const since = `the check of ${minuteOf(before)}`;
  if (changes.length === 0) return markup`<p class="calm">Nothing has changed since ${since}.</p>`;
  const table = dataTable(
    'Changes, worse ones first',
    [
      {
        name: 'Fact',
        cell: ({ what, subject }) => markup`${what} <span class="says">${subject}</span>`,
      },
      { name: 'Before', cell: ({ before: old }) => old },
      { name: 'Now', cell: ({ after }) => after },
      {
        name: 'Direction',
        cell: ({ direction }) => badge(direction, directionTones[direction]),
      },
    ],
    changes,
  );
  return markup`<section class="wide"><h2>Changes since ${since}</h2>${table}</section>`;
}

/** Returns the section with the downloads, the badge and links to other profiles. */
function shareSection({ id }: CheckRow, profileName: string): Markup {
  const options = profiles.map(
    ({ name }) =>
      markup`<option value="${name}"${name === profileName && markup` selected`}>${name}</option> `,
  );
  return markup`<section class="share" id="share">
    <h2>Share and download</h2>
    <p>The address of this page is the address of this result. No page lists the result.</p>
    <p><a href="/check/${id}/result.json">Result as JSON</a> · <a href="/check/${id}/evidence.json">Evidence</a>,
      which <code>hermetic grade</code> reads · <a href="/check/${id}/badge.svg">Badge</a></p>
    <form method="get" action="/check/${id}" class="field">
      <label for="profile">Grade by other rules</label>
      <div class="line">
        <select id="profile" name="profile">${options}</select>
        <button class="plain">Grade</button>
      </div>
      <p class="hint">Hermetic grades the saved evidence again and contacts no server.</p>
    </form>
  </section>`;
}

/** Returns the page of a check that could not be completed. */
export function failedPage(
  { id, domain }: CheckRow,
  { message, fix }: { readonly message: string; readonly fix: string },
): Markup {
  return markup`<header class="hero">
    <div class="hero-line"><h1>${domain}</h1>${badge('NOT COMPLETED', 'fair')}</div>
    <p class="lead">${message}</p>
    <p class="more">${fix}</p>
    <form method="post" action="/check/${id}/again" class="field"><button>Check again</button></form>
  </header>`;
}

/**
 * Returns a time in the form of RFC 3339 as text to the minute: `2026-11-30 04:12 UTC`.
 */
export function minuteOf(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}

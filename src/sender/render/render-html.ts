import { attackNames, cellOf } from '../../check/index.js';
import { badge, dataTable, markup, pageShell, type Markup, type Tone } from '../../page/index.js';
import { attacks } from '../../tls-policy/index.js';
import { senderCase } from '../cases/all-cases.js';
import { domainNames, mechanismNames, metTones } from '../predict/render-prediction.js';
import type { CaseResult, SenderTestResult } from '../verdict.js';
import { domainRows, testHeadline, identityLines } from './render-test.js';
import {
  adviceFor,
  mechanismReason,
  mechanismWord,
  noteText,
  reportLines,
  verdictWord,
} from './words.js';

/** Renders the result of a test as one page without external resources. */
export function renderSenderHtml(result: SenderTestResult): string {
  return pageShell({
    title: 'Sender test',
    top: markup`<strong>Hermetic</strong> sender test`,
    date: result.judgedAt,
    main: [
      markup`<h1>${testHeadline(result)}</h1>
        ${identityLines(result).map((line) => markup`<p>${line}</p>`)}`,
      section('Mechanisms', mechanismTable(result)),
      section('Mail from this sender under attack', attackTable(result)),
      section('Cases', caseTable(result.cases)),
      ...listSection('TLS reports', reportLines(result)),
      ...listSection('Next steps', adviceFor(result)),
    ],
    footer:
      'A missing connection does not prove a refusal: a case without an attempt has no result.',
  });
}

function section(title: string, content: Markup): Markup {
  return markup`<section class="wide"><h2>${title}</h2>${content}</section>`;
}

/** Returns a section with a list; empty without items. */
function listSection(title: string, items: readonly string[]): readonly Markup[] {
  if (items.length === 0) return [];
  return [section(title, markup`<ul>${items.map((item) => markup`<li>${item}</li>`)}</ul>`)];
}

function mechanismTable({ mechanisms }: SenderTestResult): Markup {
  return dataTable(
    'Mechanisms of the sender',
    [
      { name: 'Mechanism', cell: (one) => mechanismNames[one.mechanism] },
      { name: 'Use', cell: (one) => badge(...badgeOf(mechanismWord(one))) },
      { name: 'Cases', cell: mechanismReason },
    ],
    mechanisms,
  );
}

function badgeOf([word, tone]: readonly [string, Tone]): [string, Tone] {
  return [word, tone];
}

/** Returns the exposure table of a sender, by class of receiving domain and attack. */
export function attackTable({ exposure }: SenderTestResult): Markup {
  return dataTable(
    'By class of receiving domain, without an attack and under each attack',
    [
      { name: 'Mail', cell: (row) => domainNames[row] },
      ...attacks.map((attack) => ({
        name: attackNames[attack],
        cell: (row: (typeof domainRows)[number]) => {
          const { word, tone } = cellOf(row, attack, exposure[row][attack]);
          return badge(word, tone);
        },
      })),
    ],
    domainRows,
  );
}

function caseTable(cases: readonly CaseResult[]): Markup {
  return dataTable(
    'Cases with their verdicts',
    [
      { name: 'Case', cell: (one) => one.case },
      { name: 'Receiver', cell: (one) => senderCase(one.case)?.says ?? '' },
      { name: 'Verdict', cell: (one) => badge(verdictWord(one), metTones[one.met]) },
      { name: 'Notes', cell: (one) => noteText(one.notes) },
      { name: 'Clause', cell: (one) => senderCase(one.case)?.clause ?? '' },
    ],
    cases,
  );
}

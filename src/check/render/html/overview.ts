import { displayName } from '../../../base/index.js';
import type { CheckResult, Topic } from '../../../evidence/index.js';
import { badge, dataTable, markSign, markup, type Markup } from '../../../page/index.js';
import { overviewRows, verdictCounts, type OverviewRow } from '../overview-rows.js';
import { markSigns, markTones, type Mark } from '../scorecard.js';
import { verdictNames, verdictTones } from '../words.js';

/** Topics of the scorecard that distinguish domains, with short names. */
const columns: readonly { readonly topic: Topic; readonly name: string }[] = [
  { topic: 'dnssec', name: 'DNSSEC' },
  { topic: 'starttls', name: 'STARTTLS' },
  { topic: 'tls-version', name: 'TLS' },
  { topic: 'cipher', name: 'Ciphers' },
  { topic: 'certificate', name: 'Cert' },
  { topic: 'dane', name: 'DANE' },
  { topic: 'mta-sts', name: 'MTA-STS' },
  { topic: 'tls-rpt', name: 'TLS-RPT' },
];

/** The sign of a mark with its meaning for screen readers. */
const sign = (mark: Mark, label: string): Markup =>
  markSign({ sign: markSigns[mark], tone: markTones[mark], label });

/**
 * All domains in one table, worst first; each name leads to its report. The signs have a
 * legend below the table, and each one has its meaning as a label.
 */
export function overview(results: readonly CheckResult[], title: string): Markup {
  const rows = overviewRows(results);
  const table = dataTable<OverviewRow>(
    'Domains, the worst first',
    [
      { name: 'Domain', cell: nameCell },
      {
        name: 'Verdict',
        cell: ({ result }) => badge(verdictNames[result.verdict], verdictTones[result.verdict]),
      },
      ...columns.map(({ topic, name }) => ({
        name,
        cell: ({ scores }: OverviewRow) => {
          const score = scores.find((score) => score.topic === topic);
          return score ? sign(score.mark, `${score.mark}: ${score.value}`) : '';
        },
      })),
      { name: 'Expires', cell: ({ expires }) => expires ?? '' },
    ],
    rows,
  );
  return markup`<div class="hero">
      <h1>${title}</h1>
      <p class="lead">${verdictCounts(results)}</p>
    </div>
    <section class="card overview">${table}</section>
    <p class="signs soft">
      ${sign('pass', 'tick')} pass ${sign('warn', 'exclamation mark')} warning
      ${sign('fail', 'cross')} fail ${sign('unknown', 'question mark')} unknown
      ${sign('absent', 'dash')} not in use
    </p>`;
}

/** The domain as a link to its report, with its worst finding. */
function nameCell({ result, nth }: OverviewRow): Markup {
  const worst = result.findings.find(
    (finding) => finding.severity === 'fail' || finding.severity === 'warn',
  );
  return markup`<a href="#domain-${nth}">${displayName(result.domain)}</a>
    ${worst !== undefined && markup`<span class="says">${worst.title}</span>`}`;
}

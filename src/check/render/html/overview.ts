import { displayName } from '../../../base/index.js';
import type { Topic } from '../../../evidence/index.js';
import {
  badge,
  dataTable,
  markSign,
  markup,
  type Markup,
  type Piece,
} from '../../../page/index.js';
import { verdictCounts, type OverviewRow } from '../overview-rows.js';
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
 * Returns all domains in one table, worst first; each name is a link to its report. The
 * signs have a legend below the table, and each sign has its meaning as a label.
 */
export function overview(rows: readonly OverviewRow[], title: string): Markup {
  const table = dataTable<OverviewRow>(
    'Domains, worst first',
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
      { name: 'Expires', cell: expiryCell },
    ],
    rows,
  );
  return markup`<div class="hero">
      <h1>${title}</h1>
      <p class="lead">${verdictCounts(rows.map(({ result }) => result))}</p>
    </div>
    <section class="card overview">${table}</section>
    <ul class="signs soft" aria-label="Signs">
      <li>${sign('pass', 'tick')} pass</li>
      <li>${sign('warn', 'exclamation mark')} warning</li>
      <li>${sign('fail', 'cross')} fail</li>
      <li>${sign('unknown', 'question mark')} could not tell</li>
      <li>${sign('absent', 'dash')} not in use</li>
    </ul>`;
}

/**
 * Returns the end date of the first certificate to expire; empty for a domain without
 * mail.
 */
function expiryCell({ expires, scores }: OverviewRow): Piece {
  if (expires !== undefined) return expires;
  return scores.length > 0 && markup`<span class="soft">unknown</span>`;
}

/** Returns the domain as a link to its report, with its worst finding. */
function nameCell({ result, nth }: OverviewRow): Markup {
  const worst = result.findings.find(
    (finding) => finding.severity === 'fail' || finding.severity === 'warn',
  );
  return markup`<a href="#domain-${nth}">${displayName(result.domain)}</a>
    ${worst !== undefined && markup`<span class="says">${worst.title}</span>`}`;
}

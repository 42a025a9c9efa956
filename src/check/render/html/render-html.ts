import { createHash } from 'node:crypto';
import type { CheckResult } from '../../../evidence/index.js';
import { headline } from '../headline.js';
import { verdictTones } from '../words.js';
import { domainReport } from './domain-report.js';
import { markup, Markup } from './markup.js';
import { pageStyle } from './page-style.js';

/**
 * One page that needs nothing beside itself: no script, font, picture or address is
 * loaded, which its content security policy enforces. For screens from phone to desktop,
 * light and dark, and for print. Several domains get an overview first.
 */
export function renderHtml(results: readonly CheckResult[]): string {
  const [first] = results;
  const several = results.length > 1;
  const title =
    several || !first ? `Mail TLS of ${results.length} domains` : `Mail TLS of ${first.domain}`;
  const styleHash = createHash('sha256').update(pageStyle).digest('base64');
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${new Markup(`<style>${pageStyle}</style>`)}
      </head>
      <body>
        <a class="skip" href="#report">To the report</a>
        <header class="top">
          <span><strong>Hermetic</strong> mail TLS report</span><time datetime="${first?.checkedAt}">${first?.checkedAt.slice(0, 10)}</time>
        </header>
        <main id="report">
          ${several && overview(results, title)} ${results.map((result, i) => domainReport(result, i + 1))}
        </main>
        <footer>
          A server without TLS and an attacker who removes it look alike from outside: every finding is what was seen from the network that
          the check ran from.
        </footer>
      </body>
    </html> `;
  return page.text;
}

function overview(results: readonly CheckResult[], title: string): Markup {
  const rows = results.map(
    (result, i) =>
      markup`<tr role="row">
        <th role="rowheader" scope="row"><a href="#domain-${i + 1}">${result.domain}</a></th>
        <td role="cell"><span class="badge ${verdictTones[result.verdict]}">${result.verdict}</span></td>
        <td role="cell" class="says">${headline(result)}</td>
      </tr> `,
  );
  return markup`<div class="hero">
      <h1>${title}</h1>
      <p class="lead">${verdictCounts(results)}</p>
    </div>
    <section class="card">
      <table class="overview" role="table">
        <caption class="skip">
          Overview
        </caption>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">Domain</th>
            <th role="columnheader" scope="col">Verdict</th>
            <th role="columnheader" scope="col">What happens to its mail</th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          ${rows}
        </tbody>
      </table>
    </section>`;
}

/** `2 fail, 1 inconclusive, 4 pass`. */
function verdictCounts(results: readonly CheckResult[]): string {
  const verdicts = ['fail', 'inconclusive', 'warn', 'pass', 'not-applicable'] as const;
  const counts = verdicts.map((verdict) => ({
    verdict,
    n: results.filter((r) => r.verdict === verdict).length,
  }));
  return counts.flatMap(({ verdict, n }) => (n > 0 ? [`${n} ${verdict}`] : [])).join(', ');
}

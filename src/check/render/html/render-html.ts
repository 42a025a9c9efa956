import type { CheckResult } from '../../../evidence/index.js';
import { markup, pageShell } from '../../../page/index.js';
import { overviewRows } from '../overview-rows.js';
import { domainReport } from './domain-report.js';
import { overview } from './overview.js';

/**
 * Renders one self-contained page, for screens from 320 pixels up, light and dark, and
 * for paper. A page on several domains begins with an overview. The overview and the
 * reports have the same order, worst first. Every value is escaped by `markup`, so text
 * of a server cannot become part of the page.
 */
export function renderHtml(results: readonly CheckResult[]): string {
  const [first] = results;
  const several = results.length > 1;
  const rows = overviewRows(results);
  const title =
    several || !first ? `Mail TLS of ${results.length} domains` : `Mail TLS of ${first.domain}`;
  return pageShell({
    title,
    top: markup`<strong>Hermetic</strong> mail TLS report`,
    date: first?.checkedAt,
    main: [
      ...(several ? [overview(rows, title)] : []),
      ...rows.map(({ result, nth }) => domainReport(result, `domain-${nth}`)),
    ],
    footer:
      'Every result was observed from one network. A server without TLS and an attacker who removes TLS look alike from outside.',
  });
}

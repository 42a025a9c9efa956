import { countOf, displayName } from '../../../base/index.js';
import type { CheckResult, PassedTest } from '../../../evidence/index.js';
import {
  badge,
  definitions,
  markup,
  scoreList,
  type Markup,
  type Piece,
} from '../../../page/index.js';
import { headlineParts } from '../headline.js';
import { aboutCheck } from '../provenance-lines.js';
import { markSigns, markTones, scorecard, scoreNames, hasMailRoute } from '../scorecard.js';
import { duration, verdictNames, verdictTones } from '../words.js';
import { exposureSection } from './exposure-table.js';
import { fixList } from './fix-list.js';
import { hostReport } from './host-report.js';

/**
 * Returns the report on one domain: verdict, scorecard, mail under attack, fixes, hosts,
 * passed tests, and the origin of the result.
 */
export function domainReport(checkResult: CheckResult, id: string): Markup {
  const [lead, ...more] = headlineParts(checkResult);
  return markup`<article class="domain" id="${id}" aria-labelledby="${id}-name">
    <header class="hero">
      <div class="hero-line">
        <h1 id="${id}-name">${displayName(checkResult.domain)}</h1>
        ${badge(verdictNames[checkResult.verdict], verdictTones[checkResult.verdict])}
      </div>
      <p class="lead">${lead}</p>
      ${more.map((outputText) => markup`<p class="more">${outputText}</p> `)}
    </header>
    ${hasMailRoute(checkResult) && [scoreSection(checkResult), exposureSection(checkResult)]} ${fixList(checkResult)}
    ${hasMailRoute(checkResult) && hostSection(checkResult)} ${passedSection(checkResult)} ${notes(checkResult)}
    <section class="about">
      <h2>About this check</h2>
      ${definitions(aboutCheck(checkResult))}
    </section>
  </article> `;
}

/** Returns the scorecard as a table with a sign, a name and a clause in each row. */
function scoreSection(checkResult: CheckResult): Markup {
  const scores = scorecard(checkResult).map(({ name, mark, value, clause }) => ({
    name,
    value,
    tone: markTones[mark],
    label: mark,
    sign: markSigns[mark],
    note: clause,
  }));
  return markup`<div class="card scorecard">
    ${scoreList('Scorecard', scores)}
  </div>`;
}

/** The MX record in words. */
const routeWords: Readonly<Record<CheckResult['route']['kind'], string>> = {
  mx: 'present',
  implicit: 'absent: the address of the domain itself accepts mail',
  'null-mx': 'declares that the domain accepts no mail',
  none: 'absent',
  error: 'could not be looked up',
};

/**
 * Returns the policies first, then the hosts: a reader of a report on many hosts finds
 * the domain's own settings without scrolling.
 */
function hostSection(checkResult: CheckResult): Markup {
  const { mtaSts, tlsRpt, route, control } = checkResult;
  const rua = tlsRpt.status === 'found' ? `reports go to ${tlsRpt.rua.join(', ')}` : tlsRpt.status;
  return markup`<section class="hosts">
    <h2>Mail hosts and policies</h2>
    <div class="card">
      ${definitions([
        ['MX record', `${routeWords[route.kind]}, DNSSEC ${route.dnssec}`],
        ['MTA-STS policy', [stsPolicy(mtaSts), problems(mtaSts.problems)]],
        ['TLS-RPT', [rua, problems(tlsRpt.problems)]],
        ['Control host', control && `${control.host}: STARTTLS ${control.starttls}`],
      ])}
    </div>
    ${checkResult.hosts.map((mailHost) => hostReport(mailHost, checkResult))}
  </section>`;
}

/** Returns the policy in words, or its state if it was not obtained. */
function stsPolicy({ status, mode, maxAge = 0, mx = [] }: CheckResult['mtaSts']): Piece {
  if (status !== 'found') return status;
  return markup`mode <b>${mode}</b>, cached for ${duration(maxAge)}, lists ${mx.join(', ') || 'no host'}`;
}

/** Returns the failure codes in brackets; empty without a failure. */
function problems(codes: readonly string[]): Markup | false {
  return codes.length > 0 && markup` <span class="soft">(${codes.join(', ')})</span>`;
}

/** Returns the passed tests, grouped like the scorecard. */
function passedSection({ passed = [] }: CheckResult): Markup | false {
  if (passed.length === 0) return false;
  const item = ({ title, reference }: PassedTest): Markup =>
    markup`<li>${title} <span class="soft">${reference}</span></li> `;
  const groups = scoreNames.flatMap(({ topic, name }) => {
    const passedTests = passed.filter((passedTest) => passedTest.topic === topic);
    if (passedTests.length === 0) return [];
    return [markup`<div class="group"><h3>${name}</h3><ul>${passedTests.map(item)}</ul></div>`];
  });
  return markup`<section>
    <h2>Passed tests</h2>
    <details>
      <summary>${countOf(passed.length, 'test')}</summary>
      <div class="passed">${groups}</div>
    </details>
  </section>`;
}

/** Returns the findings without a fault, and the rules that this depth does not test. */
function notes({ findings, notLookedAt, depth }: CheckResult): Markup | false {
  const listed = findings.filter(
    (finding) => finding.severity === 'info' || finding.severity === 'good',
  );
  if (listed.length === 0 && notLookedAt.length === 0) return false;
  const items = listed.map(
    (finding) =>
      markup`<li>${finding.title} <span class="soft">${finding.subject}; ${finding.reference}</span>${finding.owner === 'own-network' && markup`<br />${finding.fix}`}</li> `,
  );
  return markup`<section>
    <h2>Also observed</h2>
    ${items.length > 0 && markup`<ul class="notes">${items}</ul>`}
    ${notLookedAt.length > 0 && markup`<p class="soft">Not tested at depth ${depth}: ${notLookedAt.join(', ')}.</p>`}
  </section>`;
}

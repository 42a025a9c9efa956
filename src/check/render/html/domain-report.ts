import type { CheckResult } from '../../../evidence/index.js';
import { headline } from '../headline.js';
import { counted, verdictTones } from '../words.js';
import { exposureLegend, exposureTable } from './exposure-table.js';
import { fixList } from './fix-list.js';
import { hostReport } from './host-report.js';
import { markup, type Markup } from './markup.js';

/**
 * Everything about one domain: what happens to its mail, its hosts, what to fix, what
 * else was seen.
 */
export function domainReport(result: CheckResult, nth: number): Markup {
  const mail = ['mx', 'implicit', 'error'].includes(result.route.kind);
  const id = `domain-${nth}`;
  return markup`<article class="domain" id="${id}" aria-labelledby="${id}-name">
    <header class="hero">
      <div class="hero-line">
        <h1 id="${id}-name">${result.domain}</h1><span class="badge ${verdictTones[result.verdict]}">${result.verdict}</span>
      </div>
      <p class="lead">${headline(result)}</p>
      <p class="meta">
        Checked ${result.checkedAt.replace('T', ' ').replace('Z', ' UTC')}, profile ${result.profile}, depth ${result.depth},
        ${counted(result.connections, 'connection')} to mail hosts
      </p>
    </header>
    ${mail && exposureSection(result)} ${mail && hostSection(result)} ${fixList(result)} ${notes(result)}
  </article> `;
}

function exposureSection({ exposure }: CheckResult): Markup {
  return markup`<section>
    <h2>What happens to its mail</h2>
    ${exposureTable(exposure, 'By class of sender: today, and under each attack')} ${exposureLegend(exposure)}
  </section>`;
}

const routeWords: Readonly<Record<CheckResult['route']['kind'], string>> = {
  mx: 'present',
  implicit: 'none: the address of the domain itself takes mail',
  'null-mx': 'says that no mail is wanted',
  none: 'none',
  error: 'could not be looked up',
};

function hostSection(result: CheckResult): Markup {
  const { mtaSts, tlsRpt, route, control } = result;
  const days = Math.round((mtaSts.maxAge ?? 0) / 8640) / 10;
  const sts =
    mtaSts.status === 'found'
      ? markup`mode <b>${mtaSts.mode}</b>, kept ${days} days, for ${(mtaSts.mx ?? []).join(', ') || 'no host'}`
      : markup`${mtaSts.status}`;
  return markup`<section class="hosts">
    <h2>Mail hosts and policies</h2>
    <div class="card">
      <dl>
        <dt>MX record</dt>
        <dd>${routeWords[route.kind]}, DNSSEC ${route.dnssec}</dd>
        <dt>MTA-STS policy</dt>
        <dd>${sts}${problems(mtaSts.problems)}</dd>
        <dt>TLS-RPT</dt>
        <dd>${tlsRpt.status === 'found' ? `reports go to ${tlsRpt.rua.join(', ')}` : tlsRpt.status}${problems(tlsRpt.problems)}</dd>
        ${control && markup`<dt>Control host</dt><dd>${control.host}: STARTTLS ${control.starttls}</dd>`}
      </dl>
    </div>
    ${result.hosts.map((host) => hostReport(host, result))}
  </section>`;
}

function problems(codes: readonly string[]): Markup | false {
  return codes.length > 0 && markup` <span class="soft">(${codes.join(', ')})</span>`;
}

function notes({ findings, notLookedAt, depth }: CheckResult): Markup | false {
  const told = findings.filter((f) => f.severity === 'info' || f.severity === 'good');
  if (told.length === 0 && notLookedAt.length === 0) return false;
  const items = told.map(
    (f) =>
      markup`<li>${f.title} <span class="soft">(${f.subject}; ${f.reference})</span>${f.owner === 'own-network' && markup`. ${f.fix}`}</li> `,
  );
  return markup`<section>
    <h2>Also seen</h2>
    <ul class="notes">
      ${items}
    </ul>
    ${notLookedAt.length > 0 && markup`<p class="soft">Not asked at depth ${depth}: ${notLookedAt.join(', ')}.</p>`}
  </section>`;
}

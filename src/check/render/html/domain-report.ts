import type { CheckResult } from '../../../evidence/index.js';
import { attacks, senders } from '../../../policy/index.js';
import { headline } from '../headline.js';
import { attackDeeds, attackNames, outcomeWords, senderNames, verdictTones } from '../words.js';
import { fixList } from './fix-list.js';
import { hostReport } from './host-report.js';
import type { Markup } from './markup.js';
import { markup } from './markup.js';

/** Everything about one domain: what happens to its mail, its hosts, what to fix, what else was seen. */
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
        ${result.connections} connections to mail hosts
      </p>
    </header>
    ${mail && exposureTable(result)} ${mail && hostSection(result)} ${fixList(result)} ${notes(result)}
  </article> `;
}

function exposureTable({ exposure }: CheckResult): Markup {
  const rows = senders.map((sender) => {
    const cells = attacks.map((attack) => {
      const { word, tone, means } = outcomeWords[exposure[sender][attack]];
      return markup`<td role="cell" class="${tone}" title="${means}">${word}</td>`;
    });
    return markup`<tr role="row">
      <th role="rowheader" scope="row">${senderNames[sender]}</th>
      ${cells}
    </tr> `;
  });
  const seen = [...new Set(senders.flatMap((s) => attacks.map((a) => exposure[s][a])))];
  return markup`<section>
    <h2>What happens to its mail</h2>
    <table class="exposure" role="table">
      <caption class="skip">
        By class of sender: today, and under each attack
      </caption>
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">Sender</th>
          ${attacks.map((a) => markup`<th role="columnheader" scope="col">${attackNames[a]}</th>`)}
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows}
      </tbody>
    </table>
    <div class="legend">
      ${seen.map((o) => markup`<p><b>${outcomeWords[o].word}</b>: ${outcomeWords[o].means}</p>`)}${attacks.slice(1).map((a) => markup`<p><b>${attackNames[a]}</b>: somebody on the path ${attackDeeds[a]}</p>`)}
    </div>
  </section>`;
}

function hostSection(result: CheckResult): Markup {
  const { mtaSts, tlsRpt, route } = result;
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
        <dd>${route.kind}, DNSSEC ${route.dnssec}</dd>
        <dt>MTA-STS policy</dt>
        <dd>${sts}${problems(mtaSts.problems)}</dd>
        <dt>TLS-RPT</dt>
        <dd>${tlsRpt.status === 'found' ? `reports go to ${tlsRpt.rua.join(', ')}` : tlsRpt.status}${problems(tlsRpt.problems)}</dd>
      </dl>
    </div>
    ${result.hosts.map(hostReport)}
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

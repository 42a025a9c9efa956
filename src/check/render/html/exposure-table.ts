import { attacks, senders, type Exposure } from '../../../tls-policy/index.js';
import { attackDeeds, attackNames, outcomeWords, senderNames } from '../words.js';
import { markup, type Markup } from './markup.js';

/**
 * What happens to mail by class of sender and attack. Roles are said, since on a phone
 * the table is laid out as a grid.
 */
export function exposureTable(exposure: Exposure, caption: string): Markup {
  const rows = senders.map((sender) => {
    const cells = attacks.map((attack) => {
      const { word, tone, means } = outcomeWords[exposure[sender][attack]];
      return markup`<td role="cell" class="${tone}" title="${means}">${word}</td>`;
    });
    return markup`<tr role="row"><th role="rowheader" scope="row">${senderNames[sender]}</th>${cells}</tr>`;
  });
  return markup`<table class="exposure" role="table">
    <caption class="skip">${caption}</caption>
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">Sender</th>
        ${attacks.map((attack) => markup`<th role="columnheader" scope="col">${attackNames[attack]}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows}
    </tbody>
  </table>`;
}

/** The words of the table that were used, and the attacks. */
export function exposureLegend(exposure: Exposure): Markup {
  const used = [
    ...new Set(senders.flatMap((sender) => attacks.map((attack) => exposure[sender][attack]))),
  ];
  return markup`<div class="legend">
    ${used.map((outcome) => markup`<p><b>${outcomeWords[outcome].word}</b>: ${outcomeWords[outcome].means}</p>`)}
    ${attacks.slice(1).map((attack) => markup`<p><b>${attackNames[attack]}</b>: somebody on the path ${attackDeeds[attack]}</p>`)}
  </div>`;
}

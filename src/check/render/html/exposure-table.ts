import type { CheckResult } from '../../../evidence/index.js';
import { attacks, type Exposure, type SenderClass } from '../../../tls-policy/index.js';
import { badge, definitions, markup, type Markup } from '../../../page/index.js';
import { bracketNote, isInformative, usedCells } from '../exposure-lines.js';
import { attackDeeds, attackNames, cellOf, senderNames, senderRows } from '../words.js';

/**
 * Returns the section on mail under attack: the legend, then the table, so that words are
 * explained before they are used. Nothing if no outcome is known.
 */
export function exposureSection({ exposure }: CheckResult): Markup | false {
  if (!isInformative(exposure)) return false;
  return markup`<section>
    <h2>Mail today and under attack</h2>
    ${exposureLegend(exposure)} ${exposureTable(exposure, 'By class of sender, without an attack and under each attack')}
  </section>`;
}

/**
 * Returns the words of the table, and the attacker's action in each column. Unused words
 * are omitted.
 */
function exposureLegend(exposure: Exposure): Markup {
  return markup`<div class="legend">
    <div>
      <h3>Outcome for the mail</h3>
      ${definitions(usedCells(exposure).map(({ word, tone, means }) => [badge(word, tone), means]))}
      <p>${bracketNote(exposure)}</p>
    </div>
    <div>
      <h3>An on-path attacker</h3>
      ${definitions(attacks.slice(1).map((attack) => [attackNames[attack], attackDeeds[attack]]))}
    </div>
  </div>`;
}

/**
 * Returns the outcome of mail by class of sender and attack. Senders that no setting of
 * the domain protects are a separate group. The markup sets ARIA roles, since the table
 * is laid out as blocks on a phone.
 */
export function exposureTable(exposure: Exposure, caption: string): Markup {
  const rowOf = (sender: SenderClass): Markup => {
    const cells = attacks.map((attack) => {
      const { word, tone, means } = cellOf(sender, attack, exposure[sender][attack]);
      return markup`<td role="cell" data-column="${attackNames[attack]}"><span class="cell ${tone}" title="${means}">${word}</span></td>`;
    });
    return markup`<tr role="row"><th role="rowheader" scope="row">${senderNames[sender]}</th>${cells}</tr> `;
  };
  return markup`<table class="exposure" role="table">
    <caption class="skip">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col"><span class="skip">Sender</span></th>
        ${attacks.map((attack) => markup`<th role="columnheader" scope="col">${attackNames[attack]}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${senderRows.protected.map(rowOf)}
    </tbody>
    <tbody role="rowgroup" class="outside">
      <tr role="row" class="group">
        <th role="rowheader" scope="rowgroup" colspan="6">Outside this domain's control</th>
      </tr>
      ${senderRows.outside.map(rowOf)}
    </tbody>
  </table>`;
}

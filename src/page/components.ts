import { lines, markup, type Markup, type Piece } from './markup.js';

/**
 * The judgement that determines the colour of a component: `good`, `fair`, `bad`, or
 * `quiet` for facts that are neither. Colour is never the only sign: the word or the mark
 * has the same meaning (WCAG 2.2, 1.4.1).
 */
export type Tone = 'good' | 'fair' | 'bad' | 'quiet';

/**
 * Returns a short word on a coloured background. The word states the meaning; the colour
 * repeats it.
 */
export function badge(label: string, tone: Tone): Markup {
  return markup`<span class="badge ${tone}">${label}</span>`;
}

/**
 * Returns a badge as an item of a list with the class `chips`, so that a screen reader
 * announces the number of badges.
 */
export function badgeItem(label: string, tone: Tone): Markup {
  return markup`<li class="badge ${tone}">${label}</li>`;
}

/** A sign in a coloured circle, which a screen reader reads as its label. */
export interface Sign {
  /** One character: a tick, a cross, a question mark. */
  readonly sign: string;
  /** The colour of the circle, which repeats the sign. */
  readonly tone: Tone;
  /** The sign in words. */
  readonly label: string;
}

/** Returns a sign without a text next to it; its label becomes the accessible name. */
export function markSign({ sign, tone, label }: Sign): Markup {
  return markup`<span class="mark ${tone}" role="img" title="${label}" aria-label="${label}">${sign}</span>`;
}

/** One line of a scorecard: a sign with the topic, the observed facts and a note. */
export interface ScoreLine extends Sign {
  readonly name: string;
  readonly value: Piece;
  /** The clause, or another small note at the end. */
  readonly note: string;
}

/**
 * Returns a scorecard with one line for each topic. Roles are given explicitly, because
 * the style lays the table out as blocks on a phone, and browsers then drop the roles of
 * a table.
 */
export function scoreList(caption: string, scores: readonly ScoreLine[]): Markup {
  const rows = scores.map(
    ({ name, value, note, ...sign }) =>
      markup`<tr role="row">
        <td role="cell" class="sign">${markSign(sign)}</td>
        <th role="rowheader" scope="row">${name}</th>
        <td role="cell" class="value">${value}</td>
        <td role="cell" class="note">${note}</td>
      </tr> `,
  );
  return markup`<table class="scores" role="table">
    <caption class="skip">
      ${caption}
    </caption>
    <thead role="rowgroup" class="skip">
      <tr role="row">
        <th role="columnheader" scope="col">Mark</th>
        <th role="columnheader" scope="col">Topic</th>
        <th role="columnheader" scope="col">Value</th>
        <th role="columnheader" scope="col">Clause</th>
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows}
    </tbody>
  </table>`;
}

/**
 * Renders text to paste. A click selects the whole text, and no line is broken or
 * changed, since a record with an added line break is invalid. The box can be focused, so
 * that the keyboard can scroll it. The script of a site adds a button that copies the
 * text.
 */
export function codeBox(code: string, label: string): Markup {
  return markup`<div class="paste"><pre class="code" tabindex="0" aria-label="${label}"><code>${lines(code)}</code></pre></div>`;
}

/**
 * Returns the terms and their descriptions. An undefined or false description omits the
 * term.
 */
export function definitions(entries: readonly (readonly [Piece, Piece])[]): Markup {
  const shown = entries.filter(([, value]) => value !== undefined && value !== false);
  return markup`<dl>
    ${shown.map(([term, value]) => markup`<dt>${term}</dt><dd>${value}</dd>`)}
  </dl>`;
}

/** One column of a data table, with the function that makes its cells. */
export interface TableColumn<Row> {
  readonly name: string;
  readonly cell: (row: Row) => Piece;
}

/**
 * Returns a table whose first column contains the row headers. On a phone each row
 * becomes a block, and each value has the name of its column before it, which the style
 * takes from `data-column`. Screen readers read the caption, which the page does not
 * show.
 */
export function dataTable<Row>(
  caption: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
): Markup {
  const [head, ...rest] = columns;
  const body = rows.map(
    (row) =>
      markup`<tr role="row">
        <th role="rowheader" scope="row">${head?.cell(row)}</th>
        ${rest.map(({ name, cell }) => markup`<td role="cell" data-column="${name}">${cell(row)}</td>`)}
      </tr> `,
  );
  return markup`<table class="data" role="table">
    <caption class="skip">
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${columns.map(({ name }) => markup`<th role="columnheader" scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${body}
    </tbody>
  </table>`;
}

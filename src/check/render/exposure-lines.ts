import { wrap } from '../../base/index.js';
import type { Tone } from '../../page/index.js';
import { attacks, type Attack, type Exposure, type SenderClass } from '../../tls-policy/index.js';
import { attackNames, cellOf, senderNames, senderRows, type Cell } from './words.js';

/** Adds the colour of a tone, or nothing if colour is off. */
export type PaintTone = (outputText: string, tone: Tone) => string;

/** Column heads of two lines: a cell is as wide as its longest word. */
const heads: Readonly<Record<Attack, readonly [string, string]>> = {
  none: ['No', 'attack'],
  stripStarttls: ['TLS', 'stripped'],
  swapCertificate: ['Fake', 'certificate'],
  spoofMx: ['Forged', 'DNS'],
  suppress: ['DNS, HTTPS', 'blocked'],
};

/** Columns of one cell, one more than the longest word of a head. */
const CELL = 12;
/** Columns of the longest name of a sender, and two spaces. */
const LABEL = Math.max(...Object.values(senderNames).map((groupName) => groupName.length)) + 2;

/** The smallest width at which the name of a sender and its cells share one line. */
const WIDE = 2 + LABEL + (attacks.length - 1) * CELL + '(plaintext)'.length;

/** The width below which a row of cells does not fit. */
const NARROW = 60;

/** Layout of the exposure table. */
export interface ExposureOptions {
  readonly width: number;
  /**
   * Rows to show. By default all, with a separate group of the rows outside the domain's
   * control.
   */
  readonly senders?: readonly SenderClass[] | undefined;
  /** Names of the rows; default the classes of senders. */
  readonly names?: Readonly<Record<SenderClass, string>> | undefined;
  readonly paint?: PaintTone | undefined;
}

/**
 * Returns the exposure table in lines of at most `width` columns. From about 105 columns
 * on a sender and its cells share a line; with fewer, the cells are under the sender;
 * below 60, each cell has a separate line.
 */
export function exposureLines(exposure: Exposure, options: ExposureOptions): readonly string[] {
  const { width, senders, names = senderNames, paint = (outputText) => outputText } = options;
  const layout = layoutFor(width);
  const rowOf = (sender: SenderClass): string[] =>
    layout.row(
      names[sender],
      attacks.map((attack) => ({
        attack,
        ...cellOf(sender, attack, exposure[sender][attack]),
      })),
      paint,
    );
  const quiet = (lines: readonly string[]): string[] =>
    lines.map((textLine) => paint(textLine, 'quiet'));
  if (senders) return [...quiet(layout.head), ...senders.flatMap(rowOf)];
  return [
    ...quiet(layout.head),
    ...senderRows.protected.flatMap(rowOf),
    ...quiet([`${layout.margin}Outside this domain's control:`]),
    ...senderRows.outside.flatMap(rowOf),
  ];
}

/** A cell with its column, for the layout in which each cell has its own line. */
interface AttackCell extends Cell {
  readonly attack: Attack;
}

/** One of the layouts: the lines of the head, and the lines of one sender. */
interface Layout {
  readonly margin: string;
  readonly head: readonly string[];
  row(groupName: string, attackCells: readonly AttackCell[], paint: PaintTone): string[];
}

/**
 * Chooses the layout by width. Cells have the same columns in every row, so that a reader
 * can compare them; padding is added outside the colour, which has no width.
 */
function layoutFor(lineWidth: number): Layout {
  if (lineWidth < NARROW) return stacked;
  const label = lineWidth >= WIDE ? LABEL : 0;
  const margin = lineWidth > NARROW ? '  ' : ' ';
  const head = [0, 1].map((line) =>
    `${margin}${' '.repeat(label)}${attacks.map((attack) => (heads[attack][line] ?? '').padEnd(CELL)).join('')}`.trimEnd(),
  );
  return {
    margin,
    head,
    row: (groupName, attackCells, paint) => {
      const textLine = attackCells
        .map(({ word, tone }, index) => {
          const gap = index === attackCells.length - 1 ? 0 : Math.max(1, CELL - word.length);
          return paint(word, tone) + ' '.repeat(gap);
        })
        .join('');
      return label > 0
        ? [`${margin}${groupName.padEnd(label)}${textLine}`]
        : [`${margin}${groupName}`, `${margin}${textLine}`];
    },
  };
}

/** The layout of narrow terminals: one line for each cell, and no head. */
const stacked: Layout = {
  margin: '  ',
  head: [],
  row: (groupName, attackCells, paint) => [
    `  ${groupName}`,
    ...attackCells.map(
      ({ attack, word, tone }) => `    ${attackNames[attack].padEnd(22)} ${paint(word, tone)}`,
    ),
  ],
};

/** Returns every cell of the table. */
function allCells(exposure: Exposure): Cell[] {
  return [...senderRows.protected, ...senderRows.outside].flatMap((sender) =>
    attacks.map((attack) => cellOf(sender, attack, exposure[sender][attack])),
  );
}

/** Returns whether the table has a known outcome. */
export function isInformative(exposure: Exposure): boolean {
  return Object.values(exposure).some((row) =>
    Object.values(row).some((outcome) => outcome !== 'unknown'),
  );
}

/**
 * Returns each outcome of the table once, good ones first and brackets last. An outcome
 * that appears in the table both plain and in brackets is listed plain;
 * {@link bracketNote} explains the brackets.
 */
export function usedCells(exposure: Exposure): readonly Cell[] {
  const order: readonly Tone[] = ['good', 'fair', 'bad', 'quiet'];
  const rank = ({ tone, word }: Cell): number =>
    2 * order.indexOf(tone) + Number(word.startsWith('('));
  const cells = allCells(exposure).sort((left, right) => rank(left) - rank(right));
  return cells.filter(
    (cell, index) => cells.findIndex(({ means }) => means === cell.means) === index,
  );
}

/** Explains the brackets; empty if no cell of the table has them. */
export function bracketNote(exposure: Exposure): string {
  return allCells(exposure).some(({ word }) => word.startsWith('('))
    ? 'In brackets: the sender decides; no setting of this domain changes it.'
    : '';
}

/**
 * Returns the meaning of every word that the table uses, in lines of at most `width`
 * columns.
 */
export function legendLines(exposure: Exposure, lineWidth: number, paint: PaintTone): string[] {
  const outputLines = usedCells(exposure).flatMap(({ word, tone, means }) => {
    const [first = '', ...rest] = wrap(means, lineWidth - CELL - 2, '');
    const indent = ' '.repeat(CELL + 2);
    return [
      `  ${paint(word, tone)}${' '.repeat(Math.max(1, CELL - word.length))}${first}`,
      ...rest.map((textLine) => indent + textLine),
    ];
  });
  const note = bracketNote(exposure);
  return note === '' ? outputLines : [...outputLines, ...wrap(note, lineWidth, '  ')];
}

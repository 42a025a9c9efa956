import { testHeadline, verdictText, type SenderTestResult } from '../../sender/index.js';
import type { Output } from '../output.js';

/** Milliseconds between two drawings of a terminal. */
const REDRAW_MS = 500;

/**
 * The progress of a test on standard error. A terminal shows one table that is redrawn in
 * place; other output is a line for each case whose mail arrived.
 */
export class LiveTable {
  readonly #shown = new Map<string, string>();
  #lines = 0;
  #drawnAt = 0;

  constructor(private readonly output: Output) {}

  show(result: SenderTestResult): void {
    if (this.output.interactive) this.#draw(result);
    else this.#printChanges(result);
  }

  /** Erases the table: the result follows on standard output. */
  end(): void {
    this.#erase();
  }

  #printChanges({ cases, judgedAt }: SenderTestResult): void {
    for (const one of cases) {
      if (one.notes.includes('still-open') || one.verdict === 'not-seen') continue;
      const text = verdictText(one);
      if (text === (this.#shown.get(one.case) ?? 'not started')) continue;
      this.#shown.set(one.case, text);
      this.output.err(`${judgedAt.slice(11, 19)} ${one.case}: ${text}\n`);
    }
  }

  #draw(result: SenderTestResult): void {
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#erase();
    const { width } = this.output;
    const cells = result.cases
      .filter(({ verdict }) => verdict !== 'not-started')
      .map((one) => `${one.met === 'no' ? '!' : ' '} ${one.case.padEnd(20)}${verdictText(one)}`);
    const columns = width >= 2 * CELL ? 2 : 1;
    const rows = Math.ceil(cells.length / columns);
    const lines = Array.from({ length: rows }, (_, row) =>
      [cells[row] ?? '', columns === 2 ? (cells[row + rows] ?? '') : '']
        .map((cell) => cell.slice(0, CELL - 1).padEnd(CELL))
        .join('')
        .trimEnd()
        .slice(0, width - 1),
    );
    lines.push(testHeadline(result).slice(0, width - 1));
    this.output.err(`${lines.join('\n')}\n`);
    this.#lines = lines.length;
  }

  #erase(): void {
    if (this.#lines > 0) this.output.err(`\u001B[${this.#lines}A\u001B[J`);
    this.#lines = 0;
  }
}

/** Width of one case in the table, in columns. */
const CELL = 50;

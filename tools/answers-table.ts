import { daneColumns, stsRows, tableAnswer, type TableAnswer } from '../src/send/index.js';

const shown = (answer: TableAnswer): string =>
  answer === 'NOTFOUND' ? 'no opinion' : `\`${answer}\``;

/**
 * Returns docs/postfix.md with the answer table, generated from the code, between its
 * marks.
 */
export function withAnswers(page: string): string {
  const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const table = (validates: boolean): string[] => [
    row('MX hosts with TLSA', ...stsRows.map((r) => `MTA-STS ${r}`)),
    row(...['', ...stsRows].map(() => '---')),
    ...daneColumns.map((column) =>
      row(column, ...stsRows.map((r) => shown(tableAnswer(column, r, validates)))),
    ),
  ];
  const lines = [
    '<!-- answers -->',
    '',
    ...table(true),
    '',
    "If Postfix's own resolver does not validate:",
    '',
    ...table(false),
    '',
    '<!-- /answers -->',
  ];
  return page.replace(/<!-- answers -->[\s\S]*<!-- \/answers -->/, lines.join('\n'));
}

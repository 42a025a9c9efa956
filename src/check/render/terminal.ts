import { clip, displayName, neutralise, wrap } from '../../base/index.js';
import type { CheckResult, Finding, FixStep } from '../../evidence/index.js';
import type { Tone } from '../../page/index.js';
import { exposureLines, isInformative, legendLines } from './exposure-lines.js';
import { headline } from './headline.js';
import { hostLines } from './host-lines.js';
import { aboutCheck } from './provenance-lines.js';
import { markTones, scorecard, hasMailRoute, type Mark } from './scorecard.js';
import { ownerNames, severityTones, verdictNames, verdictTones } from './words.js';

/** The layout of a report on a terminal or in a pipe. */
export interface TerminalOptions {
  /** Columns, 50 to 120. Default 80. */
  readonly width?: number | undefined;
  /** ANSI colours. Default none: a pipe or a file gets plain text. */
  readonly color?: boolean | undefined;
  /**
   * True to show every step of every finding, and every passed test. Default: the steps
   * of the first finding only.
   */
  readonly steps?: boolean | undefined;
}

type Style = 'bold' | Tone;
/** Adds a style to text, or returns it unchanged if colour is off. */
export type Paint = (outputText: string, style: Style) => string;

/** SGR parameters of the eight basic colours, which every terminal has. */
const escapes: Readonly<Record<Style, string>> = {
  bold: '1',
  good: '32',
  fair: '33',
  bad: '31',
  quiet: '2',
};

/** Returns the width of the layout, and the function that adds colour. */
export function layoutOf({ width = 80, color = false }: TerminalOptions): {
  readonly width: number;
  readonly paint: Paint;
} {
  return {
    width: Math.min(120, Math.max(50, width)),
    paint: (outputText, style) =>
      color ? `\x1b[${escapes[style]}m${outputText}\x1b[0m` : outputText,
  };
}

/** The result with the layout that every block uses. */
interface Page {
  readonly result: CheckResult;
  readonly width: number;
  readonly paint: Paint;
  readonly steps: boolean;
}

/**
 * Returns the report on one domain for a terminal: verdict, scorecard, mail under attack,
 * hosts, fixes. No line is longer than the width, except records, settings and commands,
 * which begin at the left edge and are never broken, so that a reader can paste them.
 * Ends with a line feed.
 */
export function renderTerminal(checkResult: CheckResult, options: TerminalOptions = {}): string {
  const page: Page = { result: checkResult, ...layoutOf(options), steps: options.steps ?? false };
  const blocks = [
    head(page),
    ...(hasMailRoute(checkResult) ? [scores(page), exposure(page), hosts(page)] : []),
    toFix(page),
    passed(page),
    notes(page),
    about(page),
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

/**
 * Returns the domain and the verdict on one line, then the headline. The verdict is at
 * the right edge in every report, so that readers find it.
 */
function head({ result: checkResult, width, paint }: Page): readonly string[] {
  const verdict = verdictNames[checkResult.verdict];
  const domainName = clip(displayName(checkResult.domain), width - verdict.length - 2);
  const gap = ' '.repeat(Math.max(2, width - domainName.length - verdict.length));
  return [
    `${paint(domainName, 'bold')}${gap}${paint(verdict, verdictTones[checkResult.verdict])}`,
    ...wrap(headline(checkResult), width),
  ];
}

/**
 * The sign of a mark in plain ASCII, since a pipe may have neither colour nor Unicode.
 */
export const markWords: Readonly<Record<Mark, string>> = {
  pass: 'ok',
  warn: 'warn',
  fail: 'FAIL',
  absent: '-',
  unknown: '?',
};

/**
 * Returns the scorecard: mark, topic, value and clause. The clauses are a column at the
 * right edge, or on a separate line if the value is too long.
 */
function scores({ result, width, paint }: Page): readonly string[] {
  const [markWidth, nameWidth] = [5, 13];
  const room = width - 2 - markWidth - nameWidth;
  const indent = ' '.repeat(width - room);
  const rows = scorecard(result);
  const clauseWidth = Math.max(...rows.map(({ clause }) => clause.length));
  return rows.flatMap(({ name, mark, value, clause }) => {
    const sign = markWords[mark];
    const start = `  ${paint(sign, markTones[mark])}${' '.repeat(markWidth - sign.length)}${name.padEnd(nameWidth)}`;
    const lines = [...wrap(value, room)];
    if ((lines.at(-1) ?? '').length + 2 + clause.length > room) lines.push('');
    const last = lines.pop() ?? '';
    // A long value moves a short clause to the right, which saves a line.
    const gap = ' '.repeat(Math.max(room - clauseWidth - last.length, last === '' ? 0 : 2));
    return [...lines, `${last}${gap}${paint(clause, 'quiet')}`].map(
      (textLine, index) => (index === 0 ? start : indent) + textLine,
    );
  });
}

/**
 * Returns the exposure table after its legend, so that words are explained before they
 * are used.
 */
function exposure({ result, width, paint }: Page): readonly string[] {
  if (!isInformative(result.exposure)) return [];
  return [
    paint('Mail today and under attack', 'bold'),
    ...legendLines(result.exposure, width, paint),
    '',
    ...exposureLines(result.exposure, { width, paint }),
  ];
}

/** Returns every mail host with its addresses; empty if no host is known. */
function hosts({ result, width, paint }: Page): readonly string[] {
  if (result.hosts.length === 0) return [];
  const title = `Mail hosts (MX record: DNSSEC ${result.route.dnssec})`;
  return [
    paint(title, 'bold'),
    ...hostLines(result, width, (outputText) => paint(outputText, 'quiet')),
  ];
}

/**
 * Returns the findings to fix. Only the first finding has its steps, unless the operator
 * requests all steps: one change at a time is the safe way to repair mail.
 */
function toFix(page: Page): readonly string[] {
  const { result, paint, steps } = page;
  const wanted = result.findings.filter(
    (finding) => finding.severity === 'fail' || finding.severity === 'warn',
  );
  if (wanted.length === 0) return [];
  const hint = wanted.length > 1 && !steps;
  return [
    paint('What to fix, most important first', 'bold'),
    ...wanted.flatMap((finding, index) => [
      ...(index === 0 ? [] : ['']),
      ...fixLines(finding, page, index === 0 || steps),
    ]),
    ...(hint ? ['', paint('  --steps prints the steps of every finding.', 'quiet')] : []),
  ];
}

/** Indent of everything below the title of a finding. */
const INDENT = ' '.repeat(7);

/**
 * Returns one finding: title with its id, subject and owner, the reason, the fix and its
 * steps.
 */
function fixLines(finding: Finding, { width, paint }: Page, full: boolean): readonly string[] {
  const { severity, title, id, subject, owner, reference, reason, why, fix, steps } = finding;
  const sign = severity === 'fail' ? markWords.fail : markWords.warn;
  const [first = '', ...rest] = wrap(`${title}  (${id})`, width - INDENT.length);
  const text = (words: string): readonly string[] => wrap(words, width, INDENT);
  return [
    `  ${paint(sign, severityTones[severity])} ${first}`,
    ...rest.map((textLine) => INDENT + textLine),
    ...text(`${subject}; to be fixed by ${ownerNames[owner]}; ${reference}`).map((textLine) =>
      paint(textLine, 'quiet'),
    ),
    ...(reason === undefined ? [] : text(reason)),
    ...(full ? text(why) : []),
    ...text(fix),
    ...(full ? steps.flatMap((fixStep, index) => stepLines(fixStep, index + 1, width)) : []),
  ];
}

/**
 * Returns a step; its code begins at the left edge, since spaces before a record change
 * its meaning.
 */
function stepLines(
  { text, instruction = text, code }: FixStep,
  nth: number,
  lineWidth: number,
): readonly string[] {
  const lines = wrap(`${nth}. ${instruction}`, lineWidth, INDENT, `${INDENT}   `);
  if (code === undefined) return lines;
  return [...lines, ...code.split('\n').map((textLine) => neutralise(textLine, 4000))];
}

/**
 * Returns the passed tests as a number, or as a list if the options request all steps.
 */
function passed({ result, width, paint, steps }: Page): readonly string[] {
  const passedTests = result.passed ?? [];
  if (passedTests.length === 0) return [];
  if (!steps) return [paint(`${passedTests.length} tests passed; --steps lists them.`, 'quiet')];
  return [
    paint('Passed tests', 'bold'),
    ...passedTests.flatMap(({ title, reference }) =>
      wrap(`${title} (${reference})`, width, '  ok   ', INDENT),
    ),
  ];
}

/**
 * Returns the findings without a fault. The fix of a finding is shown only if it concerns
 * the network of this check, which the reader can change.
 */
function notes({ result: { findings }, width }: Page): readonly string[] {
  return findings
    .filter((finding) => finding.severity === 'info' || finding.severity === 'good')
    .flatMap((finding) => {
      const reason = finding.reason ? ` ${finding.reason}.` : '';
      const fix = finding.owner === 'own-network' ? ` ${finding.fix}` : '';
      const sign = finding.severity === 'good' ? '  + ' : '  - ';
      return wrap(`${finding.title} (${finding.subject}).${reason}${fix}`, width, sign, '    ');
    });
}

/** Returns the origin of the result in one paragraph. */
function about({ result, width, paint }: Page): readonly string[] {
  const known = aboutCheck(result).flatMap(([term, value]) =>
    value === undefined ? [] : [`${term}: ${value}`],
  );
  return wrap(known.join('. '), width).map((textLine) => paint(textLine, 'quiet'));
}

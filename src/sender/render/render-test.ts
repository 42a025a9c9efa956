import { wrap } from '../../base/index.js';
import { exposureLines } from '../../check/index.js';
import type { Tone } from '../../page/index.js';
import type { SenderClass } from '../../tls-policy/index.js';
import { caseGroups, type CaseGroup } from '../cases/sender-case.js';
import { codes, domainNames, mechanismNames, metTones } from '../predict/render-prediction.js';
import type { ComparedCase } from '../judge/compare-prediction.js';
import type { CaseResult, SenderTestResult } from '../verdict.js';
import { isSettled } from '../judge/judge-sender.js';
import {
  adviceFor,
  mechanismReason,
  mechanismWord,
  noteText,
  reportLines,
  verdictWord,
} from './words.js';

/** Width and colour of the text. */
export interface TestLayout {
  readonly width: number;
  readonly color: boolean;
}

/** Rows of the exposure table, the best protected class first. */
export const domainRows: readonly SenderClass[] = [
  'dane',
  'mtaStsCached',
  'mtaStsFirst',
  'bothCached',
  'bothFirst',
  'opportunistic',
];

const groupNames: Readonly<Record<CaseGroup, string>> = {
  base: 'Without a policy',
  'mta-sts': 'MTA-STS',
  dane: 'DANE',
  both: 'Both',
  more: 'More',
};

/**
 * Widths, in columns, of the id of a case, and of the name and verdict of a mechanism.
 */
const CASE = 20;
const NAME = 12;
const VERDICT = 18;
const MIN_WIDTH = 40;

/** Renders the result of a test for a terminal, in lines of at most `width` columns. */
export function renderSenderTest(result: SenderTestResult, layout: TestLayout): string {
  const view: TextView = {
    width: Math.max(MIN_WIDTH, layout.width),
    paint: (text, tone) => (layout.color ? `\u001B[${codes[tone]}m${text}\u001B[0m` : text),
  };
  const { width, paint } = view;
  return [
    ...wrap(testHeadline(result), width),
    ...identityLines(result).flatMap((line) => wrap(line, width)),
    '',
    ...mechanismLines(result, view),
    '',
    ...wrap(
      'Mail from this sender under attack (in brackets: only the domain can change it)',
      width,
    ),
    ...exposureLines(result.exposure, { width, paint, senders: domainRows, names: domainNames }),
    ...caseLines(result, view),
    ...listed('TLS reports:', reportLines(result), view),
    ...listed('Next steps:', adviceFor(result), view),
    '',
  ].join('\n');
}

interface TextView {
  readonly width: number;
  paint(text: string, tone: Tone): string;
}

/** Returns the state of the test in one line. */
export function testHeadline(result: SenderTestResult): string {
  const { cases } = result;
  const started = cases.filter(({ verdict }) => verdict !== 'not-started').length;
  const faults = cases.filter(({ met }) => met === 'no').length;
  const ended = isSettled(result) ? '' : ', some without a result';
  return `Sender test: ${started} of ${cases.length} cases started${ended}; ${faults} not as expected`;
}

/** Returns the identity of the sender, and its TLS. */
export function identityLines({ sender, tls }: SenderTestResult): readonly string[] {
  if (!sender) return ['No connection arrived.'];
  const { ehloNames, networks, software, signingDomains = [], smartHost } = sender;
  const names = ehloNames.join(', ');
  const product = software === undefined ? '' : ` (${software})`;
  const lines = [`Sender: ${names || 'no EHLO name'} from ${networks.join(', ')}${product}`];
  if (signingDomains.length > 0)
    lines.push(`DKIM signatures of its messages name ${signingDomains.join(', ')} (not verified)`);
  if (smartHost)
    lines.push('The server that delivered the messages is not the one that accepted them.');
  if (tls) {
    const quantum = tls.postQuantum ? 'with' : 'without';
    lines.push(
      `TLS of the sender: ${tls.versions.join(', ')}, SNI ${tls.sni}, ${quantum} post-quantum key exchange`,
    );
  }
  return lines;
}

function mechanismLines({ mechanisms }: SenderTestResult, view: TextView): readonly string[] {
  const indent = ' '.repeat(2 + NAME + VERDICT);
  return mechanisms.flatMap((one) => {
    const [word, tone] = mechanismWord(one);
    const gap = ' '.repeat(Math.max(1, VERDICT - word.length));
    const room = Math.max(20, view.width - indent.length);
    const [first = '', ...rest] = wrap(mechanismReason(one), room, '');
    const head = `  ${mechanismNames[one.mechanism].padEnd(NAME)}${view.paint(word, tone)}${gap}`;
    return [head + first, ...rest.map((text) => indent + text)];
  });
}

function caseLines({ cases }: SenderTestResult, view: TextView): readonly string[] {
  return caseGroups.flatMap((group) => {
    const own = cases.filter((one) => one.group === group);
    if (own.length === 0) return [];
    return ['', groupNames[group], ...own.flatMap((one) => caseLine(one, view))];
  });
}

/** Returns a case with its verdict; `!` marks a case that violates the standard. */
function caseLine(one: CaseResult, { width, paint }: TextView): readonly string[] {
  const mark = one.met === 'no' ? '!' : ' ';
  const word = paint(verdictWord(one), metTones[one.met]);
  const notes = noteText(one.notes.filter((note) => note !== 'unexpected'));
  return [
    `${mark} ${one.case.padEnd(CASE)}${word}`,
    ...(notes === '' ? [] : wrap(notes, width, '    ')),
  ];
}

/** Returns a title with one item on each line below; empty without items. */
function listed(title: string, items: readonly string[], { width }: TextView): readonly string[] {
  if (items.length === 0) return [];
  return ['', title, ...items.flatMap((item) => wrap(item, width, '  - ', '    '))];
}

/** Renders the comparison with a prediction: the counts, and each case that differs. */
export function renderComparison(
  compared: readonly ComparedCase[],
  { width }: Pick<TestLayout, 'width'>,
): string {
  const count = (agrees: ComparedCase['agrees']): number =>
    compared.filter((one) => one.agrees === agrees).length;
  const counts = [
    `${count('yes')} cases as predicted`,
    `${count('no')} different`,
    `${count('not-predicted')} that the configuration does not decide`,
    `${count('not-observed')} not observed`,
  ];
  const different = compared.filter(({ agrees }) => agrees === 'no');
  return [
    ...wrap(`Prediction: ${counts.join(', ')}`, Math.max(MIN_WIDTH, width)),
    ...different.flatMap(({ case: id, predicted, observed, reason }) =>
      wrap(
        `${id}: predicted ${predicted}, observed ${observed} (${reason})`,
        Math.max(MIN_WIDTH, width),
        '! ',
        '    ',
      ),
    ),
    '',
  ].join('\n');
}

import { neutralise, wrap } from '../../base/index.js';
import { exposureLines } from '../../check/index.js';
import type { Tone } from '../../page/index.js';
import {
  attacks,
  senders,
  type Attack,
  type DeliveryResult,
  type Exposure,
  type SenderClass,
} from '../../tls-policy/index.js';
import type { SenderMechanism } from '../cases/sender-case.js';
import type { MechanismVerdict } from '../verdict.js';
import type { PredictedVerdict, SenderPrediction } from './prediction.js';

/** Layout of the text. */
export interface PredictionLayout {
  readonly width: number;
  readonly color: boolean;
}

/** The classes of receiving domains: rows of the exposure table of a sender. */
export const domainNames: Readonly<Record<SenderClass, string>> = {
  dane: 'To a domain with DANE',
  mtaStsCached: 'To a domain with MTA-STS, policy cached',
  mtaStsFirst: 'To a domain with MTA-STS, policy not cached yet',
  bothCached: 'To a domain with both, policy cached',
  bothFirst: 'To a domain with both, policy not cached yet',
  opportunistic: 'To a domain without DANE or MTA-STS',
};

/** Rows in the order of the table. */
const rows: readonly SenderClass[] = [
  'dane',
  'mtaStsCached',
  'mtaStsFirst',
  'bothCached',
  'bothFirst',
  'opportunistic',
];

export const mechanismNames: Readonly<Record<SenderMechanism, string>> = {
  starttls: 'STARTTLS',
  'mta-sts': 'MTA-STS',
  dane: 'DANE',
  dnssec: 'DNSSEC',
  requiretls: 'REQUIRETLS',
};

export const mechanismWords: Readonly<Record<MechanismVerdict, readonly [string, Tone]>> = {
  enforces: ['enforces', 'good'],
  'observes-only': ['observes only', 'fair'],
  'does-not-use': ['does not use', 'bad'],
  'enforces-wrongly': ['enforces wrongly', 'bad'],
  'cannot-tell': ['cannot tell', 'fair'],
};

const caseWords: Readonly<Partial<Record<PredictedVerdict, string>>> = {
  'delivered-verified': 'delivered, verified',
  'delivered-unverified': 'delivered, unverified',
  'delivered-in-plaintext': 'delivered in PLAINTEXT',
  refused: 'not delivered',
  deferred: 'not delivered',
  'cannot-tell': 'cannot tell',
};

export const metTones = { yes: 'good', no: 'bad', open: 'fair', none: 'quiet' } as const;

export const codes: Readonly<Record<Tone, string>> = {
  good: '32',
  fair: '33',
  bad: '31',
  quiet: '2',
};

/** Renders a prediction for a terminal, in lines of at most `width` columns. */
export function renderPrediction(prediction: SenderPrediction, layout: PredictionLayout): string {
  const width = Math.max(40, layout.width);
  const paint = (text: string, tone: Tone): string =>
    layout.color ? `\u001B[${codes[tone]}m${text}\u001B[0m` : text;
  const view = { width, paint };
  return [
    ...heading(prediction, view),
    ...mechanismLines(prediction, view),
    ...exposureBlock(prediction, view),
    ...caseLines(prediction, view),
    ...changeLines(prediction, view),
    ...destinationLines(prediction, view),
    ...listLines('Assumed:', prediction.assumptions, view),
    ...listLines('Warnings:', prediction.warnings, view),
    '',
  ].join('\n');
}

interface TextView {
  readonly width: number;
  paint(text: string, tone: Tone): string;
}

function heading(
  { program, version, domain, smartHost }: SenderPrediction,
  { width }: TextView,
): readonly string[] {
  const name = { postfix: 'Postfix', exim: 'Exim', opensmtpd: 'OpenSMTPD', hermetic: 'Hermetic' };
  const server = [name[program], version].filter((part) => part !== undefined).join(' ');
  const lines = wrap(`Prediction for mail from this ${server} to ${domain}`, width);
  if (smartHost === undefined) return lines;
  return [
    ...lines,
    ...wrap(
      `All mail goes through ${smartHost}. Its configuration decides, so predict that server.`,
      width,
    ),
  ];
}

/** Width, in columns, below which each case has two lines. */
const NARROW = 60;
/**
 * Minimum width of a reason next to its mechanism; with fewer columns, the reason is on
 * the next line.
 */
const MIN_REASON = 40;

/** Widths of the name and of the verdict of a mechanism, in columns. */
const NAME = 12;
const VERDICT = 18;

function mechanismLines({ mechanisms }: SenderPrediction, view: TextView): readonly string[] {
  const indent = ' '.repeat(2 + NAME + VERDICT);
  return [
    '',
    ...mechanisms.flatMap(({ mechanism, verdict, reason, line }) => {
      const [word, tone] = mechanismWords[verdict];
      const head = `  ${mechanismNames[mechanism].padEnd(NAME)}`;
      if (view.width - indent.length < MIN_REASON)
        return [head + view.paint(word, tone), ...wrap(`${reason} (${line})`, view.width, '    ')];
      const says = wrap(`${reason} (${line})`, view.width - indent.length, '');
      const gap = ' '.repeat(Math.max(1, VERDICT - word.length));
      const [first = '', ...rest] = says;
      return [
        `${head}${view.paint(word, tone)}${gap}${first}`,
        ...rest.map((text) => indent + text),
      ];
    }),
  ];
}

function exposureBlock({ exposure }: SenderPrediction, view: TextView): readonly string[] {
  const results = Object.fromEntries(
    senders.map((row) => [
      row,
      Object.fromEntries(
        attacks.map((attack): [Attack, DeliveryResult] => [
          attack,
          exposure[row]?.[attack]?.result ?? 'unknown',
        ]),
      ),
    ]),
  ) as unknown as Exposure;
  const { width, paint } = view;
  const improvements = rows.flatMap((row) => improvementLine(row, exposure[row], width));
  if (improvements.length > 0) improvements.unshift('');
  return [
    '',
    ...wrap(
      'Mail from this server under attack (in brackets: no setting of this server helps)',
      width,
    ),
    ...exposureLines(results, { width, paint, senders: rows, names: domainNames }),
    ...improvements,
  ];
}

/**
 * Returns a line with the mechanisms whose change improves cells of a row; empty without
 * such a mechanism.
 */
function improvementLine(
  row: SenderClass,
  cells: SenderPrediction['exposure'][SenderClass],
  width: number,
): readonly string[] {
  const changes = attacks.flatMap((attack) => cells?.[attack]?.change ?? []);
  const names = [...new Set(changes)].map((mechanism) => mechanismNames[mechanism]);
  if (names.length === 0) return [];
  return wrap(`${domainNames[row]}: change ${names.join(' and ')} (below)`, width, '  ', '    ');
}

/** Width of the id of a case, in columns. */
const CASE = 20;

/**
 * Renders the cases. Consecutive cases with the same reason print the reason once, after
 * the last case.
 */
function caseLines({ cases }: SenderPrediction, view: TextView): readonly string[] {
  const indent = ' '.repeat(4);
  const reasons = cases.map(reasonOf);
  return [
    '',
    'Cases of the sender test',
    ...cases.flatMap(({ case: id, verdict, met }, index) => {
      const mark = met === 'no' ? '!' : ' ';
      const verdictText = view.paint(caseWords[verdict] ?? verdict, metTones[met]);
      const head =
        view.width < NARROW
          ? [`${mark} ${id}`, `${indent}${verdictText}`]
          : [`${mark} ${id.padEnd(CASE)}${verdictText}`];
      const reason = reasons[index] ?? '';
      const isShared = reason === reasons[index + 1];
      return isShared ? head : [...head, ...wrap(reason, view.width, indent)];
    }),
  ];
}

function reasonOf(predicted: SenderPrediction['cases'][number]): string {
  const { reason, line, change, delaySeconds, bounced } = predicted;
  const parts = [
    reason,
    delaySeconds === undefined ? '' : `after ${delaySeconds} s`,
    bounced ? 'bounced' : '',
  ].filter((part) => part !== '');
  const fix = change === undefined ? '' : `; change ${mechanismNames[change]}`;
  return `${parts.join(', ')} (${neutralise(line)})${fix}`;
}

function changeLines({ changes }: SenderPrediction, view: TextView): readonly string[] {
  if (changes.length === 0) return [];
  return [
    '',
    'Changes:',
    ...changes.flatMap(({ mechanism, place, lines, note }) => [
      ...wrap(`${mechanismNames[mechanism]}, in ${place}:`, view.width, '  '),
      ...lines.map((text) => `    ${neutralise(text)}`),
      ...(note === undefined ? [] : wrap(note, view.width, '  ')),
    ]),
  ];
}

const tlsWords: Readonly<Record<SenderPrediction['destinations'][number]['tls'], string>> = {
  never: 'no TLS',
  opportunistic: 'TLS if offered',
  required: 'TLS required',
  broken: 'mail is deferred',
  'cannot-tell': 'cannot tell',
};

/** Maximum number of printed destinations; the JSON contains more. */
const MAX_DESTINATIONS = 20;

function destinationLines(
  { destinations }: SenderPrediction,
  { width }: TextView,
): readonly string[] {
  if (destinations.length === 0) return [];
  const more = destinations.length - MAX_DESTINATIONS;
  return [
    '',
    ...wrap('Destinations with specific rules (predict one with --domain):', width),
    ...destinations
      .slice(0, MAX_DESTINATIONS)
      .flatMap(({ destination, tls, line }) =>
        wrap(`${destination}: ${tlsWords[tls]} (${line})`, width, '  ', '    '),
      ),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

function listLines(
  title: string,
  texts: readonly string[],
  { width }: TextView,
): readonly string[] {
  if (texts.length === 0) return [];
  return ['', title, ...texts.flatMap((text) => wrap(text, width, '  - ', '    '))];
}

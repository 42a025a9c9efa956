import { countOf, formatCount } from '../../base/index.js';
import { inferenceError, type ScanProgress } from '../../scan/index.js';

/** Rates of a scan between two observations, per second. */
export interface ProgressRates {
  readonly names: number;
  readonly visits: number;
}

/** Returns the rates between two observations, `milliseconds` apart. */
export function ratesBetween(
  before: ScanProgress,
  after: ScanProgress,
  milliseconds: number,
): ProgressRates {
  const perSecond = (from: number, to: number): number =>
    Math.max(0, Math.round((1000 * (to - from)) / Math.max(1, milliseconds)));
  return {
    names: perSecond(before.observed, after.observed),
    visits: perSecond(before.visits.visited, after.visits.visited),
  };
}

/** Options of {@link renderProgress}. */
export interface ProgressView {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly rates?: ProgressRates | undefined;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Columns of the names of the rows, and the indentation of their second line. */
const NAME_COLUMNS = 11;

/** Returns the progress as lines for a terminal. */
export function renderProgress(progress: ScanProgress, view: ProgressView): readonly string[] {
  const { scan, observed, graded, hosts, visits, verdicts } = progress;
  const { domains, startedAt, finishedAt, questions, connections } = scan;
  const { now, rates, width } = view;
  const endAt = finishedAt?.getTime() ?? now;
  const stateText = scan.reason === undefined ? scan.state : `${scan.state} (${scan.reason})`;
  const row = (name: string, ...parts: readonly string[]): readonly string[] =>
    joinParts(name.padEnd(NAME_COLUMNS), parts, width);
  const shares = Object.entries(verdicts).map(
    ([verdict, n]) => `${verdict} ${percentOf(n, graded)}`,
  );
  return [
    ...joinParts(
      `scan ${scan.id}   `,
      [
        scan.list,
        countOf(domains, 'domain'),
        stateText,
        duration(endAt - startedAt.getTime()),
        countOf(progress.workers, 'worker'),
      ],
      width,
    ),
    ...row(
      '  names',
      withRate(observed, rates?.names),
      percentOf(observed, domains),
      `${ratio(questions, observed)} questions each`,
    ),
    ...row(
      '  hosts',
      `${formatCount(hosts.observed)} of ${formatCount(hosts.total)}`,
      `${countOf(progress.addresses, 'address')} in ${countOf(progress.networks, 'network')}`,
    ),
    ...row(
      '  visits',
      withRate(visits.visited, rates?.visits),
      countOf(connections, 'connection'),
      `${formatCount(visits.waiting)} waiting`,
      `${formatCount(progress.inFlight)} in flight`,
    ),
    ...row(
      '  others',
      `${formatCount(visits.inferred)} inferred`,
      ...errorText(progress),
      `${formatCount(visits.unreached)} unreached`,
      `${formatCount(visits.optedOut)} opted out`,
      ...restText(progress),
    ),
    ...row('  graded', formatCount(graded), countOf(progress.shapes, 'shape')),
    ...(shares.length > 0 ? row('  verdicts', ...shares) : []),
  ];
}

/** Returns parts with three spaces between them, in lines of at most `width` columns. */
function joinParts(head: string, parts: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = head;
  for (const part of parts) {
    const isFirst = line.length === head.length;
    const joined = isFirst ? line + part : `${line}   ${part}`;
    if (isFirst || joined.length <= width) {
      line = joined;
      continue;
    }
    lines.push(line);
    line = ' '.repeat(NAME_COLUMNS) + part;
  }
  return [...lines, line];
}

function withRate(count: number, rate: number | undefined): string {
  return rate === undefined ? formatCount(count) : `${formatCount(count)}   ${formatCount(rate)}/s`;
}

/** Returns the number of resting addresses, and the end of the first rest. */
function restText({ resting, restEndsAt }: ScanProgress): readonly string[] {
  const count = `${formatCount(resting)} resting`;
  if (restEndsAt === undefined) return [count];
  const minute = restEndsAt.toISOString().slice(0, 16).replace('T', ' ');
  return [count, `first rest ends ${minute} UTC`];
}

/**
 * Returns the instruction to continue a scan that has not ended; undefined after its end.
 */
export function continuation({ scan, workers }: ScanProgress): string | undefined {
  const { state, reason } = scan;
  const again = 'hermetic scan start with the same list continues the scan.';
  if (state === 'paused' && reason !== undefined)
    return `The scan paused itself, because the network or resolver of this machine fails. After the repair, ${again}`;
  if (state === 'paused') return `The scan is paused: ${again}`;
  if (state === 'running' && workers === 0) return `No worker runs: ${again}`;
  return undefined;
}

/** Returns the measured error of inference, with the upper limit of its 95 % interval. */
function errorText({ visits, inference }: ScanProgress): readonly string[] {
  const { checked, wrong } = inference;
  if (checked === 0) return [];
  const { atMost } = inferenceError([{ ...inference, inferred: visits.inferred }]);
  const limit = percentOf(atMost, 1);
  return [`${wrong} of ${formatCount(checked)} checked differ (at most ${limit})`];
}

/** Returns the progress as one JSON object, for a line of a log. */
export function progressJson(progress: ScanProgress): object {
  const { scan, ...counts } = progress;
  const { startedAt, finishedAt, params: _, listId: __, ...rest } = scan;
  return {
    schema: 'hermetic.scan-progress/1',
    ...rest,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString(),
    ...counts,
    restEndsAt: progress.restEndsAt?.toISOString(),
  };
}

/** Formats a share with one decimal, or `-` if the base is 0. */
export function percentOf(part: number, of: number): string {
  return of === 0 ? '-' : `${((100 * part) / of).toFixed(1)} %`;
}

function ratio(value: number, of: number): string {
  return of === 0 ? '-' : (value / of).toFixed(1);
}

function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

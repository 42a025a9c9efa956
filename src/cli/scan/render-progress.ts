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

/**
 * Returns the progress as lines for a terminal. `now`: milliseconds since 1970.
 */
export function renderProgress(
  progress: ScanProgress,
  { now, rates }: { readonly now: number; readonly rates?: ProgressRates | undefined },
): readonly string[] {
  const { scan, observed, graded, hosts, visits, verdicts } = progress;
  const { domains, startedAt, finishedAt, questions, connections } = scan;
  const endAt = finishedAt?.getTime() ?? now;
  const stateText = scan.reason === undefined ? scan.state : `${scan.state} (${scan.reason})`;
  const rate = (value: number | undefined): string =>
    value === undefined ? '' : `   ${formatCount(value)}/s`;
  const shares = Object.entries(verdicts).map(
    ([verdict, n]) => `${verdict} ${percentOf(n, graded)}`,
  );
  return [
    `scan ${scan.id}   ${scan.list}   ${countOf(domains, 'domain')}   ${stateText}   ` +
      `${duration(endAt - startedAt.getTime())}   ${countOf(progress.workers, 'worker')}`,
    `  names    ${formatCount(observed)}   ${percentOf(observed, domains)}${rate(rates?.names)}   ` +
      `${ratio(questions, observed)} questions each`,
    `  hosts    ${formatCount(hosts.observed)} of ${formatCount(hosts.total)}   ` +
      `${countOf(progress.addresses, 'address')} in ${countOf(progress.networks, 'network')}`,
    `  visits   ${formatCount(visits.visited)}${rate(rates?.visits)}   ${countOf(connections, 'connection')}   ` +
      `${formatCount(visits.waiting)} waiting   ${formatCount(progress.inFlight)} in flight`,
    `  others   ${formatCount(visits.inferred)} inferred${errorText(progress)}   ` +
      `${formatCount(visits.unreached)} unreached   ${formatCount(visits.optedOut)} opted out   ${formatCount(progress.resting)} resting`,
    `  graded   ${formatCount(graded)}   ${countOf(progress.shapes, 'shape')}`,
    ...(shares.length > 0 ? [`  so far   ${shares.join('   ')}`] : []),
  ];
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
function errorText({ visits, inference }: ScanProgress): string {
  const { checked, wrong } = inference;
  if (checked === 0) return '';
  const { atMost } = inferenceError([{ ...inference, inferred: visits.inferred }]);
  return ` (${wrong} of ${formatCount(checked)} checked differ, at most ${percentOf(atMost, 1)})`;
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

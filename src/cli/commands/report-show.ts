import type { Command } from 'commander';
import {
  HermeticError,
  nearest,
  parseDomain,
  systemClock,
  unwrap,
  version,
} from '../../base/index.js';
import { checkResultSchema, type CheckResult } from '../../evidence/index.js';
import {
  prepareReports,
  renderDomain,
  renderReportOverview,
  reportedDomains,
  showDomain,
  showOverview,
  type DomainView,
  type ShowOptions,
} from '../../tls-rpt-receive/index.js';
import { openStoreToRead, type Store } from '../../store/index.js';
import { exitCodes } from '../exit-codes.js';
import {
  assertWritable,
  databaseFile,
  DEFAULT_STORE,
  readJson,
  STANDARD_STREAM,
} from '../files.js';
import { addHelpPage } from '../help.js';
import { renderDomainCsv, renderOverviewCsv } from '../render-report-csv.js';
import { collectValues, misuse, present, readNumber } from '../options.js';
import { writeOutput } from './report-options.js';
import { complain, formatJson, type CommandContext, type Output } from '../output.js';

/** The options of `hermetic report show`. */
interface ShowFlags {
  readonly store: string;
  readonly days: string;
  readonly to?: string;
  /** Results of `hermetic check --json`: they confirm or rule out a cause. */
  readonly checked?: readonly string[];
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly html?: string;
}

/**
 * Defines `hermetic report show`, which explains the failures in stored reports.
 *
 * Network: none. The database is opened for reading. Standard output: for one domain each
 * failure with its period, the likely cause and the fix; for all domains one row each.
 *
 * Exit status: 1 while a failure is ongoing, 0 when all failures ended or none occurred,
 * 3 when there is no report: the absence of reports proves nothing.
 */
export function defineReportShow(command: Command, { output, finish }: CommandContext): void {
  command
    .description('show the failed sessions, their start, the likely cause and the fix')
    .argument(
      '[domain]',
      "show this domain in full; '' for reports that name no domain (default: every domain with failures)",
    )
    .option('--store <file>', 'database of reports', DEFAULT_STORE)
    .option('--days <number>', 'look back this many days', '14')
    .option(
      '--to <date>',
      'end with this day, such as 2026-05-10 (default: the last day with reports)',
    )
    .option(
      '--checked <file>',
      'explain failures by this result of hermetic check --json; repeatable',
      collectValues,
    )
    .option('--json', 'print everything as JSON (schema report-view-1 or report-overview-1)')
    .option('--csv', 'print a table: sessions by reporter, or the domains with failures')
    .option('--html <file>', 'write the report on the domain as one HTML file without scripts')
    .action(async (domainName: string | undefined, showFlags: ShowFlags) =>
      finish(await run(domainName, showFlags, output)),
    );
  addHelpPage(command, output, {
    exitStatus: [
      [exitCodes.good, 'no failure is ongoing'],
      [exitCodes.fail, 'a failure is ongoing'],
      [exitCodes.usage, 'usage error, or an unreadable database'],
      [exitCodes.inconclusive, 'no report counts'],
    ],
    examples: [
      'hermetic report show example.com --store reports.db --days 30',
      'hermetic report show example.com --store reports.db --csv',
      'hermetic report show example.com --store reports.db --html report.html',
    ],
  });
}

/**
 * Opens the database, prints the view of one domain or of all, returns the exit status.
 */
async function run(
  domainName: string | undefined,
  showFlags: ShowFlags,
  output: Output,
): Promise<number> {
  if (showFlags.json && showFlags.csv)
    throw misuse('--json and --csv', 'both write to standard output', 'Choose one of them.');
  if (showFlags.html !== undefined) planHtml(domainName, showFlags);
  const options = readFlags(showFlags);
  const name = readName(domainName);
  const stateStore = await openStoreToRead(databaseFile(showFlags.store), {
    prepare: prepareReports,
    mustExist: true,
  });
  try {
    if (name === undefined) return printOverview(stateStore, options, showFlags, output);
    return await printDomain(
      stateStore,
      { ...options, name, file: showFlags.store },
      showFlags,
      output,
    );
  } finally {
    stateStore.close();
  }
}

/**
 * Returns the domain to show; empty: reports that name no domain; undefined: all domains.
 */
function readName(domainName: string | undefined): string | undefined {
  if (domainName === undefined || domainName === '') return domainName;
  const fix = 'Write the part after the @, such as example.com.';
  return unwrap('domain', parseDomain(domainName), fix).toLower();
}

/** Prints every domain with failures. Exit status 1 while a failure is ongoing. */
function printOverview(
  stateStore: Store,
  options: ShowOptions,
  { json, csv }: ShowFlags,
  output: Output,
): number {
  const { width, color } = output;
  const overview = showOverview(stateStore, options);
  if (csv) output.out(renderOverviewCsv(overview));
  else
    output.out(
      json ? `${formatJson(overview, 2)}\n` : renderReportOverview(overview, { width, color }),
    );
  if (overview.failing.some((failing) => failing.ongoing)) return exitCodes.fail;
  return overview.reports > 0 ? exitCodes.good : exitCodes.inconclusive;
}

/** The options of the view of one domain, with its name and the name of the database. */
interface DomainOptions extends ShowOptions {
  readonly name: string;
  readonly file: string;
}

/**
 * Prints the view of one domain. If only other names have reports, the name is usually a
 * typo, so the nearest names are suggested.
 */
async function printDomain(
  stateStore: Store,
  { name, file, ...options }: DomainOptions,
  { json, csv, html }: ShowFlags,
  output: Output,
): Promise<number> {
  const { width, color } = output;
  const domainView = showDomain(stateStore, name, options);
  const reported = domainView.status === 'no-reports' ? reportedDomains(stateStore) : [];
  const isKnown = reported.some(({ domain }) => domain === name);
  // Names that occur only in unauthenticated reports are not suggested.
  const known = reported
    .filter((entry) => entry.authenticated && entry.domain !== '')
    .map(({ domain }) => domain);
  if (html !== undefined) {
    const { renderReportFile } = await import('../../web/index.js');
    writeOutput({ option: '--html', path: html }, renderReportFile(domainView, version), output);
  }
  if (html === STANDARD_STREAM) return statusOf(domainView);
  if (csv) output.out(renderDomainCsv(domainView));
  else if (json) output.out(`${formatJson(domainView, 2)}\n`);
  // Advice to publish a record would mislead if the name is a typing error.
  else if (known.length === 0 || isKnown || name === '')
    output.out(renderDomain(domainView, { width, color }));
  else complain(output, reportsAbsent(name, file, known));
  return statusOf(domainView);
}

function statusOf({ status }: DomainView): number {
  return {
    well: exitCodes.good,
    ended: exitCodes.good,
    failing: exitCodes.fail,
    'no-reports': exitCodes.inconclusive,
  }[status];
}

/** Refuses an HTML file that cannot be written, before the database is read. */
function planHtml(domainName: string | undefined, { html = '', json, csv }: ShowFlags): void {
  if (domainName === undefined)
    throw misuse('--html', 'needs a domain', 'Write hermetic report show DOMAIN --html FILE.');
  if (html === STANDARD_STREAM && (json || csv))
    throw misuse('--html', 'writes to standard output as well', 'Use a file for one of them.');
  assertWritable(html, '--html');
}

/** The largest number of domains that a message names. */
const MAX_NAMED = 5;

/** Returns the error for a domain without reports. */
function reportsAbsent(name: string, filePath: string, known: readonly string[]): HermeticError {
  const near = nearest(name, known);
  const more = known.length > MAX_NAMED ? ` and ${known.length - MAX_NAMED} more` : '';
  return new HermeticError('reports-absent', `${filePath} has no report about ${name}`, {
    fix: near
      ? `Did you mean ${near}?`
      : `The database has reports about ${known.slice(0, MAX_NAMED).join(', ')}${more}.`,
  });
}

/** Reads the period: `days` 1 to 9999, up to and including the UTC day `to`. */
function readFlags({ days, to, checked = [] }: ShowFlags): ShowOptions {
  const endTime = to === undefined ? undefined : Date.parse(`${to}T00:00:00Z`);
  if (endTime !== undefined && (Number.isNaN(endTime) || !/^\d{4}-\d\d-\d\d$/.test(to ?? '')))
    throw misuse('--to', `${to ?? ''} is not a date`, 'Write it as 2026-05-10.');
  return present({
    now: systemClock.now(),
    days: readNumber('--days', days, { least: 1, most: 9999 }),
    to: endTime,
    checks: checked.map(readCheck),
  });
}

/** Reads a result of `hermetic check --json`. Throws HermeticError. */
function readCheck(filePath: string): CheckResult {
  return readJson(filePath, {
    what: '--checked',
    code: 'result-invalid',
    kinds: [{ id: 'hermetic.check/1', schema: checkResultSchema }],
  });
}

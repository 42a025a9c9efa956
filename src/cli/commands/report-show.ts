import { Command } from 'commander';
import { parseDomain, systemClock } from '../../base/index.js';
import { checkResultSchema, type CheckResult } from '../../evidence/index.js';
import {
  prepareReports,
  renderDomain,
  renderOverview,
  showDomain,
  showOverview,
  type ShowOptions,
} from '../../tls-rpt-receive/index.js';
import { openStoreToRead } from '../../store/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readFile } from '../read-file.js';
import { formatJson } from '../format-json.js';
import { misuse, unwrap } from './resolver-options.js';

interface ShowFlags {
  readonly store: string;
  readonly days: string;
  readonly to?: string;
  readonly checked?: readonly string[];
  readonly json?: boolean;
}

/** `hermetic report show`: what the reports say, and what to do. */
export function reportShowCommand(output: Output, finish: (code: number) => void): Command {
  return new Command('show')
    .description('what the reports say: what fails, since when, whose fault it is, what to do')
    .argument('[domain]', 'one domain in full; without it every domain that fails')
    .option('--store <file>', 'database of reports', '/var/lib/hermetic/hermetic.db')
    .option('--days <number>', 'days to look back', '14')
    .option(
      '--to <date>',
      'last day to look at, such as 2026-05-10; default: the last with reports',
    )
    .option(
      '--checked <file>',
      'a result of hermetic check --json to explain failures by; repeatable',
      (value: string, all: string[] = []) => [...all, value],
    )
    .option(
      '--json',
      'everything as JSON (schemas/hermetic.report-view-1.json; without a domain report-overview-1)',
    )
    .addHelpText(
      'after',
      '\nExample:\n  hermetic report show example.com --store reports.db --days 30',
    )
    .action(async (domain: string | undefined, flags: ShowFlags) =>
      finish(await run(domain, flags, output)),
    );
}

async function run(domain: string | undefined, flags: ShowFlags, output: Output): Promise<number> {
  const options = readFlags(flags);
  const name =
    domain === undefined
      ? undefined
      : unwrap(
          'domain',
          parseDomain(domain),
          'Write the part after the @, such as example.com.',
        ).toLower();
  const store = await openStoreToRead(flags.store, { prepare: prepareReports, mustExist: true });
  const look = { width: output.width, color: output.color };
  try {
    if (name === undefined) {
      const view = showOverview(store, options);
      output.out(flags.json ? `${formatJson(view, 2)}\n` : renderOverview(view, look));
      return view.failing.some((d) => d.ongoing) ? exitCodes.fail : exitCodes.good;
    }
    const view = showDomain(store, name, options);
    output.out(flags.json ? `${formatJson(view, 2)}\n` : renderDomain(view, look));
    return {
      well: exitCodes.good,
      ended: exitCodes.good,
      failing: exitCodes.fail,
      'no-reports': exitCodes.inconclusive,
    }[view.status];
  } finally {
    store.close();
  }
}

function readFlags({ days, to, checked = [] }: ShowFlags): ShowOptions {
  if (!/^\d{1,4}$/.test(days) || Number(days) < 1)
    throw misuse('--days', `${days} is no number of days`, 'Write 1 to 9999.');
  const at = to === undefined ? undefined : Date.parse(`${to}T00:00:00Z`);
  if (at !== undefined && (Number.isNaN(at) || !/^\d{4}-\d\d-\d\d$/.test(to ?? '')))
    throw misuse('--to', `${to ?? ''} is no date`, 'Write it as 2026-05-10.');
  return {
    now: systemClock.now(),
    days: Number(days),
    ...(at === undefined ? {} : { to: at }),
    checks: checked.map((file): CheckResult => readCheck(file)),
  };
}

function readCheck(file: string): CheckResult {
  try {
    const parsed = checkResultSchema.safeParse(JSON.parse(readFile(file, '--checked')));
    if (parsed.success) return parsed.data;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw misuse(
    '--checked',
    `${file} is no result of a check`,
    'Write one with hermetic check DOMAIN --json.',
  );
}

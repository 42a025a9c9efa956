import { basename } from 'node:path';
import type { Command } from 'commander';
import { countOf, keepHeapSmall, neutralise } from '../../base/index.js';
import {
  controlScan,
  listScans,
  loadList,
  runWorker,
  scanProgress,
  scanStatistics,
  startScan,
  storeOptOuts,
  type Database,
  type ScanProgress,
} from '../../scan/index.js';
import { exitCodes } from '../exit-codes.js';
import { assertReadable, readFile } from '../files.js';
import { addHelpPage } from '../help.js';
import { openLab } from '../lab.js';
import { readNumber } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { followScan } from '../scan/follow-scan.js';
import { continuation, progressJson, renderProgress } from '../scan/render-progress.js';
import { renderStatistics } from '../scan/render-statistics.js';
import { withDatabase, withScanDatabase, type ScanDatabaseFlags } from '../scan/scan-database.js';
import { defineScanDiff, defineScanExport, defineScanWhy, readScan } from './scan-results.js';
import { readWorker, withWorker, type WorkerFlags } from './worker-options.js';
import { stopSignal } from './worker.js';

/**
 * Defines `hermetic scan`, which scans lists of domains with PostgreSQL.
 *
 * `start` runs a worker in this process; the other subcommands only read or write the
 * database. Network of `start`: as `hermetic worker`.
 */
export function defineScan(command: Command, context: CommandContext): void {
  defineStart(command.command('start'), context);
  defineList(command.command('list'), context);
  defineShow(command.command('show'), context);
  for (const action of ['pause', 'resume', 'cancel'] as const)
    defineControl(command.command(action), action, context);
  defineScanDiff(command.command('diff'), context);
  defineScanExport(command.command('export'), context);
  defineScanWhy(command.command('why'), context);
  addHelpPage(command, context.output, {
    examples: [
      'hermetic scan start domains.txt --local scans',
      'hermetic scan show 1 --local scans',
    ],
  });
}

/** Options of `hermetic scan start`. */
interface StartFlags extends WorkerFlags, ScanDatabaseFlags {
  readonly name?: string;
  readonly citedAs?: string;
  readonly workers: string;
  readonly revisit: string;
  readonly every?: string;
}

function defineStart(command: Command, context: CommandContext): void {
  command
    .description('scan a list of domains, or continue a scan of it')
    .argument('<list>', 'file with one domain per line, or rank,domain')
    .option('--name <name>', 'name of the list in the database (default: the name of the file)')
    .option('--cited-as <text>', 'citation of a published list, such as its permanent id')
    .option('--workers <n>', 'workers in this process, 0 or 1; other processes may run more', '1')
    .option('--opt-out <file>', 'never contact the hosts and addresses in this file; it is stored')
    .option(
      '--revisit <days>',
      'do not visit an unchanged host again within this number of days',
      '14',
    );
  command.option(
    '--every <days>',
    'let workers scan the list again after this number of days; 0 is never',
  );
  withWorker(withScanDatabase(command)).action(async (file: string, flags: StartFlags) =>
    context.finish(await start(file, flags, context)),
  );
  addHelpPage(command, context.output, {
    note: 'Ctrl-C stops the worker. The same command continues the scan.',
    exitStatus: [
      [exitCodes.good, 'the scan is done, or started with --workers 0'],
      [exitCodes.usage, 'the list or the database cannot be used'],
      [exitCodes.interrupted, 'interrupted by ctrl-C, paused or cancelled'],
    ],
    examples: [
      'hermetic scan start domains.txt --local scans',
      'hermetic scan start domains.txt --local scans --lab',
    ],
  });
}

async function start(file: string, flags: StartFlags, context: CommandContext): Promise<number> {
  const { output, signal } = context;
  assertReadable(file, 'list');
  const workers = readNumber('--workers', flags.workers, { least: 0, most: 1 });
  const revisitDays = readNumber('--revisit', flags.revisit, { least: 0, most: 365 });
  const everyDays =
    flags.every === undefined
      ? undefined
      : readNumber('--every', flags.every, { least: 0, most: 365 });
  const lab = flags.lab ? await openLab() : undefined;
  try {
    keepHeapSmall();
    const { work, rules } = readWorker(flags, lab);
    const onError = (error: Error): void =>
      output.err(`hermetic scan: ${neutralise(error.message, 400)}\n`);
    return await withDatabase(
      flags,
      async (database) => {
        const name = flags.name ?? basename(file);
        if (flags.optOut !== undefined)
          await storeOptOuts(database, readFile(flags.optOut, '--opt-out'));
        const list = await loadList(database, { file, name, citedAs: flags.citedAs });
        if (list.refused > 0)
          output.err(`No domain in ${countOf(list.refused, 'line')} of the list.\n`);
        const id = await startScan(database, list.id, { revisitDays, everyDays });
        if (workers === 0) {
          output.out(`scan ${id}\n`);
          return exitCodes.good;
        }
        const stop = new AbortController();
        const stopping = AbortSignal.any([stopSignal(signal), stop.signal]);
        const worker = runWorker({ database, work, rules, signal: stopping, onError });
        const followed = followScan(database, id, { output, signal: stopping });
        // A failed worker ends the command; otherwise a worker runs until it is stopped.
        await Promise.race([worker, followed]);
        stop.abort();
        await worker;
        return await printEnd(database, id, context);
      },
      { create: true, onError },
    );
  } finally {
    await lab?.close();
  }
}

async function printEnd(
  database: Database,
  id: number,
  { output }: CommandContext,
): Promise<number> {
  const progress = await scanProgress(database, id);
  const statistics = await scanStatistics(database, id);
  const lines = [
    ...renderProgress(progress, { now: Date.now(), width: output.width }),
    ...renderStatistics(statistics, output.width),
  ];
  output.out(`${lines.join('\n')}\n`);
  printContinuation(progress, output);
  return progress.scan.state === 'done' ? exitCodes.good : exitCodes.interrupted;
}

function printContinuation(progress: ScanProgress, output: Output): void {
  const text = continuation(progress);
  if (text !== undefined) output.err(`${text}\n`);
}

function defineList(command: Command, { output }: CommandContext): void {
  command.description('list the scans, newest first');
  withScanDatabase(command)
    .option('--json', 'print each scan as one line of JSON')
    .action((flags: ScanDatabaseFlags & { readonly json?: boolean }) =>
      withDatabase(flags, async (database) => {
        const scans = await listScans(database);
        if (scans.length === 0) output.err('No scan was started in this database.\n');
        for (const scan of scans) {
          const { id, state, domains, startedAt, list } = scan;
          const text = `${id}  ${state}  ${startedAt.toISOString()}  ${domains}  ${list}`;
          output.out(`${flags.json ? formatJson(scan) : neutralise(text, 400)}\n`);
        }
      }),
    );
  addHelpPage(command, output, { examples: ['hermetic scan list --local scans'] });
}

function defineShow(command: Command, { output }: CommandContext): void {
  command
    .description('show the progress of a scan, and its statistics after its end')
    .argument('<scan>', 'number of the scan');
  withScanDatabase(command)
    .option('--json', 'print one JSON object')
    .action((scan: string, flags: ScanDatabaseFlags & { readonly json?: boolean }) => {
      const id = readScan(scan);
      return withDatabase(flags, async (database) => {
        const progress = await scanProgress(database, id);
        const statistics = await scanStatistics(database, progress.scan.id);
        const lines = flags.json
          ? [formatJson({ ...progressJson(progress), statistics }, 2)]
          : [
              ...renderProgress(progress, { now: Date.now(), width: output.width }),
              ...renderStatistics(statistics, output.width),
            ];
        output.out(`${lines.join('\n')}\n`);
      });
    });
  addHelpPage(command, output, { examples: ['hermetic scan show 1 --local scans'] });
}

const effects = {
  pause: 'stop the visits of a scan; running visits finish',
  resume: 'continue a paused scan',
  cancel: 'end a scan; its results so far stay',
} as const;

function defineControl(
  command: Command,
  action: keyof typeof effects,
  { output }: CommandContext,
): void {
  command.description(effects[action]).argument('<scan>', 'number of the scan');
  withScanDatabase(command).action((scan: string, flags: ScanDatabaseFlags) => {
    const id = readScan(scan);
    return withDatabase(flags, async (database) => {
      await controlScan(database, id, action);
      printContinuation(await scanProgress(database, id), output);
    });
  });
  addHelpPage(command, output, { examples: [`hermetic scan ${action} 1 --local scans`] });
}

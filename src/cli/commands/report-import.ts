import type { Command } from 'commander';
import { isHermeticError, neutralise, systemClock, keepHeapSmall } from '../../base/index.js';
import { createResolver, rootAnchors, systemUpstreams } from '../../dns/index.js';
import { nodeNetwork } from '../../net/index.js';
import {
  arrivalOf,
  importReports,
  knownHosts,
  openReports,
  verifyDkim,
  walkSources,
  type DkimVerdict,
  type ReportRecord,
  type Source,
} from '../../tls-rpt-receive/index.js';
import type { Store } from '../../store/index.js';
import { exitCodes } from '../exit-codes.js';
import { sayFailure } from '../failure-text.js';
import { databaseFile, STANDARD_STREAM } from '../files.js';
import { addHelpPage } from '../help.js';
import { complain, formatJson, type CommandContext } from '../output.js';
import { progress } from '../progress.js';
import { misuse, present } from '../options.js';
import {
  assertNoMailboxFlags,
  mailboxExample,
  runMailboxImport,
  withMailbox,
  type MailboxFlags,
} from './report-mailbox.js';
import { readResolverFlags, withResolver, type ResolverFlags } from './resolver-options.js';

/** The options of `hermetic report import`. */
interface ImportFlags extends ResolverFlags, MailboxFlags {
  readonly store?: string;
  /**
   * Domains whose reports count; the import reads a report about another domain, but does
   * not count it.
   */
  readonly domain?: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** False with `--no-verify`: DKIM keys are not looked up. */
  readonly verify: boolean;
}

/**
 * Defines `hermetic report import`, which reads reports from files, folders, pipes and a
 * mailbox.
 *
 * Network: DNS queries for DKIM keys, unless `--no-verify`; with `--mailbox` also the
 * server of the mailbox. RFC 8460 §3 requires a signature of the reporting domain on
 * every report by mail: unsigned mail could inject failures that never happened.
 *
 * Writes: the database of `--store` and nothing else. Standard output: a summary, or one
 * line of JSON for each report. Standard error: each refused report with its reason.
 *
 * Exit status: 0 all read, 1 a report was refused, 2 the command, a file or the database
 * cannot be used, 75 (EX_TEMPFAIL) for a temporary failure with a pipe or a mailbox.
 */
export function defineReportImport(command: Command, context: CommandContext): void {
  command
    .description('read reports from files, folders, standard input or an IMAP mailbox')
    .argument(
      '[path...]',
      'files (.json, .json.gz, .zip, .eml, mbox) and folders (maildir); - is standard input',
    )
    .optionsGroup('Reports:')
    .option('--store <file>', 'add them to this database; without it, only read them')
    .option(
      '--domain <name>',
      'count only reports about this domain and its subdomains; repeatable',
      (value: string, all: string[] = []) => [...all, value.toLowerCase()],
    )
    .option('--no-verify', 'do not look up DKIM keys: signed messages stay unauthenticated')
    .optionsGroup('Output:')
    .option('--json', 'print each report as one line of JSON (schema report-1)')
    .option('-q, --quiet', 'print only errors, no summary');
  withResolver(withMailbox(command)).action(async (paths: string[], importFlags: ImportFlags) => {
    if (importFlags.mailbox !== undefined && paths.length > 0)
      throw misuse('--mailbox', 'excludes files', 'Import the mailbox and the files one by one.');
    if (importFlags.mailbox !== undefined)
      return context.finish(await runMailboxImport(importFlags, context));
    assertNoMailboxFlags(importFlags);
    if (paths.length === 0)
      throw misuse('report import', 'nothing to read', 'Name a file, a folder or a --mailbox.');
    return context.finish(await run(paths, importFlags, context));
  });
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'every report was read; from a pipe, some may have been refused'],
      [exitCodes.fail, 'a report was refused'],
      [exitCodes.usage, 'usage error, or an unreadable file, mailbox or database'],
      [exitCodes.retry, 'a pipe or mailbox failed temporarily; try again'],
    ],
    examples: [
      'hermetic report import --store reports.db ~/Maildir/.tlsrpt',
      'hermetic report import --json report.json.gz',
      mailboxExample,
    ],
  });
}

/** Imports all sources, prints the results, and returns the exit status. */
async function run(
  paths: readonly string[],
  importFlags: ImportFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  keepHeapSmall();
  const isPiped = paths.includes(STANDARD_STREAM);
  const tally = new Tally();
  const line = progress(output);
  let stateStore: Store | undefined;
  try {
    if (importFlags.store !== undefined)
      stateStore = await openReports(databaseFile(importFlags.store));
    const options = present({
      clock: systemClock,
      store: stateStore,
      domains: importFlags.domain,
      verify: importFlags.verify ? createVerifier(importFlags) : undefined,
      retryKeys: importFlags.verify ? isPiped : undefined,
      hosts: stateStore && importFlags.domain && knownHosts(stateStore, importFlags.domain),
    });
    for await (const record of importReports(sources(paths), options)) {
      if (signal.aborted) break;
      tally.add(record);
      line.note(`${tally.read} reports`);
      if (importFlags.json) output.out(`${formatJson(record)}\n`);
      else if (record.status === 'refused') output.err(formatRefusal(record));
    }
  } catch (error) {
    if (!isHermeticError(error)) throw error;
    complain(output, error);
    // EX_TEMPFAIL: a mail server that pipes a report to this command keeps the mail and
    // tries again.
    const isTemporary = error.code.startsWith('store-') || error.code === 'dkim-key-unavailable';
    if (isPiped && isTemporary) return exitCodes.retry;
    return exitCodes.usage;
  } finally {
    line.end();
    stateStore?.close();
  }
  if (!importFlags.json && !importFlags.quiet) output.out(tally.summary(importFlags.store));
  if (signal.aborted) {
    output.err('hermetic: interrupted; the other reports were not read (interrupted)\n');
    return exitCodes.interrupted;
  }
  // A pipe from a mail server never fails because of a bad report: the server would
  // answer the reporter with a bounce.
  if (tally.refused > 0 && !isPiped) return exitCodes.fail;
  return exitCodes.good;
}

/** Yields standard input for `-`, and the report files of each other path. */
async function* sources(paths: readonly string[]): AsyncGenerator<Source> {
  for (const filePath of paths)
    if (filePath === STANDARD_STREAM) yield { name: 'standard input', open: () => process.stdin };
    else yield* walkSources(filePath);
}

/**
 * Failed lookups in a row after which the network counts as unreachable.
 *
 * Without a network each of thousands of messages would otherwise wait for a timeout.
 */
const MAX_SILENT_LOOKUPS = 3;

/**
 * Returns a function that verifies signatures at the date of arrival, and stops lookups
 * once the network is unreachable.
 *
 * The date of arrival decides, because DKIM keys are rotated: the key of an old message
 * may be withdrawn, and a signature may have expired (RFC 6376 §3.5, tag `x=`).
 */
function createVerifier(
  resolverFlags: ResolverFlags,
): (rawMessage: Uint8Array) => Promise<DkimVerdict> {
  const resolver = createResolver({
    network: nodeNetwork(),
    upstreams: systemUpstreams(),
    anchors: rootAnchors,
    ...readResolverFlags(resolverFlags),
  });
  let silent = 0;
  return async (rawMessage) => {
    if (silent >= MAX_SILENT_LOOKUPS)
      return { result: 'temperror', detail: 'keys cannot be looked up' };
    const verdict = await verifyDkim(
      rawMessage,
      resolver,
      arrivalOf(rawMessage) ?? systemClock.now(),
    );
    silent = verdict.result === 'temperror' ? silent + 1 : 0;
    return verdict;
  };
}

function formatRefusal({ source, refusal: why }: ReportRecord): string {
  return `hermetic: ${neutralise(source)}: ${why ? sayFailure(why) : 'refused'}\n`;
}

/**
 * Counts the input of an import, for its summary.
 *
 * Only the sessions of counted reports are included. Unauthenticated reports are listed
 * by verdict, so that the operator sees how much was omitted.
 */
class Tally {
  read = 0;
  refused = 0;
  readonly #uncounted = new Map<string, number>();
  /** Deviations from RFC 8460 by code, with the number of affected reports. */
  readonly #departures = new Map<string, number>();
  readonly #stored = { stored: 0, repeated: 0, confirmed: 0, superseded: 0 };
  #successful = 0;
  #failed = 0;
  /** Number of reports with members that RFC 8460 does not define. */
  #unforeseen = 0;

  /** Counts one report. */
  add({ status, trust, totals, notes, unforeseen, stored }: ReportRecord): void {
    this.read++;
    if (status === 'refused') return void this.refused++;
    if (stored) this.#stored[stored]++;
    if (unforeseen && unforeseen.length > 0) this.#unforeseen++;
    for (const { code } of notes ?? []) increment(this.#departures, code);
    if (!trust?.counted) return increment(this.#uncounted, trust?.verdict ?? '');
    this.#successful += totals?.successful ?? 0;
    this.#failed += totals?.failed ?? 0;
  }

  /** Returns the summary, each sentence on its line. */
  summary(store: string | undefined): string {
    const { stored, repeated, confirmed, superseded } = this.#stored;
    const outputLines = [`${this.read - this.refused} reports read, ${this.refused} refused.`];
    if (store !== undefined)
      outputLines.push(
        `${stored + confirmed + superseded} new in ${neutralise(store)}, ${repeated} were already stored.`,
      );
    outputLines.push(
      `${this.#successful} successful and ${this.#failed} failed sessions, counted once for every policy.`,
    );
    const uncounted = [...this.#uncounted].map(([verdict, count]) => `${count} ${verdict}`);
    if (uncounted.length > 0) outputLines.push(`Not in the totals: ${uncounted.join(', ')}.`);
    const departures = [...this.#departures]
      .sort((left, right) => right[1] - left[1])
      .map(([code, count]) => `${code} ${count}`);
    if (departures.length > 0)
      outputLines.push(
        `Departures from RFC 8460: ${departures.slice(0, 8).join(', ')}${departures.length > 8 ? ', ...' : ''}.`,
      );
    if (this.#unforeseen > 0)
      outputLines.push(`${this.#unforeseen} reports have unknown members; --json shows them.`);
    return `${outputLines.join('\n')}\n`;
  }
}

function increment(counts: Map<string, number>, identity: string): void {
  counts.set(identity, (counts.get(identity) ?? 0) + 1);
}

import type { Command } from 'commander';
import { isHermeticError, neutralise } from '../../base/index.js';
import { collect, collectOptions, grade, nameOf, profileNames } from '../../check/index.js';
import type { CheckResult } from '../../evidence/index.js';
import {
  alarmText,
  awaitsConfirmation,
  decideAlarms,
  keepDomains,
  openAlarms,
  type WatchedCheck,
  type WatchAlarm,
  type WatchState,
} from '../../watch/index.js';
import { inLanes } from '../check-domains.js';
import { exitCodes } from '../exit-codes.js';
import { assertWritable, STANDARD_STREAM, writeFile } from '../files.js';
import { addHelpPage } from '../help.js';
import { labOptions, openLab } from '../lab.js';
import { misuse } from '../options.js';
import { complain, formatJson, type CommandContext } from '../output.js';
import { profileNamed, readCheckFlags, readDomainList, type CheckFlags } from './check-options.js';
import { withPeers } from './peer-options.js';
import { withResolver } from './resolver-options.js';
import { defineWatchAccept, defineWatchStatus } from './watch-accept.js';
import { readState } from './watch-state.js';

/** The options of `hermetic watch`: the options of a check, and the saved state. */
interface WatchFlags extends CheckFlags {
  readonly state?: string;
  readonly quiet?: boolean;
}

/** Number of domains that are checked concurrently. */
const MAX_CONCURRENT = 8;

/**
 * Defines `hermetic watch`, which checks domains and reports only faults that began,
 * became worse or ended.
 */
export function defineWatch(command: Command, context: CommandContext): void {
  // `watch` and its subcommands all have --state: after a subcommand, the option belongs
  // to it.
  command.enablePositionalOptions();
  defineWatchAccept(command.command('accept'), context);
  defineWatchStatus(command.command('status'), context);
  command
    .argument('[domain...]', 'mail domains: the part after the @')
    .optionsGroup('What to watch:')
    .option(
      '--state <file>',
      'store the results of the checks in this file; the command creates it if absent',
    )
    .option('--from <file>', 'read the domains from a file, one per line; - is standard input')
    .option('--depth <depth>', 'how much to test: triage, verdict or inventory', 'verdict')
    .option('--profile <name>', `grade by ${profileNames.join(', ')}, or a .json file`, 'baseline');
  withPeers(withResolver(command), '15')
    .optionsGroup('Output:')
    .option('--json', 'print the alarms and the state of each domain as JSON')
    .option('-q, --quiet', 'print only alarms and errors')
    .action(async (domains: string[], watchFlags: WatchFlags) =>
      context.finish(await watch(domains, watchFlags, context)),
    );
  addHelpPage(command, context.output, {
    note: 'Two checks in a row confirm a change. Run the command from cron or a timer.',
    exitStatus: [
      [exitCodes.good, 'no fault began or became worse'],
      [exitCodes.fail, 'a fault began or became worse'],
      [exitCodes.usage, 'usage error, or an unreadable state file'],
      [exitCodes.inconclusive, 'no fault began, but the check of a domain gave no certain result'],
      [exitCodes.interrupted, 'interrupted by ctrl-C; nothing is stored'],
    ],
    examples: [
      'hermetic watch example.com --state /var/lib/hermetic/watch.json',
      'hermetic watch --lab good.example --state watch.json',
    ],
  });
}

/**
 * Checks every domain once. Throws HermeticError before the first packet for names, flags
 * and files that cannot be used: from cron, a typo must not look like an outage.
 */
async function watch(
  given: readonly string[],
  watchFlags: WatchFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  const { state: filePath, from } = watchFlags;
  if (filePath === undefined || filePath === STANDARD_STREAM)
    throw misuse('--state', 'the watch needs a state file', 'Specify one: --state watch.json.');
  const listed = from === undefined ? [] : readDomainList(from);
  const domains = [
    ...new Set([...given, ...listed].map((domainText) => nameOf(domainText).toLower())),
  ];
  if (domains.length === 0) throw misuse('watch', 'no domain is given', 'Specify a domain.');
  assertWritable(filePath, '--state');
  const before = readState(filePath);
  const checks = await checkAll(domains, watchFlags, { output, signal });
  // Aborted checks have no result, and must not count as checks that observed no fault.
  if (signal.aborted) return exitCodes.interrupted;
  // The decision about an outage of this machine depends on all domains. Domains of
  // earlier runs would hide an outage, because no check of these domains can fail.
  const kept = keepDomains(before, domains, Date.now());
  let { state } = kept;
  const watchAlarms: WatchAlarm[] = [...kept.alarms];
  for (const watchedCheck of checks) {
    const decided = decideAlarms(state, watchedCheck, Date.now());
    ({ state } = decided);
    watchAlarms.push(...decided.alarms);
  }
  // Prints alarms before it writes the state: an interruption may repeat an alarm, but
  // loses none.
  if (watchFlags.json) output.out(`${formatJson(asJson(state, watchAlarms, domains), 2)}\n`);
  else output.out(asText(state, watchAlarms, watchFlags.quiet ? [] : domains));
  writeFile(filePath, `${JSON.stringify(state, null, 2)}\n`, '--state');
  if (watchAlarms.some(({ kind }) => kind !== 'ended')) return exitCodes.fail;
  const isHidden = domains.some((domainName) => (state.domains[domainName]?.blind ?? 0) > 0);
  return isHidden ? exitCodes.inconclusive : exitCodes.good;
}

/** Checks every domain. A failed check has no result and does not end the run. */
async function checkAll(
  domains: readonly string[],
  watchFlags: WatchFlags,
  { output, signal }: Pick<CommandContext, 'output' | 'signal'>,
): Promise<readonly WatchedCheck[]> {
  const profile = profileNamed(watchFlags.profile);
  const settings = readCheckFlags(watchFlags);
  const lab = watchFlags.lab ? await openLab(domains) : undefined;
  try {
    const options = collectOptions({ ...settings, ...(lab && labOptions(lab)), signal });
    const check = async (domainName: string): Promise<CheckResult | undefined> => {
      try {
        return grade(await collect(nameOf(domainName), options), profile);
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!isHermeticError(error)) throw error;
        complain(output, error);
        return undefined;
      }
    };
    const results = await Promise.all(inLanes(domains, MAX_CONCURRENT, check));
    return domains.map((domain, count) => ({ domain, result: results[count] }));
  } finally {
    await lab?.close();
  }
}

/** Returns the alarms first, then a line for each domain; foreign text is neutralised. */
function asText(
  state: WatchState,
  watchAlarms: readonly WatchAlarm[],
  domains: readonly string[],
): string {
  const outputLines = domains.map((domainName) => {
    const known = state.domains[domainName];
    const open = known ? openAlarms(known) : 0;
    const notes = [
      known?.verdict ?? 'inconclusive',
      ...(open > 0 ? [`alarms open: ${open}`] : []),
      ...(awaitsConfirmation(state, domainName) ? ['not confirmed yet'] : []),
    ];
    return neutralise(`${domainName}: ${notes.join(', ')}`);
  });
  const blocks = [alarmText(watchAlarms), outputLines.join('\n')].filter((block) => block !== '');
  return blocks.map((block) => `${block}\n`).join('\n');
}

/**
 * Returns the JSON output `hermetic.watch/1`. Later versions add fields, but never rename
 * or remove one.
 */
function asJson(
  { domains: known, own }: WatchState,
  alarms: readonly WatchAlarm[],
  domains: readonly string[],
): unknown {
  return {
    schema: 'hermetic.watch/1',
    alarms,
    cannotSee: own.open,
    domains: domains.map((domainName) => {
      const state = known[domainName];
      return {
        domain: domainName,
        verdict: state?.verdict,
        certainAt: state && new Date(state.certainAt).toISOString(),
        alarmsOpen: state ? openAlarms(state) : 0,
      };
    }),
  };
}

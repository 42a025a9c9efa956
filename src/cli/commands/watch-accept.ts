import type { Command } from 'commander';
import { HermeticError, neutralise } from '../../base/index.js';
import { nameOf } from '../../check/index.js';
import { openStore, openStoreToRead, type Store } from '../../store/index.js';
import {
  acceptableLosses,
  acceptedText,
  acceptLosses,
  acceptStored,
  openAlarms,
  prepareWatch,
  readWatch,
  type LostProtection,
  type WatchState,
} from '../../watch/index.js';
import { AccountTable } from '../../web/index.js';
import { exitCodes } from '../exit-codes.js';
import { databaseFile, DEFAULT_STORE, writeFile } from '../files.js';
import { addHelpPage } from '../help.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { readState } from './watch-state.js';

/** The saved state of a watch: in the database of the daemon, or in a file. */
interface MemoryFlags {
  readonly store: string;
  readonly state?: string;
}

interface AcceptFlags extends MemoryFlags {
  readonly rule?: readonly string[];
  readonly reason?: string;
  readonly yes?: boolean;
}

function withMemory(command: Command): Command {
  return command
    .option('--store <file>', 'database of the daemon', DEFAULT_STORE)
    .option('--state <file>', 'the file of hermetic watch, instead of the database');
}

/**
 * Defines `hermetic watch accept`, which accepts the intentional loss of a protection as
 * the known state of a domain.
 *
 * Network: none. Without `--yes` the command writes nothing. Exit status: 0; 1 if there
 * is nothing to accept; 2 if the saved state cannot be used.
 */
export function defineWatchAccept(command: Command, context: CommandContext): void {
  withMemory(command)
    .description('accept that a domain lost a protection on purpose')
    .argument('<domain>', 'the watched domain')
    .option('--rule <name...>', 'accept only these alarms, such as dane-lost')
    .option('--reason <text>', 'the reason, for the list of acceptances')
    .option('--yes', 'accept; without this option the command only shows the losses')
    .action(async (typed: string, flags: AcceptFlags) =>
      context.finish(await accept(nameOf(typed).toLower(), flags, context.output)),
    );
  addHelpPage(command, context.output, {
    note: 'The watch still reports later changes: a further loss, or a protection that returns and is lost again.',
    exitStatus: [
      [exitCodes.good, 'the losses are shown, or accepted with --yes'],
      [exitCodes.fail, 'the domain has no confirmed loss of a protection'],
      [exitCodes.usage, 'usage error, or an unreadable database or state file'],
    ],
    examples: [
      'hermetic watch accept example.com',
      'hermetic watch accept example.com --rule dane-lost --reason provider-change --yes',
    ],
  });
}

async function accept(domain: string, flags: AcceptFlags, output: Output): Promise<number> {
  const { rule: rules, reason, yes } = flags;
  const choose = (losses: readonly LostProtection[]): readonly LostProtection[] =>
    losses.filter((loss) => rules?.includes(loss.rule) ?? true);
  const losses = yes
    ? await acceptNow(domain, flags, choose)
    : choose(acceptableLosses(await readMemory(flags), domain));
  if (losses.length === 0) {
    output.err(
      `hermetic: ${neutralise(domain)} has no confirmed loss of a protection (watch-nothing-to-accept)\n  Read the open alarms: hermetic watch status\n`,
    );
    return exitCodes.fail;
  }
  const lines = losses.map(({ rule, says }) => `  ${rule}: ${says}`).join('\n');
  const head = yes ? 'Accepted' : 'To accept';
  output.out(`${head} for ${neutralise(domain)}${reason ? ` (${neutralise(reason)})` : ''}:\n`);
  output.out(`${lines}\n`);
  if (!yes)
    output.out('Nothing was written. Repeat the command with --yes to accept these losses.\n');
  return exitCodes.good;
}

type Choose = (losses: readonly LostProtection[]) => readonly LostProtection[];

/** Reads and accepts the losses in one step, so that no loss is stale. */
async function acceptNow(
  domain: string,
  { state: filePath, store: storeFile, reason }: AcceptFlags,
  choose: Choose,
): Promise<readonly LostProtection[]> {
  const given = { by: account(), reason, at: Date.now() };
  if (filePath !== undefined) {
    const state = readState(filePath);
    const losses = choose(acceptableLosses(state, domain));
    if (losses.length > 0) {
      const next = acceptLosses(state, domain, { ...given, losses }).state;
      writeFile(filePath, `${JSON.stringify(next, null, 2)}\n`, '--state');
    }
    return losses;
  }
  const store: Store = await openStore(databaseFile(storeFile), { mustExist: true });
  try {
    prepareWatch(store);
    const { audit } = new AccountTable(store);
    const accepted = await acceptStored(store, domain, given, {
      choose,
      alongside: (losses) => {
        for (const { rule } of losses)
          audit.append({
            ...{ at: given.at, actor: given.by, way: 'command', network: '' },
            ...{ action: 'watch-accept', subject: `${domain} ${rule}`, outcome: 'done' },
          });
      },
    });
    await store.settle();
    return accepted;
  } finally {
    store.close();
  }
}

/** Returns the name of the system account that runs the command. */
function account(): string {
  const { SUDO_USER, USER } = process.env;
  return SUDO_USER ?? USER ?? 'unknown';
}

async function readMemory({ state: filePath, store }: MemoryFlags): Promise<WatchState> {
  if (filePath !== undefined) return readState(filePath);
  const opened = await openStoreToRead(databaseFile(store), {
    prepare: prepareWatch,
    mustExist: true,
  });
  try {
    return readWatch(opened);
  } finally {
    opened.close();
  }
}

/**
 * Defines `hermetic watch status`, which prints the open alarms of each watched domain,
 * and the losses that were accepted. Network: none.
 */
export function defineWatchStatus(command: Command, { output }: CommandContext): void {
  withMemory(command)
    .description('print the open alarms and the accepted losses')
    .argument('[domain...]', 'only these domains')
    .option('--json', 'print one JSON object for each domain, one per line')
    .action(async (typed: string[], flags: MemoryFlags & { readonly json?: boolean }) => {
      const { domains } = await readMemory(flags);
      const wanted = typed.map((name) => nameOf(name).toLower());
      const unknown = wanted.find((domain) => !Object.hasOwn(domains, domain));
      if (unknown !== undefined)
        throw new HermeticError('watch-domain-unknown', `${unknown} is not watched`, {
          fix: 'Name a watched domain, or omit the name for all domains.',
        });
      for (const domain of wanted.length > 0 ? wanted : Object.keys(domains).sort())
        output.out(flags.json ? statusJson(domains, domain) : statusText(domains, domain));
    });
  addHelpPage(command, output, {
    examples: ['hermetic watch status', 'hermetic watch status --state watch.json'],
  });
}

function statusText(domains: WatchState['domains'], domain: string): string {
  const known = domains[domain];
  if (!known) return '';
  const alarms = openAlarms(known);
  const lines = [
    `${domain}: ${known.verdict}, alarms open: ${alarms}`,
    ...known.faults.filter(({ alarm }) => alarm !== '').map(({ says }) => `  ${says}`),
    ...(known.accepted ?? []).map((one) => `  ${acceptedText(one)}`),
  ];
  return `${lines.map((line) => neutralise(line)).join('\n')}\n`;
}

function statusJson(domains: WatchState['domains'], domain: string): string {
  const known = domains[domain];
  if (!known) return '';
  const accepted = (known.accepted ?? []).map(({ at, ...one }) => ({
    ...one,
    at: new Date(at).toISOString(),
  }));
  const faults = known.faults
    .filter(({ alarm }) => alarm !== '')
    .map(({ rule, says, since }) => ({ rule, says, since: new Date(since).toISOString() }));
  const { verdict } = known;
  return `${formatJson({ domain, verdict, alarmsOpen: openAlarms(known), faults, accepted })}\n`;
}

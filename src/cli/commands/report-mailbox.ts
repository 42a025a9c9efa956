import type { Command } from 'commander';
import {
  keepHeapSmall,
  neutralise,
  parseDomain,
  systemClock,
  type Failure,
  type Result,
} from '../../base/index.js';
import { findFailure } from '../../catalogue/index.js';
import { createResolver, rootAnchors, systemUpstreams } from '../../dns/index.js';
import { nodeNetwork } from '../../net/index.js';
import { openStoreToRead } from '../../store/index.js';
import { builtinTrustStore } from '../../tls/index.js';
import {
  importMailbox,
  isOtherMail,
  lookupKeys,
  mailboxName,
  openMailbox,
  openReports,
  prepareReports,
  type MailboxImport,
  type MailboxReaderOptions,
  type MailboxSecret,
  type MailFate,
} from '../../tls-rpt-receive/index.js';
import { exitCodes } from '../exit-codes.js';
import { sayFailure } from '../failure-text.js';
import { databaseFile } from '../files.js';
import { misuse, readWord } from '../options.js';
import type { CommandContext } from '../output.js';
import { progress } from '../progress.js';
import { readResolverFlags, type ResolverFlags } from './resolver-options.js';

/** The options of `hermetic report import` about a mailbox. */
export interface MailboxFlags {
  readonly mailbox?: string;
  readonly passwordFile?: string;
  readonly tokenCommand?: string;
  readonly after?: string;
  readonly moveTo?: string;
  readonly trusted?: boolean;
  readonly dryRun?: boolean;
}

/** The options of `hermetic report import` that an import from a mailbox uses. */
interface ImportFlags extends MailboxFlags, ResolverFlags {
  readonly store?: string;
  readonly domain?: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verify: boolean;
}

/** The example of the help page. */
export const mailboxExample =
  'hermetic report import --mailbox imaps://tlsrpt@imap.example.net/INBOX --password-file /etc/hermetic/imap-password --domain example.com --store reports.db --dry-run';

/** Adds the options of a mailbox to a command, in a separate group. */
export function withMailbox(command: Command): Command {
  return command
    .optionsGroup('ReportMailbox:')
    .option('--mailbox <url>', 'read an IMAP folder once: imaps://USER@SERVER/FOLDER')
    .option('--password-file <file>', 'file with the password, not readable by other users')
    .option('--token-command <program>', 'program that prints an access token of OAuth 2.0')
    .option('--after <action>', 'after a mail is stored: keep (the default), move or delete it')
    .option('--move-to <folder>', 'move stored mails to this folder')
    .option('--trusted', 'accept reports without a verifiable signature, for your own archive')
    .option('--dry-run', 'print the result of the import; store, move and delete nothing');
}

/** Throws HermeticError for an option that has no effect without a mailbox. */
export function assertNoMailboxFlags(flags: MailboxFlags): void {
  const { passwordFile, tokenCommand, after, moveTo, trusted, dryRun } = flags;
  const given = Object.entries({
    '--password-file': passwordFile,
    '--token-command': tokenCommand,
    '--after': after,
    '--move-to': moveTo,
    '--trusted': trusted,
    '--dry-run': dryRun,
  }).find(([, value]) => value !== undefined);
  if (given) throw misuse(given[0], 'applies to a mailbox only', 'Specify the --mailbox too.');
}

/** A mailbox folder on a server, and the account for it. */
export interface MailboxUrl {
  readonly user: string;
  readonly server: string;
  readonly port: number;
  readonly folder: string;
}

const urlForm = 'Write imaps://USER@SERVER/FOLDER, with %23 for # and %3F for ?.';

/**
 * Reads the URL of a folder (RFC 5092 §3, with `imaps` for TLS from the first octet). The
 * account may be a mail address. Throws HermeticError.
 */
export function parseMailboxUrl(text: string): MailboxUrl {
  const found =
    /^imaps:\/\/(?<user>.+)@(?<host>[^@/:]+)(?::(?<port>\d{1,5}))?(?:\/(?<folder>.*))?$/i;
  const { user = '', host = '', port = '993', folder = '' } = found.exec(text)?.groups ?? {};
  if (/^imap:/i.test(text)) throw misuse('--mailbox', 'imap:// begins in plaintext', urlForm);
  if (user.includes(':'))
    throw misuse(
      '--mailbox',
      'contains a password, which every user of this machine can list',
      'Put it into a file that only you can read: --password-file.',
    );
  const server = parseDomain(host);
  const number = Number(port);
  if (!server.ok || host === '' || number < 1 || number > 65_535 || /[?#]/.test(folder))
    throw misuse('--mailbox', 'is not the URL of an IMAP folder', urlForm);
  try {
    return {
      user: decodeURIComponent(user),
      server: server.value.toLower(),
      port: number,
      folder: decodeURIComponent(folder) || 'INBOX',
    };
  } catch {
    throw misuse('--mailbox', 'has an invalid % encoding', urlForm);
  }
}

/**
 * Returns the action on a mail of the mailbox after the import stored its report. Throws
 * HermeticError.
 */
function readAction({
  after = 'keep',
  moveTo,
}: MailboxFlags): Pick<MailboxReaderOptions, 'after' | 'moveTo'> {
  const action = readWord('--after', after, ['keep', 'move', 'delete']);
  if (action === 'move' && moveTo === undefined)
    throw misuse('--after', 'move needs a folder', 'Name it: --move-to FOLDER.');
  if (action !== 'move' && moveTo !== undefined)
    throw misuse('--move-to', 'has no effect', 'Write --after move, or omit it.');
  return { after: action, moveTo };
}

/**
 * Returns the domains of the import. Throws HermeticError unless every required option is
 * given.
 */
function assertComplete(flags: ImportFlags): readonly string[] {
  const { passwordFile, tokenCommand, store, domain = [], json, verify, dryRun } = flags;
  if ((passwordFile === undefined) === (tokenCommand === undefined))
    throw misuse(
      '--mailbox',
      'needs one secret',
      'Specify either --password-file or --token-command.',
    );
  // Any sender can mail a report about any domain to a mailbox.
  if (domain.length === 0)
    throw misuse('--mailbox', 'needs your domains', 'Specify --domain for each of your domains.');
  if (store === undefined && dryRun !== true)
    throw misuse('--mailbox', 'needs a database', 'Specify --store FILE, or use --dry-run.');
  if (json)
    throw misuse(
      '--json',
      'applies to reports from files only',
      'Import the mailbox, then use hermetic report export.',
    );
  if (!verify)
    throw misuse('--no-verify', 'excludes --mailbox', 'For an archive use --trusted instead.');
  return domain;
}

/** Imports the mailbox, prints the results, and returns the exit status. */
export async function runMailboxImport(
  flags: ImportFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  keepHeapSmall();
  const domains = assertComplete(flags);
  const url = parseMailboxUrl(flags.mailbox ?? '');
  const action = readAction(flags);
  const isDryRun = flags.dryRun === true;
  const { obtainMailboxSecret } = await import('../../server/index.js');
  const network = nodeNetwork();
  const { roots, ...resolverSettings } = readResolverFlags(flags);
  const resolver = createResolver({
    network,
    upstreams: systemUpstreams(),
    anchors: rootAnchors,
    ...resolverSettings,
  });
  const tokenCommand = flags.tokenCommand === undefined ? undefined : [flags.tokenCommand];
  const source = { password: flags.passwordFile, tokenCommand };
  let firstSecret: Result<MailboxSecret> | undefined = await obtainMailboxSecret(source, signal);
  if (!firstSecret.ok) return exitStatusOf({ ...firstSecret.failure, temporary: false }, output);
  const readOnly = isDryRun || action.after === 'keep';
  const file = flags.store === undefined ? ':memory:' : databaseFile(flags.store);
  const store = isDryRun
    ? await openStoreToRead(file, { prepare: prepareReports })
    : await openReports(file);
  const line = progress(output);
  try {
    const imported = await importMailbox({
      name: mailboxName(url),
      ...action,
      trusted: flags.trusted === true,
      open: async (stop) => {
        const secret = firstSecret ?? (await obtainMailboxSecret(source, stop));
        firstSecret = undefined;
        if (!secret.ok) return secret;
        return openMailbox(
          { ...url, readOnly, moveTo: readOnly ? undefined : action.moveTo },
          secret.value,
          {
            network,
            localNetwork: network,
            resolver,
            trustStore: roots ?? builtinTrustStore(),
            clock: systemClock,
            signal: stop,
          },
        );
      },
      store,
      clock: systemClock,
      domains,
      keys: (name) => lookupKeys(resolver, name),
      signal,
      isDryRun,
      onMail: (mails) => line.note(`${mails} mails`),
    });
    line.end();
    if (!flags.quiet) output.out(summaryOf(imported, { ...action, isDryRun, store: flags.store }));
    return exitStatus(imported, output);
  } catch (error) {
    if (!signal.aborted) throw error;
    line.end();
    output.err('hermetic: interrupted; the same command reads the remaining mails (interrupted)\n');
    return exitCodes.interrupted;
  } finally {
    line.end();
    store.close();
  }
}

function exitStatus({ result, fates }: MailboxImport, output: CommandContext['output']): number {
  if (!result.ok) return exitStatusOf(result.failure, output);
  return (fates.get('refused') ?? 0) > 0 ? exitCodes.fail : exitCodes.good;
}

function exitStatusOf(failure: Failure, output: CommandContext['output']): number {
  output.err(`hermetic: ${neutralise(sayFailure(failure), 500)}\n`);
  const fix = findFailure(failure.code)?.fix;
  if (fix !== undefined) output.err(`  ${fix}\n`);
  return failure.temporary ? exitCodes.retry : exitCodes.usage;
}

/** The options that the summary mentions. */
interface SummaryOptions extends Pick<MailboxReaderOptions, 'after' | 'moveTo'> {
  readonly isDryRun: boolean;
  readonly store: string | undefined;
}

/** Returns the summary of an import, each sentence on its line. */
export function summaryOf(imported: MailboxImport, options: SummaryOptions): string {
  const { fates, pending, fresh, known, uncounted, refused } = imported;
  const { isDryRun, store, after, moveTo } = options;
  const count = (fate: MailFate): number => fates.get(fate) ?? 0;
  const [taken, unreadable] = [count('taken'), count('refused')];
  const total = [...fates.values()].reduce((sum, one) => sum + one, 0);
  const verb = isDryRun ? 'would be' : 'were';
  const lines = [
    `${total} mails read: ${taken} with reports, ${count('foreign')} other mails, ` +
      `${count('left')} only partly about your domains, ${unreadable} not readable.`,
    `${fresh} reports ${isDryRun ? 'are ' : ''}new${store === undefined ? '' : ` in ${neutralise(store)}`}, ${known} were already stored.`,
  ];
  if (uncounted.size > 0) lines.push(`Not in the totals: ${listOf(uncounted)}.`);
  const faults = new Map([...refused].filter(([code]) => !isOtherMail({ code })));
  if (faults.size > 0) lines.push(`Reasons of mails that cannot be read: ${listOf(faults)}.`);
  if (after === 'keep') lines.push('No mail was moved or deleted.');
  else if (after === 'move')
    lines.push(`${taken} mails ${verb} moved to ${neutralise(moveTo ?? '')}; the others stay.`);
  else lines.push(`${taken} mails ${verb} deleted; the others stay.`);
  if (pending > 0)
    lines.push(
      `${pending} mails are pending because of a DKIM key. Run the command again in a few minutes.`,
    );
  if (isDryRun) lines.push('This was a dry run: nothing was stored, moved or deleted.');
  return `${lines.join('\n')}\n`;
}

function listOf(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

import { Argument, Option, type Command } from 'commander';
import { spawnSync } from 'node:child_process';
import { dirname, isAbsolute, join } from 'node:path';
import { HermeticError, isHermeticError, parseDomain, unwrap } from '../../base/index.js';
import {
  policyServers,
  predictSender,
  readPostfix,
  renderPrediction,
  resolverStates,
  senderCases,
  type PolicyServer,
  type ReadTable,
  type ResolverState,
  type SenderModel,
  type SenderPrediction,
  type TableName,
} from '../../sender/index.js';
import { exitCodes } from '../exit-codes.js';
import { readFile, STANDARD_STREAM } from '../files.js';
import { addHelpPage } from '../help.js';
import { collectValues, readWord } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';

/** The options of `hermetic sender predict`. */
interface PredictFlags {
  readonly domain: string;
  readonly resolver?: ResolverState;
  readonly policyServer?: PolicyServer;
  readonly serverVersion?: string;
  /** Lines that are added to the configuration: a prediction of a change. */
  readonly set?: readonly string[];
  readonly json?: boolean;
}

const servers = ['postfix'] as const;

/** The domain of recipients whose rules no configuration lists. */
const ANY_DOMAIN = 'recipient.example';

/**
 * `hermetic sender predict`: predicts how a mail server treats the mail that it sends.
 *
 * Offline: it reads the configuration and the tables that it names. Without a file it runs
 * `postconf` of this machine. Standard output: the verdict of each mechanism, the exposure
 * table of this sender, every case of the sender test, and the lines to change.
 *
 * Exit status: 0 if DANE and MTA-STS are enforced, 1 if one is not, 3 if the configuration
 * leaves it open.
 */
export function defineSenderPredict(command: Command, { output, finish }: CommandContext): void {
  command
    .description('predict from its configuration how a mail server treats the mail it sends')
    .addArgument(new Argument('<server>', `the mail server: ${servers.join(', ')}`))
    .argument('[file]', 'output of postconf -n; - for standard input (default: run postconf)')
    .option('--domain <domain>', 'domain of the recipients', ANY_DOMAIN)
    .addOption(
      new Option('--resolver <state>', 'state whether the resolver validates DNSSEC').choices(resolverStates),
    )
    .addOption(
      new Option('--policy-server <name>', 'program that answers a socketmap').choices(
        policyServers,
      ),
    )
    .option('--server-version <number>', 'version of the server, such as 3.11')
    .option('--set <line>', 'add this line to the configuration; repeatable', collectValues)
    .option('--json', 'print everything as JSON (schema sender-prediction-1)')
    .action((server: string, file: string | undefined, flags: PredictFlags) =>
      finish(run(readWord('server', server, servers), file, flags, output)),
    );
  addHelpPage(command, output, {
    exitStatus: [
      [exitCodes.good, 'DANE and MTA-STS are enforced'],
      [exitCodes.fail, 'one of them is not'],
      [exitCodes.usage, 'usage error, or an unreadable configuration'],
      [exitCodes.inconclusive, 'the configuration does not show it'],
    ],
    examples: [
      'hermetic sender predict postfix postconf.txt',
      'hermetic sender predict postfix postconf.txt --domain example.com --resolver validates',
    ],
  });
}

function run(
  _server: (typeof servers)[number],
  file: string | undefined,
  flags: PredictFlags,
  output: Output,
): number {
  const text = [file === undefined ? askPostconf() : readFile(file, 'file'), ...(flags.set ?? [])];
  const domain = unwrap('domain', parseDomain(flags.domain), 'Write it as example.com.').toLower();
  const model: SenderModel = readPostfix({
    text: text.join('\n'),
    readTable: tableReader(file),
    domain,
    policyServer: flags.policyServer,
    version: flags.serverVersion,
    resolver: flags.resolver,
  });
  const prediction = predictSender(model, senderCases);
  const { width, color } = output;
  output.out(
    flags.json ? `${formatJson(prediction, 2)}\n` : renderPrediction(prediction, { width, color }),
  );
  return statusOf(prediction);
}

/** The exit status: an unused mechanism weighs more than one that is not known. */
function statusOf({ mechanisms }: SenderPrediction): number {
  const verdicts = mechanisms
    .filter(({ mechanism }) => mechanism === 'dane' || mechanism === 'mta-sts')
    .map(({ verdict }) => verdict);
  if (verdicts.every((verdict) => verdict === 'enforces')) return exitCodes.good;
  const settled = verdicts.some((verdict) => verdict !== 'enforces' && verdict !== 'cannot-tell');
  return settled ? exitCodes.fail : exitCodes.inconclusive;
}

/** Milliseconds for one run of postconf. */
const POSTCONF_TIMEOUT_MS = 10_000;

/** Returns the parameters of this machine: main.cf, master.cf and the version. */
function askPostconf(): string {
  return [['-n'], ['-P'], ['mail_version']]
    .map((options) => {
      const { stdout, status, error } = spawnSync('postconf', options, {
        encoding: 'utf8',
        timeout: POSTCONF_TIMEOUT_MS,
        maxBuffer: 64 * 1024 * 1024,
      });
      if (error === undefined && status === 0) return stdout;
      throw new HermeticError('file-unreadable', `postconf ${options.join(' ')} failed`, {
        cause: error,
        fix: 'Save the output of postconf -n on the mail server, and name the file.',
      });
    })
    .join('\n');
}

/**
 * Returns the reader of tables. Relative names are below the folder of the file, so that a
 * copied /etc/postfix can be read.
 */
function tableReader(file: string | undefined): ReadTable {
  const folder = file === undefined || file === STANDARD_STREAM ? '/etc/postfix' : dirname(file);
  return ({ name }: TableName) => {
    try {
      return { ok: true, text: readFile(isAbsolute(name) ? name : join(folder, name), 'table') };
    } catch (error) {
      if (!isHermeticError(error)) throw error;
      return { ok: false, reason: error.message };
    }
  };
}

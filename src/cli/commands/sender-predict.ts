import { Argument, Option, type Command } from 'commander';
import { statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { HermeticError, isHermeticError, parseDomain, unwrap } from '../../base/index.js';
import {
  policyServers,
  predictSender,
  readExim,
  readOpenSmtpd,
  readOwn,
  readPostfix,
  renderPrediction,
  resolverStates,
  senderCases,
  senderPrograms,
  splitTlsLibrary,
  type PolicyServer,
  type ReadTable,
  type ResolverState,
  type SenderModel,
  type SenderPrediction,
  type SenderProgram,
  type TableName,
} from '../../sender/index.js';
import { senderGroups } from '../../tls/index.js';
import { DEFAULT_CONFIG, readConfig } from '../config-files.js';
import { exitCodes } from '../exit-codes.js';
import { readFile, STANDARD_STREAM } from '../files.js';
import { addHelpPage } from '../help.js';
import { collectValues, misuse, readWord } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { nodeMachine, programError } from '../setup/machine.js';

/** The options of `hermetic sender predict`. */
interface PredictFlags {
  readonly domain: string;
  readonly resolver?: ResolverState;
  readonly policyServer?: PolicyServer;
  readonly serverVersion?: string;
  /** Name of the smtp transport of Exim. */
  readonly transport?: string;
  /** Lines to add to the configuration, to predict the effect of a change. */
  readonly set?: readonly string[];
  readonly json?: boolean;
}

/** A recipient domain for which no configuration has a rule. */
const ANY_DOMAIN = 'recipient.example';

/**
 * Defines `hermetic sender predict`, which predicts how a mail server treats the mail
 * that it sends.
 *
 * Offline: the command reads the configuration, and the tables that the configuration
 * names. Without a file, the command reads the configuration of this machine's mail
 * server. Standard output: the verdict of each mechanism, the exposure table of this
 * sender, every case of the sender test, and the lines to change.
 *
 * Exit status: 0 if DANE and MTA-STS are enforced, 1 if one is not, 3 if the
 * configuration does not determine the result.
 */
export function defineSenderPredict(command: Command, { output, finish }: CommandContext): void {
  command
    .description('predict from its configuration how a mail server treats the mail it sends')
    .addArgument(new Argument('<server>', `the mail server: ${senderPrograms.join(', ')}`))
    .argument('[file]', 'its configuration; - for standard input (default: of this machine)')
    .option('--domain <domain>', 'domain of the recipients', ANY_DOMAIN)
    .addOption(
      new Option('--resolver <state>', 'state whether the resolver validates DNSSEC').choices(
        resolverStates,
      ),
    )
    .addOption(
      new Option('--policy-server <name>', 'program that answers a socketmap of Postfix').choices(
        policyServers,
      ),
    )
    .option('--server-version <number>', 'version of the server, such as 3.11')
    .option('--transport <name>', 'transport of outgoing mail of Exim')
    .option('--set <line>', 'add this line to the configuration; repeatable', collectValues)
    .option('--json', 'print everything as JSON (schema sender-prediction-1)')
    .action((server: string, file: string | undefined, flags: PredictFlags) =>
      run(readWord('server', server, senderPrograms), file, flags, output).then(finish),
    );
  addHelpPage(command, output, {
    exitStatus: [
      [exitCodes.good, 'DANE and MTA-STS are enforced'],
      [exitCodes.fail, 'DANE or MTA-STS is not enforced'],
      [exitCodes.usage, 'usage error, or an unreadable configuration'],
      [
        exitCodes.inconclusive,
        'the configuration does not show whether DANE and MTA-STS are enforced',
      ],
    ],
    note: 'FILE is the output of postconf -n, the output of exim -bP routers and exim -bP transports, smtpd.conf, or hermetic.yaml.',
    examples: [
      'hermetic sender predict postfix postconf.txt',
      'hermetic sender predict postfix postconf.txt --domain example.com --resolver validates',
    ],
  });
}

async function run(
  server: SenderProgram,
  file: string | undefined,
  flags: PredictFlags,
  output: Output,
): Promise<number> {
  const model = await readModel(server, { file, flags, output });
  if (model === undefined) return exitCodes.usage;
  const prediction = predictSender(model, senderCases);
  const { width, color } = output;
  output.out(
    flags.json ? `${formatJson(prediction, 2)}\n` : renderPrediction(prediction, { width, color }),
  );
  return statusOf(prediction);
}

interface ModelSource {
  readonly file: string | undefined;
  readonly flags: PredictFlags;
  readonly output: Output;
}

/**
 * Reads the configuration of a server. Prints the problems of hermetic.yaml and returns
 * undefined. Throws HermeticError.
 */
async function readModel(
  server: SenderProgram,
  { file, flags, output }: ModelSource,
): Promise<SenderModel | undefined> {
  const { resolver, policyServer, serverVersion: version, transport, set = [] } = flags;
  const domain = unwrap('domain', parseDomain(flags.domain), 'Write it as example.com.').toLower();
  const input = { domain, resolver, version };
  if (server === 'hermetic') {
    if (set.length > 0)
      throw misuse('--set', 'does not change hermetic.yaml', 'Edit a copy of the file.');
    const { parseConfigFiles } = await import('../../server/index.js');
    const config = readConfig(file ?? DEFAULT_CONFIG, parseConfigFiles, output);
    return (
      config &&
      readOwn({
        ...input,
        now: Date.now(),
        settings: { ...config.policy, reports: 'reporting' in config },
        // Without a file the configuration is that of this machine's daemon, which uses
        // the TLS library of this Node.js.
        hybrid: file === undefined ? senderGroups().includes('MLKEM') : undefined,
      })
    );
  }
  const printed = file === undefined ? askServer(server) : readFile(file, 'file');
  const { text: configuration, tlsLibrary } = splitTlsLibrary(printed);
  const text = [configuration, ...set].join('\n');
  switch (server) {
    case 'postfix':
      return readPostfix({
        ...input,
        text,
        tlsLibrary,
        readTable: tableReader(file),
        policyServer,
      });
    case 'exim':
      return readExim({ ...input, text, tlsLibrary, transport });
    case 'opensmtpd':
      return readOpenSmtpd({ ...input, text, tlsLibrary });
  }
}

/** Returns the exit status: an unused mechanism takes precedence over an unknown one. */
function statusOf({ mechanisms }: SenderPrediction): number {
  const verdicts = mechanisms
    .filter(({ mechanism }) => mechanism === 'dane' || mechanism === 'mta-sts')
    .map(({ verdict }) => verdict);
  if (verdicts.every((verdict) => verdict === 'enforces')) return exitCodes.good;
  const settled = verdicts.some((verdict) => verdict !== 'enforces' && verdict !== 'cannot-tell');
  return settled ? exitCodes.fail : exitCodes.inconclusive;
}

/** The commands that print the configuration of a server. */
const commandsOf: Readonly<Record<'postfix' | 'exim', readonly (readonly string[])[]>> = {
  // They print main.cf, the overrides of master.cf, and the version.
  postfix: [
    ['postconf', '-n'],
    ['postconf', '-M'],
    ['postconf', 'mail_version'],
  ],
  exim: [
    // Without debugging, -bV does not name the version of the TLS library.
    ['exim', '-d-all+tls', '-bV'],
    ['exim', '-bP'],
    ['exim', '-bP', 'routers'],
    ['exim', '-bP', 'transports'],
  ],
};

/** Returns the configuration of the server of this machine. Throws HermeticError. */
function askServer(server: 'postfix' | 'exim' | 'opensmtpd'): string {
  if (server === 'opensmtpd') return `${readFile('/etc/smtpd.conf', 'file')}\n${askLibrary()}`;
  const machine = nodeMachine();
  const printed = commandsOf[server].map((command) => {
    const { status, out, err } = machine.run(command);
    if (status === 0) return out;
    throw new HermeticError('file-unreadable', programError(command.join(' '), err), {
      fix: `Save the output of ${command.join(' ')} on the mail server, and name the file.`,
    });
  });
  const version = server === 'postfix' ? machine.run(['postconf', '-T', 'run-version']).out : '';
  return [...printed, version, askLibrary()].join('\n');
}

/**
 * Returns the description of OpenSSL on this machine; empty without the program. If the
 * prediction needs the description, the prediction reports that it is missing.
 */
function askLibrary(): string {
  const { status, out } = nodeMachine().run(['openssl', 'version', '-a']);
  if (status !== 0) return '';
  const folder = /^OPENSSLDIR: "([^"]+)"/m.exec(out)?.[1];
  const path = folder === undefined ? '' : join(folder, 'openssl.cnf');
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? `${out}\n${readFile(path, 'openssl.cnf')}` : out;
}

/**
 * Returns the function that reads lookup tables. Relative names refer to the folder of
 * the file, so that a copied /etc/postfix can be read.
 */
function tableReader(file: string | undefined): ReadTable {
  const folder = file === undefined || file === STANDARD_STREAM ? '/etc/postfix' : dirname(file);
  return ({ name }: TableName) => {
    const path = isAbsolute(name) ? name : join(folder, name);
    // A read of a device or pipe that a copied configuration names might never end.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
      return { ok: false, reason: `${path} is not a regular file` };
    try {
      return { ok: true, text: readFile(path, 'table') };
    } catch (error) {
      if (!isHermeticError(error)) throw error;
      return { ok: false, reason: error.message };
    }
  };
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { HermeticError, parseIp } from '../../base/index.js';
import { nodeNetwork } from '../../net/index.js';
import {
  caseNames,
  comparePrediction,
  openableCases,
  predictionSchema,
  renderComparison,
  renderSenderHtml,
  renderSenderJunit,
  renderSenderTest,
  senderCases,
  type SenderCase,
  type SenderTestResult,
} from '../../sender/index.js';
import { exitCodes } from '../exit-codes.js';
import { assertWritable, readJson, writeFile } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse, readNumber } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { LiveTable } from '../sender/live-table.js';
import { OFFLINE_SLOT, OFFLINE_ZONE, type Receivers } from '../sender/open-receivers.js';
import { runSenderTest, type SenderTestOptions } from '../sender/run-test.js';
import {
  deliverWithOwnSender,
  submitOverSmtp,
  submitWithProgram,
  TEST_SENDER,
  type Submit,
} from '../sender/submit.js';

/** The options of `hermetic sender test`. */
interface TestFlags {
  readonly smtp?: string;
  readonly sendmail?: string;
  readonly lab?: boolean;
  readonly quick?: boolean;
  readonly only?: string;
  readonly from: string;
  readonly for: string;
  readonly patience: string;
  readonly files?: string;
  readonly json?: boolean;
  readonly predicted?: string;
  readonly junit?: string;
  readonly html?: string;
  readonly quiet?: boolean;
}

/**
 * Defines `hermetic sender test`, which opens receiving domains with one fault each on
 * this machine, and shows how a sender treats mail to them.
 *
 * Network: listens on loopback addresses, ports 25, 53 and 443, which needs root; with
 * `--lab` all servers run inside this process. Connects to the server of `--smtp` only.
 * The test relays no mail and stores no message content. Standard output: the result, as
 * text or JSON; changes during the test go to standard error.
 *
 * Exit status: 0 if MTA-STS and DANE are enforced, 1 if one is not, 3 if the test is
 * inconclusive.
 */
export function defineSenderTest(command: Command, context: CommandContext): void {
  command
    .description('show how a mail server treats mail to domains with deliberate faults')
    .optionsGroup('Sender under test (default: you send the messages):')
    .option('--smtp <host[:port]>', 'hand the messages to this server by SMTP (IP address)')
    .option('--sendmail <program>', 'hand the messages to this program, such as /usr/sbin/sendmail')
    .option('--lab', 'test the sender of this program, inside this process')
    .optionsGroup('Test:')
    .option('--quick', 'run only the decisive cases')
    .option('--only <cases>', 'run only these cases, separated by commas')
    .option('--for <minutes>', 'end the test after this time, even if cases have no result', '10')
    .option('--patience <seconds>', 'wait for another attempt before a verdict is final', '5')
    .option('--from <address>', 'envelope sender of the messages', TEST_SENDER)
    .option('--files <folder>', 'write CA certificate, trust anchor and resolv.conf here')
    .optionsGroup('Output:')
    .option('--json', 'print the result as JSON (schema sender-1)')
    .option('--predicted <file>', 'compare with this output of sender predict --json')
    .option('--html <file>', 'write the result as one HTML file without scripts')
    .option('--junit <file>', 'write a JUnit report')
    .option('-q, --quiet', 'do not print progress during the test')
    .action(async (flags: TestFlags) => context.finish(await run(flags, context)));
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'MTA-STS and DANE are enforced'],
      [exitCodes.fail, 'DANE or MTA-STS is not enforced'],
      [exitCodes.usage, 'usage error, or a port cannot be opened'],
      [exitCodes.inconclusive, 'the decisive cases have no result'],
      [exitCodes.interrupted, 'interrupted by ctrl-C; the result so far is printed'],
    ],
    note: 'Configure the server under test with the resolver and the CA certificate that the test prints.',
    examples: [
      'hermetic sender test --lab --quick',
      'hermetic sender test --smtp 127.0.0.1 --files /tmp/sender-test',
    ],
  });
}

async function run(flags: TestFlags, { output, signal }: CommandContext): Promise<number> {
  if (flags.junit !== undefined) assertWritable(flags.junit, '--junit');
  if (flags.html !== undefined) assertWritable(flags.html, '--html');
  const options = readFlags(flags);
  const prediction =
    flags.predicted === undefined
      ? undefined
      : readJson(flags.predicted, {
          what: '--predicted',
          code: 'result-invalid',
          kinds: [{ id: 'hermetic.sender-prediction/1', schema: predictionSchema }],
        });
  const live = new LiveTable(flags.quiet ? { ...output, err: () => undefined } : output);
  let result: SenderTestResult;
  try {
    result = await runSenderTest({
      ...options,
      signal,
      onOpen: (receivers) => announce(receivers, flags, output),
      onProgress: (current) => live.show(current),
    });
  } catch (error) {
    throw portError(error);
  } finally {
    live.end();
  }
  output.out(flags.json ? `${formatJson(result, 2)}\n` : renderSenderTest(result, output));
  if (prediction) {
    const text = renderComparison(comparePrediction(prediction, result), output);
    if (flags.json) output.err(text);
    else output.out(text);
  }
  if (flags.junit !== undefined) writeFile(flags.junit, renderSenderJunit(result), '--junit');
  if (flags.html !== undefined) writeFile(flags.html, renderSenderHtml(result), '--html');
  return signal.aborted ? exitCodes.interrupted : statusOf(result);
}

function readFlags(flags: TestFlags): Omit<SenderTestOptions, 'signal'> {
  const given = [flags.smtp, flags.sendmail, flags.lab].filter((flag) => flag !== undefined);
  if (given.length > 1)
    throw misuse(
      'sender test',
      'more than one sender is specified',
      'Use one of --smtp, --sendmail, --lab.',
    );
  const minutes = readNumber('--for', flags.for, { least: 0.1, most: 1440, fractions: true });
  const patience = readNumber('--patience', flags.patience, { least: 0, most: 3600 });
  return {
    cases: chosenCases(flags),
    exposed: flags.lab !== true,
    submit: submitOf(flags),
    from: flags.from,
    durationMs: minutes * 60_000,
    // The built-in sender has finished with a message when it reports the result.
    patienceMs: flags.lab ? 0 : patience * 1000,
    withdrawAfterMs: flags.lab ? 0 : undefined,
    concurrency: 4,
  };
}

function submitOf({
  smtp,
  sendmail,
  lab,
}: TestFlags): ((receivers: Receivers) => Submit) | undefined {
  if (lab) return deliverWithOwnSender;
  if (sendmail !== undefined) return () => submitWithProgram(sendmail);
  if (smtp === undefined) return undefined;
  const [, bracketed, plain, port = '25'] =
    /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(smtp) ?? [];
  const address = bracketed ?? plain;
  if (address === undefined || !parseIp(address))
    throw misuse('--smtp', `${smtp} is not an IP address`, 'Write it as 127.0.0.1 or [::1]:587.');
  const server = { address, port: readNumber('--smtp', port, { least: 1, most: 65_535 }) };
  return () => submitOverSmtp(server, nodeNetwork());
}

function chosenCases({ quick, only }: TestFlags): readonly SenderCase[] {
  const all = openableCases(senderCases, { ipv6: false });
  if (only === undefined) return quick ? all.filter((one) => one.quick) : all;
  const ids = only.split(',').map((id) => id.trim());
  const unknown = ids.find((id) => !all.some((one) => one.id === id));
  if (unknown !== undefined)
    throw misuse('--only', `${unknown} is not a case`, 'Run hermetic explain sender for the list.');
  return all.filter(({ id }) => ids.includes(id));
}

/**
 * Prints the steps to connect a mail server to the receivers, and writes the necessary
 * files.
 */
function announce(
  receivers: Receivers,
  { lab, files, smtp, sendmail }: TestFlags,
  output: Output,
): void {
  if (lab) return;
  const { resolver, rootPem, anchorLine, cases } = receivers;
  const say = (line = ''): void => output.err(`${line}\n`);
  say(
    `${cases.length} receiving domains run on this machine. Configure the mail server to reach them:`,
  );
  say(`  resolver      nameserver ${resolver.address}, in the resolv.conf of the mail server`);
  if (files === undefined)
    say('  CA            run again with --files <folder> for its certificate');
  else {
    mkdirSync(files, { recursive: true });
    const write = (name: string, text: string): string => {
      writeFile(join(files, name), text, '--files');
      return join(files, name);
    };
    write('resolv.conf', `nameserver ${resolver.address}\noptions trust-ad\n`);
    say(`  CA            ${write('ca.pem', rootPem)}`);
    say(`  trust anchor  ${write('trust-anchor', anchorLine)}, for your validating resolver`);
  }
  if (smtp !== undefined || sendmail !== undefined) return say();
  say();
  say(
    'Send one message to each of these addresses, and a minute later a second one to sts-cached:',
  );
  for (const { id } of cases) say(`  test@${caseNames(id, OFFLINE_SLOT, OFFLINE_ZONE).domain}`);
  say();
}

/**
 * Returns the error of a port that cannot be opened, with its fix; returns other errors
 * unchanged.
 */
function portError(error: unknown): unknown {
  const { code, address, port, syscall } = error as Partial<
    Record<'code' | 'address' | 'port' | 'syscall', string>
  >;
  if (syscall !== 'listen' && syscall !== 'bind') return error;
  const privilege = code === 'EACCES' || code === 'EPERM';
  return new HermeticError('usage', `sender test: cannot open ${address} port ${port} (${code})`, {
    cause: error,
    fix: privilege
      ? 'Run it as root, or use --lab for the sender of this program.'
      : 'Stop the program that uses the port, such as a resolver on all addresses.',
  });
}

/**
 * Returns the exit status. A mechanism that the sender does not enforce takes precedence
 * over an undetermined mechanism.
 */
function statusOf({ mechanisms }: SenderTestResult): number {
  const verdicts = mechanisms
    .filter(({ mechanism }) => mechanism === 'dane' || mechanism === 'mta-sts')
    .map(({ verdict }) => verdict);
  if (verdicts.every((verdict) => verdict === 'enforces')) return exitCodes.good;
  const open = verdicts.every((verdict) => verdict === 'enforces' || verdict === 'cannot-tell');
  return open ? exitCodes.inconclusive : exitCodes.fail;
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { HermeticError, wrap } from '../../base/index.js';
import type { ConnectResult, Delivery, Sender } from '../../send/index.js';
import { parseMailbox } from '../../smtp/index.js';
import { exitCodes } from '../exit-codes.js';
import { sayFailure } from '../failure-text.js';
import { readFile } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse } from '../options.js';
import { formatJson, type CommandContext } from '../output.js';
import { renderAttempts, renderConversations, renderRecipients } from '../render-delivery.js';
import { withSender, withSenderOf, type SenderFlags } from './sender-options.js';

/** The options of `hermetic send`. */
interface SendFlags extends SenderFlags {
  /** Envelope sender; empty is the null reverse-path. */
  readonly from: string;
  /** File of the message, header and body. */
  readonly message?: string;
  readonly requiretls?: boolean;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
}

/**
 * Defines `hermetic send`, which delivers one message to the recipients' own servers, and
 * prints the conversations.
 *
 * Network: looks up the policies of each recipient's domain, connects to its mail hosts
 * and delivers, unless `--dry-run`. The command never falls back to less security than
 * policy requires (RFC 7672 §2.2, RFC 8461 §5). The command has no queue: it reports a
 * deferred recipient and does not try again.
 *
 * Standard output: the conversations, the attempts and the result for each recipient, or
 * JSON. Writes: the database of `--store` when it is given, for MTA-STS policies.
 *
 * Exit status: 1 a recipient was rejected, 3 a delivery is deferred, 0 all delivered.
 */
export function defineSend(command: Command, context: CommandContext): void {
  command
    .argument('<address...>', 'recipients')
    .optionsGroup('Message:')
    .requiredOption('--from <address>', "envelope sender; '' is the null sender of bounces")
    .option('--message <file>', 'send this message; - is standard input (default: a short test)')
    .option('--requiretls', 'request REQUIRETLS: bounce rather than relay without TLS (RFC 8689)')
    .option('--dry-run', 'connect and authenticate, but deliver nothing');
  withSender(command)
    .option('-q, --quiet', 'do not print the SMTP sessions')
    .action(async (addresses: string[], sendFlags: SendFlags) =>
      context.finish(await run(addresses, sendFlags, context)),
    );
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'delivered to every recipient'],
      [exitCodes.fail, 'a recipient was rejected'],
      [exitCodes.usage, 'usage error'],
      [exitCodes.inconclusive, 'delivery to a recipient is deferred'],
    ],
    examples: [
      'hermetic send --from me@example.net --dry-run you@example.com',
      'hermetic send --lab --from me@sender.example you@good.example',
    ],
  });
}

/** One message to deliver: its flags, its recipients and the output. */
interface Sending {
  readonly flags: SendFlags;
  readonly to: readonly string[];
  readonly context: CommandContext;
}

/**
 * Validates the addresses, then delivers the message, or only connects with `--dry-run`.
 * Returns the exit status.
 */
async function run(
  to: readonly string[],
  given: SendFlags,
  context: CommandContext,
): Promise<number> {
  // RFC 5321 §4.5.5: notices have the null reverse-path, written `<>` in SMTP. A
  // recipient is never null.
  const flags = { ...given, from: given.from === '<>' ? '' : given.from };
  for (const address of [...(flags.from === '' ? [] : [flags.from]), ...to])
    requireMailbox(address);
  const sending = { flags, to, context };
  return withSenderOf({
    flags,
    domains: flags.via === undefined ? to.map(domainOf) : [flags.via],
    run: (sender) => (flags.dryRun ? dryRun(sender, sending) : deliver(sender, sending)),
  });
}

/** Returns the domain of an address: the text after the last `@`. */
function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** Throws HermeticError unless the text is a mailbox (RFC 5321 §4.1.2). */
function requireMailbox(address: string): void {
  const parsed = parseMailbox(address);
  if (parsed.ok) return;
  throw new HermeticError(
    parsed.failure.code,
    `${address === '' ? 'the empty text' : address}: not a mail address`,
    {
      fix: 'Write it as user@example.com.',
    },
  );
}

/** Delivers the message and prints the outcome. Returns the exit status. */
async function deliver(
  sender: Sender,
  { flags: sendFlags, to, context }: Sending,
): Promise<number> {
  const { output, signal } = context;
  const { from, requiretls = false, via } = sendFlags;
  const message = readMessage(sendFlags, to);
  const delivery = await sender.deliver({ from, to, message, requireTls: requiretls, signal, via });
  const { recipients, outcomes, conversations } = delivery;
  if (sendFlags.json) output.out(`${formatJson({ recipients, outcomes }, 2)}\n`);
  else {
    if (!sendFlags.quiet) output.out(renderConversations(conversations));
    const attempts = outcomes.map((outcome) => renderAttempts(outcome, output.width)).join('');
    output.out(attempts === '' ? '' : `${attempts}\n`);
    output.out(renderRecipients(recipients, output.width));
  }
  return exitCodeOf(delivery);
}

/**
 * Connects to a mail host of each domain, authenticates the host as policy requires, and
 * ends the session with QUIT. MAIL FROM is never sent, so no server sees an envelope.
 */
async function dryRun(sender: Sender, { flags: sendFlags, to, context }: Sending): Promise<number> {
  const { output, signal } = context;
  const domains = [...new Set(to.map((address) => sendFlags.via ?? domainOf(address)))];
  const requireTls = sendFlags.requiretls ?? false;
  const results = await Promise.all(
    domains.map((domainName) => sender.connect(domainName, { requireTls, signal })),
  );
  for (const connectResult of results) if (connectResult.ok) await connectResult.session.quit();
  if (sendFlags.json) output.out(results.map(({ outcome }) => `${formatJson(outcome)}\n`).join(''));
  else
    for (const connectResult of results)
      output.out(formatDryRun(connectResult, sendFlags, output.width));
  return worst(results.map(dryRunExitCode));
}

/** Returns 3 for a temporary failure and 1 for a permanent failure. */
function dryRunExitCode(connectResult: ConnectResult): number {
  if (connectResult.ok) return exitCodes.good;
  if (connectResult.failure.temporary) return exitCodes.inconclusive;
  return exitCodes.fail;
}

/** Returns the conversations, the attempts and the result for one domain. */
function formatDryRun(
  connectResult: ConnectResult,
  sendFlags: SendFlags,
  lineWidth: number,
): string {
  const conversations = sendFlags.quiet ? '' : renderConversations(connectResult.conversations);
  const end = connectResult.ok
    ? 'ready for mail; nothing was delivered'
    : sayFailure(connectResult.failure);
  return `${conversations}${renderAttempts(connectResult.outcome, lineWidth)}\n${wrap(`${connectResult.outcome.domain}  ${end}`, lineWidth, '', '  ').join('\n')}\n`;
}

/**
 * Returns the message of `--message`, or a short test message.
 *
 * The test message has the fields that RFC 5322 §3.6 requires and a Message-ID. A message
 * from a file must begin with a header field (§2.2): a server would read a body without
 * one as a header.
 */
function readMessage({ message, from, helo }: SendFlags, to: readonly string[]): Uint8Array {
  if (message !== undefined) {
    const outputText = readFile(message, '--message');
    if (!/^[!-9;-~]+:/.test(outputText))
      throw misuse(
        '--message',
        `${message} does not begin with a header field`,
        'Use a complete message with header and body.',
      );
    return Buffer.from(outputText);
  }
  // The header field needs an author if the envelope has no sender (RFC 5322 §3.6.2).
  const author = from === '' ? `postmaster@${helo ?? hostname()}` : from;
  const outputLines = [
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `From: <${author}>`,
    `To: ${to.map((address) => `<${address}>`).join(', ')}`,
    `Message-ID: <${randomUUID()}@${author.slice(author.lastIndexOf('@') + 1)}>`,
    'Subject: Test of TLS between mail servers',
    '',
    'Hermetic sent this message to test its delivery.',
  ];
  return Buffer.from(`${outputLines.join('\r\n')}\r\n`);
}

/** Returns the exit status of a delivery: the worst of its recipients. */
function exitCodeOf({ recipients }: Delivery): number {
  return worst(
    recipients.map(
      ({ status }) =>
        ({ delivered: exitCodes.good, rejected: exitCodes.fail, deferred: exitCodes.inconclusive })[
          status
        ],
    ),
  );
}

/**
 * Returns the most severe exit status, in the order 1, 3, 0.
 *
 * A rejection requires an action of the sender; a later attempt may resolve a deferral.
 */
function worst(codes: readonly number[]): number {
  return (
    [exitCodes.fail, exitCodes.inconclusive].find((code) => codes.includes(code)) ?? exitCodes.good
  );
}

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { text as readAll } from 'node:stream/consumers';
import { Command } from 'commander';
import { HermeticError, wrap } from '../../base/index.js';
import { parseMailbox } from '../../smtp/index.js';
import type { ConnectResult, Delivery, Sender } from '../../send/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readFile } from '../read-file.js';
import { renderAttempts, renderConversations, renderRecipients } from '../render-delivery.js';
import { sayFailure } from '../say-failure.js';
import { formatJson } from '../format-json.js';
import { misuse } from './resolver-options.js';
import { withSender, withSenderOf, type SenderFlags } from './sender-options.js';

interface SendFlags extends SenderFlags {
  readonly from: string;
  readonly message?: string;
  readonly requiretls?: boolean;
  readonly dryRun?: boolean;
  readonly quiet?: boolean;
}

/**
 * `hermetic send`: delivers one message to the recipients' own servers, and shows what
 * was said.
 */
export function sendCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  return withSender(
    new Command('send').description(
      "deliver one message to the recipients' own servers, as their policies ask",
    ),
  )
    .argument('<address...>', 'recipients')
    .requiredOption('--from <address>', "envelope sender; '' for the null sender of bounces")
    .option(
      '--message <file>',
      'the message with its header; - reads it from the input (default: a short test message)',
    )
    .option('--requiretls', 'rather returned than passed on without TLS (RFC 8689)')
    .option('--dry-run', 'connect and authenticate as decided, and hand nothing over')
    .option('--quiet', 'leave the conversations out')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic send --from me@example.net --dry-run you@example.com\n  hermetic send --lab --from me@sender.example you@good.example',
    )
    .action(async (addresses: string[], flags: SendFlags) => {
      // RFC 5321 §4.5.5: notices have the null reverse-path, written `<>` in SMTP. A
      // recipient is never null.
      const from = flags.from === '<>' ? '' : flags.from;
      for (const address of [...(from === '' ? [] : [from]), ...addresses])
        insistOnMailbox(address);
      const work = flags.dryRun ? dryRun : deliver;
      finish(
        await withSenderOf(flags, {}, (sender) =>
          work(sender, addresses, { ...flags, from }, output, signal),
        ),
      );
    });
}

function insistOnMailbox(address: string): void {
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

async function deliver(
  sender: Sender,
  to: readonly string[],
  flags: SendFlags,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const message = await messageOf(flags, to);
  const { from, requiretls = false, via } = flags;
  const delivery = await sender.deliver({
    from,
    to,
    message,
    requireTls: requiretls,
    signal,
    ...(via === undefined ? {} : { via }),
  });
  if (flags.json)
    output.out(
      `${formatJson({ recipients: delivery.recipients, outcomes: delivery.outcomes }, 2)}\n`,
    );
  else {
    if (!flags.quiet) output.out(renderConversations(delivery.conversations));
    const attempts = delivery.outcomes
      .map((outcome) => renderAttempts(outcome, output.width))
      .join('');
    output.out(attempts === '' ? '' : `${attempts}\n`);
    output.out(renderRecipients(delivery.recipients, output.width));
  }
  return exitCodeOf(delivery);
}

async function dryRun(
  sender: Sender,
  to: readonly string[],
  flags: SendFlags,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const domains = [
    ...new Set(to.map((address) => flags.via ?? address.slice(address.lastIndexOf('@') + 1))),
  ];
  const results = await Promise.all(
    domains.map((domain) =>
      sender.connect(domain, { requireTls: flags.requiretls ?? false, signal }),
    ),
  );
  for (const result of results) if (result.ok) await result.session.quit();
  if (flags.json) output.out(results.map(({ outcome }) => `${formatJson(outcome)}\n`).join(''));
  else for (const result of results) output.out(shownDry(result, flags, output.width));
  const codes = results.map((result) =>
    result.ok ? exitCodes.good : result.failure.temporary ? exitCodes.inconclusive : exitCodes.fail,
  );
  return worst(codes);
}

function shownDry(result: ConnectResult, flags: SendFlags, width: number): string {
  const said = flags.quiet ? '' : renderConversations(result.conversations);
  const end = result.ok ? 'ready for mail; nothing was handed over' : sayFailure(result.failure);
  return `${said}${renderAttempts(result.outcome, width)}\n${wrap(`${result.outcome.domain}  ${end}`, width, '', '  ').join('\n')}\n`;
}

async function messageOf(
  { message, from, helo }: SendFlags,
  to: readonly string[],
): Promise<Uint8Array> {
  if (message === '-') return Buffer.from(await readAll(process.stdin));
  if (message !== undefined) {
    const text = readFile(message, '--message');
    if (!/^[!-9;-~]+:/.test(text))
      throw misuse(
        '--message',
        `${message} does not begin with a header field`,
        'Give a whole message, header and body.',
      );
    return Buffer.from(text);
  }
  // The header field needs an author where the envelope has no sender (RFC 5322 §3.6.2).
  const author = from === '' ? `postmaster@${helo ?? hostname()}` : from;
  const lines = [
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `From: <${author}>`,
    `To: ${to.map((address) => `<${address}>`).join(', ')}`,
    `Message-ID: <${randomUUID()}@${author.slice(author.lastIndexOf('@') + 1)}>`,
    'Subject: Test of TLS between mail servers',
    '',
    'This message was sent by hermetic to see how it travels.',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n`);
}

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

/** 1 before 3 before 0. */
function worst(codes: readonly number[]): number {
  return (
    [exitCodes.fail, exitCodes.inconclusive].find((code) => codes.includes(code)) ?? exitCodes.good
  );
}

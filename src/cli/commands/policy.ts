import { Command } from 'commander';
import type { DomainDecision } from '../../tls-policy/index.js';
import { answerOf, forgetPolicy, postfixVersions, releaseOf, stsStore } from '../../send/index.js';
import { openStore, openStoreToRead } from '../../store/index.js';
import { neutralise, parseDomain } from '../../base/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { renderPolicy } from '../render-policy.js';
import { formatJson } from '../format-json.js';
import { misuse, unwrap } from './resolver-options.js';
import { withSender, withSenderOf, type SenderFlags } from './sender-options.js';

interface Flags extends SenderFlags {
  readonly postfix?: string;
}

/**
 * `hermetic policy`: what a sender must do with a domain's mail, and which record says
 * so. No mail server is contacted.
 */
export function policyCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  const command = withSender(
    new Command('policy').description(
      "what a sender must do with a domain's mail, and which record says so",
    ),
  )
    .argument('<domain>', 'the part after the @, or [host]:port')
    .option('--postfix <version>', 'what a Postfix of this version is told')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic policy example.com\n  hermetic policy --lab good.example\n  hermetic policy example.com --postfix 3.7',
    )
    .action(async (domain: string, flags: Flags) => {
      const told = flags.postfix === undefined ? undefined : postfixTeller(flags.postfix);
      const decision = await withSenderOf(
        flags,
        {},
        (sender) => sender.policy(flags.via ?? domain, signal),
        (file) => openStoreToRead(file, { prepare: (store) => void stsStore(store) }),
      );
      output.out(
        told?.(decision) ??
          (flags.json ? `${formatJson(decision, 2)}\n` : renderPolicy(decision, output.width)),
      );
      finish(exitCodeOf(decision));
    });
  // So that an option after `forget` is the subcommand's.
  return command.enablePositionalOptions().addCommand(forgetCommand(output, finish));
}

/**
 * `hermetic policy forget`: removes a cached MTA-STS policy, also from a daemon that
 * runs.
 */
function forgetCommand(output: Output, finish: (code: number) => void): Command {
  return new Command('forget')
    .description('remove the cached MTA-STS policy of a domain; a running daemon follows at once')
    .argument('<domain>', 'the part after the @')
    .option('--store <file>', 'database of the daemon', '/var/lib/hermetic/hermetic.db')
    .addHelpText('after', '\nExample:\n  hermetic policy forget example.com')
    .action(async (text: string, { store: file }: { readonly store: string }) => {
      const domain = unwrap(
        'domain',
        parseDomain(text),
        'Write the part after the @, such as example.com.',
      ).toLower();
      const store = await openStore(file, { mustExist: true });
      try {
        const policy = forgetPolicy(store, domain);
        output.out(
          policy
            ? `${domain}: forgotten: mode ${policy.mode}, id ${neutralise(policy.id, 40)}, max_age ${policy.maxAge}. The next mail looks its policy up again.\n`
            : `${domain}: no policy is cached in ${file}\n`,
        );
        finish(exitCodes.good);
      } finally {
        store.close();
      }
    });
}

/**
 * The answer of the socketmap, and a second one where it depends on Postfix's own
 * resolver.
 */
function postfixTeller(text: string): (decision: DomainDecision) => string {
  const version = releaseOf(text);
  if (!version)
    throw misuse(
      '--postfix',
      `${text} is not known`,
      `Write one of ${postfixVersions.join(', ')}.`,
    );
  return (decision) => {
    const [good, bad] = [true, false].map((validates) =>
      answerOf(decision, { version, validates }).reply.trim(),
    );
    return good === bad
      ? `${good}\n`
      : `${good}\n\nWhere Postfix's own resolver does not validate DNSSEC:\n${bad}\n`;
  };
}

function exitCodeOf({ action }: DomainDecision): number {
  return { deliver: exitCodes.good, reject: exitCodes.fail, wait: exitCodes.inconclusive }[action];
}

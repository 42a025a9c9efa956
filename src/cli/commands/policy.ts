import type { Command } from 'commander';
import { neutralise, parseDomain, unwrap } from '../../base/index.js';
import type { DomainDecision } from '../../tls-policy/index.js';
import { answerOf, forgetPolicy, postfixVersions, releaseOf, stsStore } from '../../send/index.js';
import { openStore, openStoreToRead } from '../../store/index.js';
import { exitCodes } from '../exit-codes.js';
import { databaseFile, DEFAULT_STORE } from '../files.js';
import { addHelpPage } from '../help.js';
import { alternatives, misuse } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { renderPolicy } from '../render-policy.js';
import { withSender, withSenderOf, type SenderFlags } from './sender-options.js';

/** The options of `hermetic policy`. */
interface PolicyFlags extends SenderFlags {
  /** Version of Postfix whose socketmap answer is printed instead of the explanation. */
  readonly postfix?: string;
}

/**
 * Defines `hermetic policy`, which shows the requirements of a sender for a domain, and
 * the records that cause them. It connects to no mail server.
 *
 * Network: queries the DNS and fetches the MTA-STS policy over HTTPS. With `--store` the
 * cached policies of the daemon are used; the database is opened for reading. Standard
 * output: the decision as text, as JSON or as the answer that Postfix would receive.
 *
 * Exit status, by the outcome of mail sent now: 0 delivered, 1 returned, 3 deferred.
 */
export function definePolicy(command: Command, context: CommandContext): void {
  const { output } = context;
  // An option after `forget` belongs to the subcommand.
  command.enablePositionalOptions().argument('<domain>', 'the part after the @, or [host]:port');
  withSender(command)
    .option('--postfix <version>', 'print the answer for a Postfix of this version')
    .action(async (domainName: string, policyFlags: PolicyFlags) =>
      context.finish(await show(domainName, policyFlags, context)),
    );
  addHelpPage(command, output, {
    exitStatus: [
      [exitCodes.good, 'mail can be delivered'],
      [exitCodes.fail, 'mail must be bounced'],
      [exitCodes.usage, 'usage error'],
      [exitCodes.inconclusive, 'mail must be deferred'],
    ],
    examples: [
      'hermetic policy example.com',
      'hermetic policy --lab good.example',
      'hermetic policy example.com --postfix 3.7',
    ],
  });
  const forget = command
    .command('forget')
    .description(
      'remove the cached MTA-STS policy of a domain; a running daemon applies this immediately',
    )
    .argument('<domain>', 'the part after the @')
    .option('--store <file>', 'database of the daemon', DEFAULT_STORE)
    .action(async (domainName: string, { store }: { readonly store: string }) =>
      context.finish(await forgetCached(domainName, store, output)),
    );
  addHelpPage(forget, output, { examples: ['hermetic policy forget example.com'] });
}

/** Prints the decision of the sender about the domain, and returns the exit status. */
async function show(
  domainName: string,
  policyFlags: PolicyFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  const formatAnswer =
    policyFlags.postfix === undefined ? undefined : postfixFormat(policyFlags.postfix);
  const nextHop = policyFlags.via ?? domainName;
  const decision = await withSenderOf({
    flags: policyFlags,
    domains: [nextHop],
    open: (filePath) =>
      openStoreToRead(filePath, { prepare: (stateStore) => void stsStore(stateStore) }),
    run: (sender) => sender.policy(nextHop, signal),
  });
  if (formatAnswer) output.out(formatAnswer(decision));
  else
    output.out(
      policyFlags.json ? `${formatJson(decision, 2)}\n` : renderPolicy(decision, output.width),
    );
  return exitCodeOf(decision);
}

/**
 * Removes a cached policy, for a domain whose owner published a wrong policy. RFC 8461 §5
 * lets a sender apply a cached policy until it expires; only the operator may end it
 * early.
 */
async function forgetCached(domainText: string, filePath: string, output: Output): Promise<number> {
  const domainName = unwrap(
    'domain',
    parseDomain(domainText),
    'Write the part after the @, such as example.com.',
  ).toLower();
  const stateStore = await openStore(databaseFile(filePath), { mustExist: true });
  try {
    const cachedPolicy = forgetPolicy(stateStore, domainName);
    output.out(
      cachedPolicy
        ? `${domainName}: forgotten: mode ${cachedPolicy.mode}, id ${neutralise(cachedPolicy.id, 40)}, max_age ${cachedPolicy.maxAge}. The next message fetches the policy again.\n`
        : `${domainName}: no policy is cached in ${filePath}\n`,
    );
    return exitCodes.good;
  } finally {
    stateStore.close();
  }
}

/**
 * Formats the answer of the socketmap, and a second answer if the result depends on
 * Postfix's own resolver.
 */
function postfixFormat(outputText: string): (decision: DomainDecision) => string {
  const version = releaseOf(outputText);
  if (!version)
    throw misuse(
      '--postfix',
      `${outputText} is not supported`,
      `Choose ${alternatives(postfixVersions)}.`,
    );
  return (decision) => {
    const answer = (validates: boolean): string =>
      answerOf(decision, { version, validates }).reply.trim();
    const [validating, other] = [answer(true), answer(false)];
    if (validating === other) return `${validating}\n`;
    return `${validating}\n\nIf Postfix's own resolver does not validate DNSSEC:\n${other}\n`;
  };
}

/** Returns the exit status of a decision. */
function exitCodeOf({ action }: DomainDecision): number {
  return { deliver: exitCodes.good, reject: exitCodes.fail, wait: exitCodes.inconclusive }[action];
}

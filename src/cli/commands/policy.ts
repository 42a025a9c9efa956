import { Command } from 'commander';
import type { DomainDecision } from '../../policy/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { renderPolicy } from '../render-policy.js';
import { withSender, withSenderOf, type SenderFlags } from './sender-options.js';

/** `hermetic policy`: what a sender must do with a domain's mail, and which record says so. No mail server is contacted. */
export function policyCommand(output: Output, signal: AbortSignal, finish: (code: number) => void): Command {
  return withSender(new Command('policy').description("what a sender must do with a domain's mail, and which record says so"))
    .argument('<domain>', 'the part after the @, or [host]:port')
    .addHelpText('after', '\nExample:\n  hermetic policy example.com\n  hermetic policy --lab good.example')
    .action(async (domain: string, flags: SenderFlags) => {
      const decision = await withSenderOf(flags, {}, (sender) => sender.policy(flags.via ?? domain, signal));
      output.out(flags.json ? `${JSON.stringify(decision, null, 2)}\n` : renderPolicy(decision, output.width));
      finish(exitCodeOf(decision));
    });
}

function exitCodeOf({ action }: DomainDecision): number {
  return { deliver: exitCodes.good, reject: exitCodes.fail, wait: exitCodes.inconclusive }[action];
}

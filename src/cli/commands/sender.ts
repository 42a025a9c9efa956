import type { Command } from 'commander';
import { addHelpPage } from '../help.js';
import type { CommandContext } from '../output.js';
import { defineSenderPredict } from './sender-predict.js';
import { defineSenderTest } from './sender-test.js';
import { defineSenderZone } from './sender-zone.js';

/**
 * Defines `hermetic sender`, which predicts or tests the sending side of a mail server.
 * Delivered mail looks the same with and without protection, so the subcommands predict
 * the sender's rules from its configuration, or test them with receivers that have
 * deliberate faults.
 */
export function defineSender(command: Command, context: CommandContext): void {
  defineSenderTest(command.command('test'), context);
  defineSenderPredict(command.command('predict'), context);
  defineSenderZone(command.command('zone'), context);
  addHelpPage(command, context.output, {
    examples: [
      'hermetic sender test --lab --quick',
      'hermetic sender predict postfix postconf.txt',
      'hermetic sender zone --config /etc/hermetic/hermetic.yaml',
    ],
  });
}

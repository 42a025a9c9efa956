import type { Command } from 'commander';
import { addHelpPage } from '../help.js';
import type { CommandContext } from '../output.js';
import { defineSenderPredict } from './sender-predict.js';

/**
 * `hermetic sender`: the sending side of a mail server. Delivered mail looks the same with
 * and without protection, so the sender is predicted from its configuration.
 */
export function defineSender(command: Command, context: CommandContext): void {
  defineSenderPredict(command.command('predict'), context);
  addHelpPage(command, context.output, {
    examples: ['hermetic sender predict postfix postconf.txt'],
  });
}

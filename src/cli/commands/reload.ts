import type { Command } from 'commander';
import { HermeticError } from '../../base/index.js';
import { askDaemon, DEFAULT_SOCKET } from '../control-client.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { complain, type CommandContext } from '../output.js';

/** Timeout, milliseconds: the daemon starts every job again and ends the old jobs. */
const RELOAD = 110_000;

/**
 * Defines `hermetic reload`, which makes the running daemon read its configuration again.
 */
export function defineReload(command: Command, { output, finish }: CommandContext): void {
  command
    .option('--socket <path>', 'control socket of the daemon', DEFAULT_SOCKET)
    .action(async ({ socket }: { readonly socket: string }) => {
      const controlAnswer = await askDaemon(socket, { do: 'reload' }, RELOAD);
      if (controlAnswer.ok) return output.out('the new configuration is active\n');
      for (const { code, message, fix } of controlAnswer.problems)
        complain(output, new HermeticError(code, message, { fix }));
      output.err('hermetic: the old configuration stays active (reload-failed)\n');
      finish(exitCodes.fail);
    });
  addHelpPage(command, output, {
    exitStatus: [
      [exitCodes.good, 'the new configuration is active'],
      [exitCodes.fail, 'the new configuration was refused; the old one stays active'],
      [exitCodes.usage, 'the daemon does not answer'],
    ],
    examples: ['hermetic reload'],
  });
}

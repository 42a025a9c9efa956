import { Command } from 'commander';
import { collect, collectOptions, grade, nameOf } from '../../check/index.js';
import type { Lab } from '../../lab/index.js';
import type { Output } from '../output.js';
import { exitCodes } from '../exit-codes.js';
import { labOptions } from './lab-options.js';

/** `hermetic lab`: checks every domain of the lab; `lab list`: names them. */
export function labCommand(output: Output, signal: AbortSignal, finish: (code: number) => void): Command {
  const command = new Command('lab').description('a whole mail internet in one process');
  command.addHelpText('after', '\nExample:\n  hermetic lab list\n  hermetic check --lab stripped.example');
  command.action(async () => {
    const lab = await openLab();
    try {
      const options = collectOptions({ ...labOptions(lab), signal });
      for (const { domain } of lab.scenarios) {
        const { verdict, findings } = grade(await collect(nameOf(domain), options));
        const ids = [...new Set(findings.filter((f) => f.severity === 'fail' || f.severity === 'warn').map((f) => f.id))];
        output.out(`${domain.padEnd(40)} ${verdict.padEnd(14)} ${ids.join(' ')}`.trimEnd() + '\n');
      }
    } finally {
      await lab.close();
    }
    finish(exitCodes.good);
  });
  command
    .command('list')
    .description('the domains of the lab')
    .action(async () => {
      const lab = await openLab();
      for (const { domain, says } of lab.scenarios) output.out(`${domain.padEnd(40)} ${says}\n`);
      await lab.close();
      finish(exitCodes.good);
    });
  return command;
}

/** Loaded only when asked for: it brings a certificate authority and many servers. */
async function openLab(): Promise<Lab> {
  return (await import('../../lab/index.js')).createLab();
}

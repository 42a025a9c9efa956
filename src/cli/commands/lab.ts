import { Command } from 'commander';
import { grade } from '../../check/index.js';
import type { Evidence } from '../../evidence/index.js';
import { followSignal, wrap } from '../../base/index.js';
import type { Lab } from '../../lab/index.js';
import type { Output } from '../output.js';
import { checkDomains } from '../check-domains.js';
import { exitCodes } from '../exit-codes.js';

/** `hermetic lab`: checks every domain of the lab; `lab list`: names them. */
export function labCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  const command = new Command('lab').description(
    'check every domain of the built-in lab, a whole mail internet in one process',
  );
  command.addHelpText(
    'after',
    '\nExample:\n  hermetic lab\n  hermetic lab list\n  hermetic check --lab stripped.example',
  );
  command.action(async () => {
    const lab = await openLab();
    const enough = new AbortController();
    try {
      const domains = lab.scenarios.map(({ domain }) => domain);
      const seen = checkDomains(lab, domains, { signal: followSignal(signal, enough.signal) });
      for (const [i, domain] of domains.entries()) {
        if (output.gone) break;
        const { verdict, findings } = grade((await seen[i]) as Evidence);
        const ids = [
          ...new Set(
            findings.filter((f) => f.severity === 'fail' || f.severity === 'warn').map((f) => f.id),
          ),
        ];
        output.out(row(domain, `${verdict.padEnd(14)} ${ids.join(' ')}`, output.width));
      }
    } finally {
      enough.abort();
      await lab.close();
    }
    finish(exitCodes.good);
  });
  command
    .command('list')
    .description('the domains of the lab')
    .addHelpText('after', '\nExample:\n  hermetic lab list | grep attacker')
    .action(async () => {
      const lab = await openLab();
      for (const { domain, says } of lab.scenarios) output.out(row(domain, says, output.width));
      await lab.close();
      finish(exitCodes.good);
    });
  return command;
}

function row(domain: string, says: string, width: number): string {
  const column = 38;
  return wrap(says, width - column, '', '')
    .map((line, i) => `${(i === 0 ? domain : '').padEnd(column)}${line}`.trimEnd() + '\n')
    .join('');
}

/** Loaded only when asked for: it brings a certificate authority and many servers. */
async function openLab(): Promise<Lab> {
  return (await import('../../lab/index.js')).createLab();
}

import type { Command } from 'commander';
import { followSignals, parseDomain, wrap, unwrap } from '../../base/index.js';
import { grade, verdictCounts } from '../../check/index.js';
import type { CheckResult, Evidence } from '../../evidence/index.js';
import { checkDomains } from '../check-domains.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { openLab } from '../lab.js';
import { formatJson, type CommandContext, type Output } from '../output.js';

/** The options of `hermetic lab` and `hermetic lab list`. */
interface LabFlags {
  readonly json?: boolean;
}

/**
 * Defines `hermetic lab`, which checks every domain of the lab. `lab list` describes the
 * domains.
 *
 * Network: none; servers and DNS run in this process. Standard output: one row, or one
 * line of JSON, for each domain in the order of the list. Exit status: 0, also with
 * failing domains, because most domains of the lab have deliberate faults.
 */
export function defineLab(command: Command, context: CommandContext): void {
  const { output, finish } = context;
  command
    .option('--json', 'print each result as one line of JSON')
    .action(async (labFlags: LabFlags) => finish(await checkAll(labFlags, context)));
  addHelpPage(command, output, {
    examples: ['hermetic lab', 'hermetic lab list', 'hermetic check --lab stripped.example'],
  });
  const list = command
    .command('list')
    .description('list the domains of the lab')
    .option('--json', 'print each domain as one line of JSON')
    // Commander assigns an option to the parent if the parent and the subcommand both
    // have it.
    .action(async (labFlags: LabFlags) =>
      finish(await printList({ ...command.opts(), ...labFlags }, output)),
    );
  addHelpPage(list, output, { examples: ['hermetic lab list', 'hermetic lab list | grep DANE'] });
}

/**
 * Checks all domains and prints each result as soon as the results before it are printed.
 * Stops when the reader of standard output has closed the pipe.
 */
async function checkAll({ json }: LabFlags, { output, signal }: CommandContext): Promise<number> {
  const lab = await openLab();
  const domains = lab.scenarios.map(({ domain }) => domain);
  const graded: Pick<CheckResult, 'verdict'>[] = [];
  try {
    await followSignals([signal], async (stop) => {
      const results = checkDomains(lab, domains, { signal: stop.signal });
      for (const [index, domainName] of domains.entries()) {
        if (output.gone) break;
        const checkResult = grade((await results[index]) as Evidence);
        graded.push({ verdict: checkResult.verdict });
        output.out(
          json
            ? `${formatJson(checkResult)}\n`
            : formatRow(domainName, outcome(checkResult), output),
        );
      }
      stop.abort();
    });
    if (!json) output.out(`\n${domains.length} domains: ${verdictCounts(graded)}\n`);
    return exitCodes.good;
  } finally {
    await lab.close();
  }
}

/** Returns the verdict and the ids of the findings that led to it. */
function outcome({ verdict, findings }: CheckResult): string {
  const ids = findings
    .filter(({ severity }) => severity === 'fail' || severity === 'warn')
    .map(({ id }) => id);
  return `${verdict.padEnd(14)} ${[...new Set(ids)].join(' ')}`;
}

/** Prints the domains and the scenario of each. Starts no server. */
async function printList({ json }: LabFlags, output: Output): Promise<number> {
  const { allScenarios } = await import('../../lab/index.js');
  for (const { domain: domainText, says } of allScenarios) {
    const domainName = unwrap('domain', parseDomain(domainText), '').toLower();
    output.out(
      json ? `${formatJson({ domain: domainName, says })}\n` : formatRow(domainName, says, output),
    );
  }
  return exitCodes.good;
}

/** Returns a domain and a text next to it, or below it if the terminal is narrow. */
function formatRow(domainName: string, outputText: string, { width }: Output): string {
  const nameWidth = width < 80 ? 4 : 38;
  const lines = wrap(outputText, width - nameWidth, '', '');
  const rows =
    domainName.length < nameWidth
      ? lines.map(
          (textLine, index) => `${(index === 0 ? domainName : '').padEnd(nameWidth)}${textLine}`,
        )
      : [domainName, ...lines.map((textLine) => `${' '.repeat(nameWidth)}${textLine}`)];
  return rows.map((row) => `${row.trimEnd()}\n`).join('');
}

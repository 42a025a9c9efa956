import { Command } from 'commander';
import { isHermeticError } from '../../base/index.js';
import {
  collect,
  collectOptions,
  grade,
  nameOf,
  profileNames,
  renderControl,
  renderNagios,
  renderTerminal,
  renderTranscript,
  type CollectOptions,
} from '../../check/index.js';
import type { CheckResult, Evidence } from '../../evidence/index.js';
import { exitCodeOf, exitCodes, worstExitCode } from '../exit-codes.js';
import { complain, type Output } from '../output.js';
import { progress } from '../progress.js';
import { readEvidence } from '../read-evidence.js';
import { writeFile } from '../write-file.js';
import { formatJson } from '../format-json.js';
import { profileNamed, readCheckFlags, type CheckFlags } from './check-options.js';
import { labOptions } from './lab-options.js';
import { withPeers } from './peer-options.js';
import { failOnOf, withReports, writeReports } from './report-options.js';
import { misuse, withResolver } from './resolver-options.js';

interface Done {
  readonly evidence: Evidence;
  readonly result: CheckResult;
}

/** `hermetic check`. `finish` receives the exit status. */
export function checkCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  return withReports(
    withPeers(
      withResolver(
        new Command('check').description('check what TLS is worth for the mail of a domain'),
      ),
      '15',
    ),
  )
    .argument('<domain...>', 'mail domains: the part after the @')
    .option('--json', 'the result as JSON: one object, or one a line for several domains')
    .option(
      '--depth <depth>',
      'how much to ask: triage (1 connection an address), verdict or inventory',
      'verdict',
    )
    .option('--budget <n>', 'connections to one address, at most (default 14; inventory 150)')
    .option('--spacing <seconds>', 'between two connections to one address (default 0.2)')
    .option('--resume <file>', 'evidence of an earlier run: what it settled is not asked again')
    .option('--max-hosts <n>', 'mail hosts to look at (default 10)')
    .option('--max-addresses <n>', 'addresses of each (default 4)')
    .option('--opt-out <file>', 'hosts and addresses never to connect to, one a line')
    .option('--mx <host>', 'look at this host instead of the MX')
    .option('--address <ip>', 'at this address (with --mx)')
    .option('--control <host>', 'a host known to offer STARTTLS: tells whose network strips it')
    .option('--transcript', 'the SMTP conversations')
    .option('--intrusive', 'one connection more: is a command sent in clear executed inside TLS?')
    .option(
      '--submission',
      'look at ports 465 and 587 of the mail hosts as well: told, no part of the verdict',
    )
    .option('--steps', 'every step of every finding')
    .option('--nagios', 'one line and the exit status of a monitoring plugin')
    .option('--evidence <file>', 'write what was seen, for hermetic grade')
    .option(
      '--profile <name>',
      `what to grade by: ${profileNames.join(', ')}, or a file`,
      'baseline',
    )
    .addHelpText(
      'after',
      '\nExample:\n  hermetic check example.com\n  hermetic check --lab good.example',
    )
    .action(async (domains: string[], flags: CheckFlags) =>
      finish(await run(domains, flags, output, signal)),
    );
}

async function run(
  domains: readonly string[],
  flags: CheckFlags,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const failOn = failOnOf(flags);
  if (flags.evidence !== undefined && domains.length > 1)
    throw misuse('--evidence', 'takes one domain', 'Check the domains one by one.');
  const given = readCheckFlags(flags);
  const lab = flags.lab ? await (await import('../../lab/index.js')).createLab() : undefined;
  const line = progress(output);
  try {
    // One resolver and one set of roots for all domains.
    const earlier = flags.resume === undefined ? {} : { earlier: readEvidence(flags.resume) };
    const options = collectOptions({
      ...given,
      ...(lab ? labOptions(lab) : {}),
      ...earlier,
      signal,
      onProgress: line.note,
    });
    const profile = profileNamed(flags.profile);
    // Printed in the order given, worked on side by side.
    const pending = domains.map((domain) => one(domain, options, profile));
    const codes: number[] = [];
    const results: CheckResult[] = [];
    const seen: Evidence[] = [];
    for (const done of pending) {
      const settled = await done;
      line.end();
      if (!(settled instanceof Error)) {
        results.push(settled.result);
        seen.push(settled.evidence);
      }
      codes.push(show(settled, flags, output, domains.length, codes.length, failOn));
    }
    // Files come last: what cannot be written takes nothing from what was shown.
    if (flags.evidence !== undefined && seen[0])
      writeFile(flags.evidence, `${JSON.stringify(seen[0], null, 2)}\n`, '--evidence');
    writeReports(flags, results);
    return flags.nagios ? Math.max(...codes) : worstExitCode(codes);
  } finally {
    line.end();
    await lab?.close();
  }
}

/**
 * What one domain came to; bad input is a value here, so that one wrong name does not
 * lose the others.
 */
async function one(
  domain: string,
  options: CollectOptions,
  profile: ReturnType<typeof profileNamed>,
): Promise<Done | Error> {
  try {
    const evidence = await collect(nameOf(domain), options);
    return { evidence, result: grade(evidence, profile) };
  } catch (error) {
    return error as Error;
  }
}

function show(
  done: Done | Error,
  flags: CheckFlags,
  output: Output,
  of: number,
  nth: number,
  failOn: 'warn' | 'fail',
): number {
  if (done instanceof Error) {
    if (!isHermeticError(done)) throw done;
    complain(output, done);
    return flags.nagios ? 3 : exitCodes.usage;
  }
  const { evidence, result } = done;
  if (flags.nagios) {
    const { line, status } = renderNagios(result);
    output.out(`${line}\n`);
    return status;
  }
  const nonexistent = result.findings.find((f) => f.id === 'domain-nonexistent');
  if (nonexistent)
    output.err(
      `hermetic: ${result.domain}: ${nonexistent.title.replace(/^T/, 't')} (domain-nonexistent)\n  ${nonexistent.fix}\n`,
    );
  if (flags.json) output.out(`${formatJson(result, of > 1 ? undefined : 2)}\n`);
  else {
    if (nth > 0) output.out('\n');
    output.out(
      renderTerminal(result, {
        width: output.width,
        color: output.color,
        ...(flags.steps ? { steps: true } : {}),
      }),
    );
    if (evidence.network.control) output.out(`\n${renderControl(evidence, output.width)}`);
    if (flags.transcript) output.out(`\n${renderTranscript(evidence)}`);
  }
  return exitCodeOf(result, failOn);
}

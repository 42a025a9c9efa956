import type { Command } from 'commander';
import { countOf, isHermeticError } from '../../base/index.js';
import {
  collect,
  collectOptions,
  grade,
  nameOf,
  profileNames,
  renderControl,
  renderOverview,
  renderTerminal,
  renderTranscript,
  type Profile,
} from '../../check/index.js';
import type { CheckResult, Evidence, Finding } from '../../evidence/index.js';
import type { ListCounts } from '../../scan/index.js';
import { inLanes } from '../check-domains.js';
import { exitCodeOf, exitCodes, worstExitCode } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { labOptions, openLab } from '../lab.js';
import { misuse } from '../options.js';
import { complain, type CommandContext, type Output } from '../output.js';
import { progress } from '../progress.js';
import { repeatedOptions } from '../repeat-options.js';
import { profileNamed, readCheckFlags, readDomainList, type CheckFlags } from './check-options.js';
import { withPeers } from './peer-options.js';
import {
  planOutput,
  printJson,
  printNagios,
  withReports,
  writeOutput,
  writeReports,
  type OutputPlan,
} from './report-options.js';
import { withResolver } from './resolver-options.js';

/** Number of domains that are checked concurrently: a check mostly waits for peers. */
const MAX_CONCURRENT = 16;
/**
 * Number of listed domains that are checked concurrently: their checks also wait for
 * shared addresses.
 */
const MAX_LISTED = 64;
/** Milliseconds between two connections to one address in a list. */
const LIST_SPACING = 5000;

/**
 * Defines `hermetic check`, which checks how well the mail of domains is protected in
 * transit.
 *
 * Network: queries the DNS, fetches MTA-STS policies over HTTPS and opens SMTP
 * connections to the mail hosts. The command sends no mail: every conversation ends
 * before MAIL FROM. With `--lab` all DNS and servers run inside this process.
 *
 * Standard output: a report for one domain, a table for several; JSON, a monitoring line
 * or a report written to `-` replaces this output. Standard error: progress (only on a
 * terminal), errors, and domains that do not exist.
 *
 * Files: only those that options name. The command tests them for writing before the
 * first packet, and writes each atomically after the last domain.
 *
 * Exit status: the worst of all domains, in the order 2, 1, 3, 0; with `--nagios` the
 * status of a monitoring plugin.
 */
export function defineCheck(command: Command, context: CommandContext): void {
  command
    .argument('[domain...]', 'mail domains: the part after the @')
    .optionsGroup('What to check:')
    .option('--from <file>', 'read the domains from a file, one per line; - is standard input')
    .option(
      '--depth <depth>',
      'how much to test: triage (1 connection per address), verdict or inventory',
      'verdict',
    )
    .option('--profile <name>', `grade by ${profileNames.join(', ')}, or a .json file`, 'baseline')
    .option('--mx <host>', 'check this host instead of those in the MX records')
    .option('--address <ip>', 'connect to this address (needs --mx)')
    .option('--senders', 'also send the ClientHello of each known sender, one connection each')
    .option('--submission', 'also check ports 465 and 587; does not affect the verdict')
    .option('--intrusive', 'also test whether the server runs plaintext commands inside TLS')
    .option('--control <host>', 'compare with a host known to offer STARTTLS')
    .optionsGroup('Limits:')
    .option('--budget <n>', 'open at most n connections to an address (default 14; inventory 150)')
    .option(
      '--spacing <seconds>',
      'wait between connections to an address (default 0.2; 5 with --from)',
    )
    .option('--max-hosts <n>', 'check at most n mail hosts (default 10)')
    .option('--max-addresses <n>', 'check at most n addresses of each host (default 4)')
    .option('--opt-out <file>', 'never connect to the hosts and addresses in this file')
    .option('--resume <file>', 'continue from saved evidence: skip completed tests');
  withReports(withPeers(withResolver(command), '15'))
    .option('--evidence <file>', 'save the evidence, for hermetic grade and diff')
    .option('--full', 'print the full report of each domain, even for several')
    .option('--steps', 'print every step of every finding')
    .option('--transcript', 'print the SMTP sessions')
    .action(async (domains: string[], checkFlags: CheckFlags) =>
      context.finish(await new CheckRun(checkFlags, context).run(domains)),
    );
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'pass or warn; the domain accepts no mail'],
      [exitCodes.fail, 'fail (with --fail-on warn: warn too)'],
      [exitCodes.usage, 'usage error, or the domain does not exist'],
      [exitCodes.inconclusive, 'could not tell'],
      [exitCodes.interrupted, 'interrupted by ctrl-C; finished domains are printed'],
    ],
    examples: [
      'hermetic check example.com',
      'hermetic check --lab good.example',
      'hermetic check --from domains.txt --csv -',
    ],
  });
}

/** One finished domain: the observations, and their grade by the profile. */
interface CheckedDomain {
  readonly evidence: Evidence;
  readonly result: CheckResult;
}

/**
 * One run of `hermetic check` over its domains.
 *
 * It checks domains concurrently and reports them in the order of the command line, so
 * that the outputs of two runs can be compared line by line.
 */
class CheckRun {
  readonly #flags: CheckFlags;
  readonly #output: Output;
  readonly #signal: AbortSignal;
  readonly #plan: OutputPlan;
  /** Finished domains in the order of the command line. */
  readonly #checked: CheckedDomain[] = [];
  /** One exit status for each finished domain, failed ones included. */
  readonly #codes: number[] = [];

  /** Throws HermeticError for invalid flags and for files that cannot be written. */
  constructor(checkFlags: CheckFlags, { output, signal }: CommandContext) {
    this.#flags = checkFlags;
    this.#output = output;
    this.#signal = signal;
    this.#plan = planOutput(checkFlags, [{ option: '--evidence', path: checkFlags.evidence }]);
  }

  /**
   * Validates the flags, collects the evidence of each domain, prints the results and
   * returns the exit status. A domain that was named twice is checked once. Throws
   * HermeticError for usage errors, before any packet.
   */
  async run(given: readonly string[]): Promise<number> {
    const checkFlags = this.#flags;
    const listed = checkFlags.from === undefined ? [] : readDomainList(checkFlags.from);
    const domains = [...new Set([...given, ...listed])];
    if (domains.length === 0)
      throw misuse('check', 'no domain is given', 'Specify a domain, or a list with --from FILE.');
    // An evidence file describes one domain (schema hermetic.evidence/1).
    if (checkFlags.evidence !== undefined && domains.length > 1)
      throw misuse('--evidence', 'takes one domain', 'Check the domains one by one.');
    const options = readCheckFlags(checkFlags);
    const lab = checkFlags.lab ? await openLab([...domains, checkFlags.mx ?? '']) : undefined;
    const line = progress(this.#output);
    try {
      // All domains share one resolver, one set of roots and one set of visits.
      const shared = collectOptions({
        spacingMs: checkFlags.from === undefined ? undefined : LIST_SPACING,
        ...options,
        ...(lab && labOptions(lab)),
        signal: this.#signal,
        onProgress: line.note,
      });
      if (domains.length === 1)
        return await this.#checkAll(domains, (name) => collect(nameOf(name), shared), line.end);
      // This module is loaded only for several domains: a single domain needs no shared
      // limits.
      const { ListCheck } = await import('../../scan/index.js');
      const list = new ListCheck(shared, {
        optOut: options.optOut,
        perAddress: options.budget,
      });
      const status = await this.#checkAll(domains, (name) => list.collect(name), line.end);
      line.end();
      if (!checkFlags.quiet) this.#printCounts(list.counts());
      return status;
    } finally {
      line.end();
      await lab?.close();
    }
  }

  /**
   * Checks the domains concurrently and prints the results in the order of the list.
   * After ctrl-C the method prints the finished results and writes no file: a file with
   * some of the domains would look complete.
   */
  async #checkAll(
    domains: readonly string[],
    collectOne: (domainName: string) => Promise<Evidence>,
    endProgress: () => void,
  ): Promise<number> {
    const profile = profileNamed(this.#flags.profile);
    const isOnly = domains.length === 1;
    const isList = this.#flags.from !== undefined && !this.#flags.lab;
    const pending = inLanes(domains, isList ? MAX_LISTED : MAX_CONCURRENT, (domainName) =>
      this.#check(domainName, collectOne, profile),
    );
    for (const checking of pending) {
      const settled = await checking;
      if (this.#signal.aborted) break;
      endProgress();
      this.#add(settled, isOnly);
    }
    if (!isOnly && this.#printsTable()) this.#output.out(this.#table());
    if (this.#signal.aborted) return this.#interrupted(domains.length);
    this.#writeFiles();
    if (this.#flags.nagios) return Math.max(...this.#codes);
    return worstExitCode(this.#codes);
  }

  /**
   * Checks one domain. One invalid name must not stop the other checks.
   *
   * The method therefore returns an `Error` for an invalid name or a failed check.
   */
  async #check(
    domainName: string,
    collectOne: (domainName: string) => Promise<Evidence>,
    profile: Profile,
  ): Promise<CheckedDomain | Error> {
    try {
      const evidence = await collectOne(domainName);
      const repeated = repeatedOptions(this.#flags);
      return { evidence, result: grade(evidence, profile, { options: repeated }) };
    } catch (error) {
      return error as Error;
    }
  }

  /** Prints the output of one domain, and notes its exit status. */
  #add(settled: CheckedDomain | Error, isOnly: boolean): void {
    const { nagios, json, quiet } = this.#flags;
    if (settled instanceof Error) {
      if (!isHermeticError(settled)) throw settled;
      complain(this.#output, settled);
      this.#codes.push(nagios ? UNKNOWN : exitCodes.usage);
      return;
    }
    this.#checked.push(settled);
    const { result: checkResult } = settled;
    if (nagios) return void this.#codes.push(printNagios(checkResult, this.#output));
    this.#codes.push(exitCodeOf(checkResult, this.#plan.failOn));
    const nonexistent = checkResult.findings.find((finding) => finding.id === 'domain-nonexistent');
    if (nonexistent) this.#complainNonexistent(checkResult.domain, nonexistent);
    if (quiet || this.#plan.streamTaken) return;
    if (json) printJson(checkResult, isOnly, this.#output);
    else if (isOnly || this.#flags.full) this.#printReport(settled);
  }

  /**
   * Reports a domain that does not exist on standard error as well: usually it is a typo,
   * and a report on standard output alone would be lost with `--quiet` or `--json`.
   */
  #complainNonexistent(domainName: string, { title, fix }: Finding): void {
    const says = title.charAt(0).toLowerCase() + title.slice(1);
    this.#output.err(`hermetic: ${domainName}: ${says} (domain-nonexistent)\n  ${fix}\n`);
  }

  /**
   * Prints the report of one domain, with the control host and the transcript on request.
   */
  #printReport({ evidence, result }: CheckedDomain): void {
    const { width, color } = this.#output;
    const blocks = [renderTerminal(result, { width, color, steps: this.#flags.steps ?? false })];
    if (evidence.network.control) blocks.push(renderControl(evidence, width));
    if (this.#flags.transcript) blocks.push(renderTranscript(evidence));
    const isFirst = this.#checked.length === 1;
    this.#output.out(`${isFirst ? '' : '\n'}${blocks.join('\n')}`);
  }

  /** Returns true unless an option uses standard output for something else. */
  #printsTable(): boolean {
    const { json, nagios, quiet, full } = this.#flags;
    return !json && !nagios && !quiet && !full && !this.#plan.streamTaken;
  }

  /** Renders the overview: one row for each domain. */
  #table(): string {
    const { width, color } = this.#output;
    return renderOverview(this.#results(), { width, color });
  }

  #results(): readonly CheckResult[] {
    return this.#checked.map(({ result }) => result);
  }

  /**
   * Writes the files last: a file that cannot be written does not affect the printed
   * output.
   */
  #writeFiles(): void {
    const [first] = this.#checked;
    const { evidence: filePath } = this.#flags;
    if (filePath !== undefined && first)
      writeOutput(
        { option: '--evidence', path: filePath },
        `${JSON.stringify(first.evidence, null, 2)}\n`,
        this.#output,
      );
    writeReports(this.#flags, this.#results(), this.#output);
  }

  /**
   * Reports the traffic of the run on standard error, so that it does not mix with the
   * results.
   */
  #printCounts({ connections, addresses, questions = 0, inference }: ListCounts): void {
    const { inferred } = inference;
    const shared = inferred > 0 ? `; ${inferred} host names were inferred, not visited` : '';
    this.#output.err(
      `${countOf(connections, 'connection')} to ${countOf(addresses, 'mail server address')}, ${countOf(questions, 'DNS question')}${shared}\n`,
    );
  }

  /** Reports an interruption by ctrl-C and returns its exit status. */
  #interrupted(of: number): number {
    this.#output.err(
      `hermetic: interrupted; ${this.#checked.length} of ${of} domains were checked, no file was written (interrupted)\n`,
    );
    return exitCodes.interrupted;
  }
}

/**
 * The status of a monitoring plugin that could not run.
 *
 * The plugin interface of Nagios and its successors: 0 OK, 1 WARNING, 2 CRITICAL, 3
 * UNKNOWN.
 */
const UNKNOWN = 3;

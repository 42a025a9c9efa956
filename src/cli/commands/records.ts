import type { Command } from 'commander';
import { HermeticError, neutralise, wrap } from '../../base/index.js';
import { collect, collectOptions, grade, nameOf } from '../../check/index.js';
import { chooseResolver, type Resolver } from '../../dns/index.js';
import type { CheckResult, Evidence } from '../../evidence/index.js';
import { nodeNetwork } from '../../net/index.js';
import {
  lookupRecordOwners,
  missingRecords,
  planCaaRecords,
  type MissingStep,
  type PanelRecord,
} from '../../publish/index.js';
import { collectCaaHosts } from '../caa-hosts.js';
import { readConfig } from '../config-files.js';
import { exitCodes, exitCodeOf } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { labOptions, openLab } from '../lab.js';
import { misuse, present } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { readResolverFlags, withResolver, type ResolverFlags } from './resolver-options.js';

/** The options of `hermetic records`. */
interface RecordsFlags extends ResolverFlags {
  readonly json?: boolean;
  /** Configuration of the daemon whose ACME account the CAA records name. */
  readonly config?: string;
  readonly panel?: boolean;
  /** Address for TLS reports (RFC 8460 §3), in the form of the TLSRPT record. */
  readonly rua?: string;
  /** Host for the name `mta-sts.<domain>`, which serves the policy (RFC 8461 §3.3). */
  readonly policyHost?: string;
}

/**
 * Defines `hermetic records`, which prints the records that a domain lacks, ready to
 * paste, in an order that never defers mail.
 *
 * Network: checks the domain as `hermetic check` does, and looks up the owners of the
 * records. It changes no record. Standard output: lines of a zone file, everything else
 * as comments, so that the whole output can be pasted; or name, type and value for a web
 * form.
 *
 * Exit status: 0 also when nothing is missing; 3 when a lookup failed, because the record
 * may exist and a second copy could break it.
 */
export function defineRecords(command: Command, context: CommandContext): void {
  command
    .argument('<domain>', 'the part after the @')
    .optionsGroup('Records:')
    .option('--rua <uri>', 'address for TLS reports, such as mailto:tlsrpt@example.com')
    .option('--policy-host <name>', 'name or address of the host that serves the MTA-STS policy')
    .option('--config <file>', 'add CAA records for the ACME account of this daemon')
    .option('--panel', 'print name, type and value for a web form instead of zone file lines')
    .option('--json', 'print JSON')
    .option('--lab', 'use the built-in lab instead of the network');
  withResolver(command).action(async (domainName: string, recordsFlags: RecordsFlags) =>
    context.finish(await run(domainName, recordsFlags, context)),
  );
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'the missing records are printed, or nothing is missing'],
      [exitCodes.usage, 'usage error, or the domain does not exist'],
      [exitCodes.inconclusive, 'a record could not be looked up'],
    ],
    examples: [
      'hermetic records example.com',
      'hermetic records example.com --config /etc/hermetic/hermetic.yaml',
      'hermetic records --lab signed-only.example',
    ],
  });
}

/** The two schemes of `rua` (RFC 8460 §3); `,`, `;` and `!` end a URI in the record. */
const reportUri = /^(mailto:[^@\s,;!]+@[A-Za-z0-9.-]+|https:\/\/[A-Za-z0-9.-]+(\/[^\s,;!]*)?)$/;

/**
 * Checks the domain, derives the missing records, prints them, returns the exit status.
 */
async function run(
  domainName: string,
  recordsFlags: RecordsFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  if (recordsFlags.rua !== undefined && !reportUri.test(recordsFlags.rua))
    throw misuse(
      '--rua',
      `${recordsFlags.rua} is not an address for reports`,
      'Write mailto:NAME@DOMAIN or https://HOST/PATH.',
    );
  const { roots, ...dns } = readResolverFlags(recordsFlags);
  const lab = recordsFlags.lab ? await openLab([domainName]) : undefined;
  try {
    const network = lab?.network ?? nodeNetwork();
    const options = { network, ...dns, ...(lab && labOptions(lab)) };
    const resolver = chooseResolver(options, present({ network, roots }));
    const trustStore = roots ?? options.trustStore;
    const settings = collectOptions(present({ ...options, trustStore, resolver, signal }));
    const evidence = await collect(nameOf(domainName), settings);
    const checkResult = grade(evidence);
    if (checkResult.findings.some(({ id }) => id === 'domain-nonexistent'))
      throw new HermeticError('domain-nonexistent', `${checkResult.domain} does not exist in DNS`, {
        fix: 'Check the spelling; a new domain exists once its registry delegates it.',
      });
    const hostNames = checkResult.hosts.map(({ name }) => name);
    const owners = await lookupRecordOwners(resolver, checkResult.domain, hostNames, signal);
    const missingSteps = missingRecords(
      checkResult,
      present({ owners, reportTo: recordsFlags.rua, policyHost: recordsFlags.policyHost }),
    );
    const caaSteps = await planCaa(evidence, recordsFlags, { resolver, output, signal });
    const steps = [...missingSteps, ...caaSteps];
    print(checkResult, steps, recordsFlags, output);
    if (exitCodeOf(checkResult) === exitCodes.usage) return exitCodes.usage;
    if (steps.some(({ kind }) => kind === 'unknown')) return exitCodes.inconclusive;
    return exitCodes.good;
  } finally {
    await lab?.close();
  }
}

/** Opens the state of the daemon for reading, and plans the CAA records of its account. */
async function planCaa(
  evidence: Evidence,
  { config: configPath }: RecordsFlags,
  { resolver, output, signal }: Pick<CommandContext, 'output' | 'signal'> & { resolver: Resolver },
): Promise<readonly MissingStep[]> {
  if (configPath === undefined) return [];
  const server = await import('../../server/index.js');
  const config = readConfig(configPath, server.parseConfigFiles, output);
  const section = config && server.publishSettings(config);
  if (!config || !section)
    throw new HermeticError('config-invalid', `${configPath}: no section publish`, {
      fix: 'Add it: docs/publish.md shows the form.',
    });
  const logger = server.createLog({ format: 'plain', write: output.err, now: Date.now });
  const jobContext = await server.openReadOnlyContext(config, logger);
  try {
    const { accountBinding } = await server.openPublishing(section, jobContext, { signal });
    const binding = await accountBinding?.();
    if (!binding) return [];
    return planCaaRecords(await collectCaaHosts(evidence, binding, resolver, signal), binding);
  } finally {
    await jobContext.close();
  }
}

/** Prints the steps in their order: a later record may depend on an earlier record. */
function print(
  { domain }: CheckResult,
  missingSteps: readonly MissingStep[],
  recordsFlags: RecordsFlags,
  output: Output,
): void {
  if (recordsFlags.json) return output.out(`${formatJson(missingSteps, 2)}\n`);
  if (missingSteps.length === 0) return output.out(`; ${domain}: nothing is missing\n`);
  const blocks = missingSteps.map((missingStep) => {
    const outputText =
      recordsFlags.panel && missingStep.record
        ? formatPanel(missingStep.record)
        : formatStep(missingStep);
    return `${formatComment(missingStep.why)}${outputText}`;
  });
  if (recordsFlags.panel && missingSteps.some(({ record }) => record))
    blocks.push(formatComment('Most web forms append the zone name, so omit it from the name.'));
  output.out(blocks.join('\n'));
}

/** Returns a comment of a zone file, so that the whole output can be pasted. */
function formatComment(outputText: string): string {
  return wrap(outputText, 78)
    .map((textLine) => `; ${textLine}\n`)
    .join('');
}

/** Returns a record as a line to paste, and any other step as a comment. */
function formatStep({ kind, text }: MissingStep): string {
  if (kind === 'record') return `${neutralise(text, 4000)}\n`;
  const outputLines = text.split(/\r?\n/).filter(Boolean);
  return outputLines
    .flatMap((textLine) => wrap(textLine, 75).map((part) => `;   ${part}\n`))
    .join('');
}

/** Returns the fields of a record as web forms name them. */
function formatPanel({ name, type, ttl, value }: PanelRecord): string {
  const fields = { Name: name, Type: type, TTL: String(ttl), Value: value };
  return Object.entries(fields)
    .map(([fieldName, fieldText]) => `    ${fieldName.padEnd(7)}${neutralise(fieldText, 4000)}\n`)
    .join('');
}

import { Command } from 'commander';
import { HermeticError, neutralise, wrap } from '../../base/index.js';
import { check } from '../../check/index.js';
import { chooseResolver } from '../../dns/index.js';
import { nodeNetwork } from '../../net/index.js';
import {
  lookupRecordOwners,
  missingRecords,
  type MissingStep,
  type PanelRecord,
} from '../../publish/index.js';
import { exitCodes, exitCodeOf } from '../exit-codes.js';
import type { Output } from '../output.js';
import { formatJson } from '../format-json.js';
import { labOptions } from './lab-options.js';
import { misuse, readResolverFlags, withResolver, type ResolverFlags } from './resolver-options.js';

interface Flags extends ResolverFlags {
  readonly json?: boolean;
  readonly panel?: boolean;
  readonly lab?: boolean;
  readonly rua?: string;
  readonly policyHost?: string;
}

/**
 * `hermetic records`: what a domain lacks, ready to paste, in the order that never holds
 * mail back.
 */
export function recordsCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  return withResolver(
    new Command('records').description(
      'print the records a domain lacks, ready to paste, in the safe order',
    ),
  )
    .argument('<domain>', 'the part after the @')
    .option('--rua <uri>', 'where TLS reports go, such as mailto:tlsrpt@example.com')
    .option('--policy-host <name>', 'host that serves the MTA-STS policy, or its address')
    .option('--panel', "for a web panel: name, type and value in place of a zone file's lines")
    .option('--json', 'for machines')
    .option('--lab', 'a domain of the built-in lab')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic records example.com\n  hermetic records --lab signed-only.example',
    )
    .action(async (domain: string, flags: Flags) =>
      finish(await print(domain, flags, output, signal)),
    );
}

async function print(
  domain: string,
  flags: Flags,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  if (
    flags.rua !== undefined &&
    !/^(mailto:[^@\s,;!]+@[A-Za-z0-9.-]+|https:\/\/[A-Za-z0-9.-]+(\/[^\s,;!]*)?)$/.test(flags.rua)
  )
    throw misuse(
      '--rua',
      `${flags.rua} is no address for reports`,
      'Write mailto:NAME@DOMAIN or https://HOST/PATH.',
    );
  const lab = flags.lab ? await (await import('../../lab/index.js')).createLab() : undefined;
  try {
    const { roots, ...dns } = readResolverFlags(flags);
    const network = lab?.network ?? nodeNetwork();
    const options = { ...dns, ...(lab ? labOptions(lab) : {}), network };
    const resolver = chooseResolver(options, { network, ...(roots ? { roots } : {}) });
    const result = await check(domain, {
      ...options,
      resolver,
      ...(roots ? { trustStore: roots } : {}),
      signal,
    });
    if (result.findings.some(({ id }) => id === 'domain-nonexistent'))
      throw new HermeticError('domain-nonexistent', `${result.domain} does not exist in the DNS`, {
        fix: 'Look at the spelling; a new domain is there once its registry delegates it.',
      });
    const hosts = result.hosts.map(({ name }) => name);
    const owners = await lookupRecordOwners(resolver, result.domain, hosts, signal);
    const steps = missingRecords(result, {
      owners,
      ...(flags.rua === undefined ? {} : { reportTo: flags.rua }),
      ...(flags.policyHost === undefined ? {} : { policyHost: flags.policyHost }),
    });
    if (flags.json) output.out(`${formatJson(steps, 2)}\n`);
    else if (steps.length === 0) output.out(`; ${result.domain}: nothing is missing\n`);
    else {
      for (const step of steps)
        output.out(
          `${comment(step.why)}${flags.panel && step.record ? panel(step.record) : body(step)}\n`,
        );
      if (flags.panel && steps.some(({ record }) => record))
        output.out(
          comment("Most panels add the zone's name by themselves: leave it out of the name, then."),
        );
    }
    if (exitCodeOf(result) === exitCodes.usage) return exitCodes.usage;
    return steps.some(({ kind }) => kind === 'unknown') ? exitCodes.inconclusive : exitCodes.good;
  } finally {
    await lab?.close();
  }
}

/** As zone files have comments, so that the whole can be pasted. */
function comment(text: string): string {
  return wrap(text, 78)
    .map((line) => `; ${line}\n`)
    .join('');
}

function body({ kind, text }: MissingStep): string {
  if (kind === 'record') return `${neutralise(text, 4000)}\n`;
  const lines = text.split(/\r?\n/).filter(Boolean);
  return lines.flatMap((line) => wrap(line, 75).map((part) => `;   ${part}\n`)).join('');
}

function panel({ name, type, ttl, value }: PanelRecord): string {
  const fields = { Name: name, Type: type, TTL: String(ttl), Value: value };
  return Object.entries(fields)
    .map(([field, text]) => `    ${field.padEnd(7)}${neutralise(text, 4000)}\n`)
    .join('');
}

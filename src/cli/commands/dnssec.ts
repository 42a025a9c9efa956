import type { Command } from 'commander';
import { z } from 'zod';
import { HermeticError, Name, neutralise, toBase64, toHex, unwrap } from '../../base/index.js';
import {
  createResolver,
  formatRdata,
  parseTrustAnchors,
  rootAnchors,
  systemUpstreams,
  typeName,
  typeNumber,
  verifyProof,
  type DnsAnswer,
  type Proof,
  type TrustAnchor,
} from '../../dns/index.js';
import { nodeNetwork } from '../../net/index.js';
import { exitCodes } from '../exit-codes.js';
import { findFailure } from '../../catalogue/index.js';
import { sayFailure, sayUnsupported } from '../failure-text.js';
import { assertWritable, readJson, STANDARD_STREAM, writeFile } from '../files.js';
import { addHelpPage } from '../help.js';
import { openLab } from '../lab.js';
import { misuse } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';
import { renderProof } from '../render-proof.js';
import {
  readAnchors,
  readResolverFlags,
  withResolver,
  type ResolverFlags,
} from './resolver-options.js';

/** The options of `hermetic dnssec`. */
interface DnssecFlags extends ResolverFlags {
  readonly json?: boolean;
  /** Output file for the proof; `-` is standard output. */
  readonly proof?: string;
}

/** The options of `hermetic dnssec verify`. */
interface VerifyFlags {
  /** Time at which the signatures must be valid. Default: the time of the proof. */
  readonly at?: string;
  readonly trustAnchor?: string;
  readonly json?: boolean;
}

/**
 * Defines `hermetic dnssec`, which prints the answer to one question, and its chain of
 * trust. `dnssec verify` validates a saved proof offline.
 *
 * Network: `dnssec` queries the resolver for the name and for the DNSKEY and DS records
 * above it; `dnssec verify` opens no connection. Standard output: the answer as text or
 * JSON, or the proof with `--proof -`. Files: the proof of `--proof`, tested before the
 * first query.
 *
 * Exit status of `dnssec`: 0 for a secure or provably insecure answer, 1 bogus, 3
 * indeterminate (RFC 4033 §5). Exit status of `verify`: 0 if validation of the records
 * gives the recorded result again, else 1.
 */
export function defineDnssec(command: Command, context: CommandContext): void {
  command
    .argument('<name>', 'domain name')
    .argument('<type>', 'record type, such as MX or TLSA')
    .optionsGroup('Output:')
    .option('--json', 'print the answer and its proof as JSON')
    .option('--proof <file>', 'write the proof, for dnssec verify; - is standard output')
    .option('--lab', 'ask the built-in lab instead of the network');
  withResolver(command).action(async (name: string, type: string, dnssecFlags: DnssecFlags) =>
    context.finish(await ask({ name, type }, dnssecFlags, context)),
  );
  addHelpPage(command, context.output, {
    exitStatus: [
      [exitCodes.good, 'secure, or proved to be insecure'],
      [exitCodes.fail, 'bogus'],
      [exitCodes.usage, 'usage error'],
      [exitCodes.inconclusive, 'indeterminate'],
    ],
    examples: [
      'hermetic dnssec _25._tcp.mx.example.com TLSA',
      'hermetic dnssec example.com MX --proof proof.json && hermetic dnssec verify proof.json',
    ],
  });
  const verification = command
    .command('verify')
    .description('validate a saved proof again, offline')
    .argument('<file>', 'from hermetic dnssec --proof; - is standard input')
    .option('--trust-anchor <file>', 'use these DNSSEC trust anchors (DS or DNSKEY lines)')
    .option(
      '--at <date>',
      'verify at this date, such as 2026-11-23T12:00:00Z (default: date of the proof)',
    )
    .option('--json', 'print the answer as JSON')
    // Commander assigns an option to the parent if the parent and the subcommand both
    // have it.
    .action(async (filePath: string, verifyFlags: VerifyFlags) =>
      context.finish(await verify(filePath, { ...command.opts(), ...verifyFlags }, context.output)),
    );
  addHelpPage(verification, context.output, {
    exitStatus: [
      [exitCodes.good, 'the proof is valid'],
      [exitCodes.fail, 'the proof is not valid'],
      [exitCodes.usage, 'usage error, or an unreadable file'],
    ],
    examples: ['hermetic dnssec verify proof.json'],
  });
}

/**
 * Resolves one question with validation, prints the answer and returns the exit status.
 * The record type is a mnemonic or `TYPE65280` (RFC 3597 §5).
 */
async function ask(
  { name: zoneName, type }: { readonly name: string; readonly type: string },
  dnssecFlags: DnssecFlags,
  { output, signal }: CommandContext,
): Promise<number> {
  const parsed = Name.parse(zoneName);
  if (!parsed.ok)
    throw new HermeticError(parsed.failure.code, `${zoneName}: not a domain name`, {
      fix: 'Write a name such as _25._tcp.mx.example.com.',
    });
  const number = typeNumber(type);
  if (number === undefined)
    throw misuse(type, 'not a record type', 'Write a type such as MX, TLSA or TYPE65.');
  const { json, proof: filePath } = dnssecFlags;
  if (json && filePath === STANDARD_STREAM)
    throw misuse('--json and --proof', 'both write to standard output', 'Give --proof a file.');
  if (filePath !== undefined) assertWritable(filePath, '--proof');
  const { roots: _roots, ...settings } = readResolverFlags(dnssecFlags);
  // Labels such as `_25._tcp` are not part of the name of a scenario.
  const lab = dnssecFlags.lab ? await openLab([zoneName.replace(/^(_[^.]+\.)+/, '')]) : undefined;
  try {
    const resolver = createResolver({
      network: nodeNetwork(),
      upstreams: systemUpstreams(),
      anchors: rootAnchors,
      ...settings,
      ...(lab && { network: lab.network, upstreams: lab.upstreams, anchors: lab.anchors }),
    });
    const dnsAnswer = await resolver.ask(parsed.value, number, { signal });
    if (filePath !== undefined) {
      if (!dnsAnswer.proof)
        throw new HermeticError('dnssec-no-proof', `${zoneName}: the answer has no proof`, {
          fix: 'Only a secure answer has a proof.',
        });
      // Every run of the lab generates its own keys, so its proofs contain the trust
      // anchors.
      const labAnchors = lab?.anchors.flatMap(formatAnchor);
      // The proof computes its members on demand, so a spread copy would be empty.
      const proof = JSON.parse(JSON.stringify(dnsAnswer.proof)) as Proof;
      const outputText = `${JSON.stringify({ ...proof, labAnchors }, null, 2)}\n`;
      if (filePath === STANDARD_STREAM) output.out(outputText);
      else writeFile(filePath, outputText, '--proof');
    }
    if (json) output.out(`${formatJson(asJson(dnsAnswer), 2)}\n`);
    else if (filePath !== STANDARD_STREAM) output.out(formatAnswer(dnsAnswer, output.width));
    return exitCodeOf(dnsAnswer);
  } finally {
    await lab?.close();
  }
}

/** Returns a trust anchor as lines that `parseTrustAnchors` reads. */
function formatAnchor({ zone, ds, keys }: TrustAnchor): readonly string[] {
  const zoneName = zone.toString();
  return [
    ...ds.map(
      ({ keyTag, algorithm, digestType, digest }) =>
        `${zoneName} 0 IN DS ${keyTag} ${algorithm} ${digestType} ${toHex(digest)}`,
    ),
    ...keys.map(
      ({ flags, protocol, algorithm, publicKey }) =>
        `${zoneName} 0 IN DNSKEY ${flags} ${protocol} ${algorithm} ${toBase64(publicKey)}`,
    ),
  ];
}

/**
 * The file format `hermetic.proof/1`. A proof may come from an untrusted author, so every
 * length and count is bounded before any record is parsed.
 */
const proofSchema = z.object({
  schema: z.literal('hermetic.proof/1'),
  name: z.string().max(1024),
  type: z.number().int().min(0).max(65535),
  at: z.iso.datetime(),
  status: z.enum(['found', 'nodata', 'nxdomain']),
  dnssec: z.enum(['secure', 'insecure', 'bogus', 'indeterminate']),
  grounds: z
    .array(
      z.object({
        name: z.string().max(1024),
        type: z.number().int(),
        rcode: z.number().int(),
        answers: z.array(z.string()).max(10_000),
        authorities: z.array(z.string()).max(10_000),
      }),
    )
    .max(1000),
  /** Trust anchors of the lab that the answer comes from, as DS or DNSKEY lines. */
  labAnchors: z.array(z.string().max(4096)).max(10).optional(),
});

/**
 * Validates the records of a proof, compares the result with the recorded result, and
 * returns the exit status. A file whose records do not prove the recorded result is
 * invalid.
 */
async function verify(filePath: string, verifyFlags: VerifyFlags, output: Output): Promise<number> {
  const proof = readProof(filePath);
  const instant = verifyFlags.at === undefined ? Date.parse(proof.at) : Date.parse(verifyFlags.at);
  if (Number.isNaN(instant))
    throw misuse(
      '--at',
      `${verifyFlags.at ?? ''} is not a date`,
      'Write it as 2026-11-23T12:00:00Z.',
    );
  const dnsAnswer = await verifyProof(proof, anchorsFor(proof, verifyFlags), instant);
  const holds = dnsAnswer.status === proof.status && dnsAnswer.dnssec === proof.dnssec;
  const time = new Date(instant).toISOString();
  if (verifyFlags.json) output.out(`${formatJson({ ...asJson(dnsAnswer), at: time, holds }, 2)}\n`);
  else {
    output.out(formatAnswer(dnsAnswer, output.width));
    output.out(
      holds
        ? `The proof is valid at ${time}.\n`
        : `The proof is not valid at ${time}: its status is ${proof.status}, and DNSSEC is ${proof.dnssec}.\n`,
    );
    if (proof.labAnchors && verifyFlags.trustAnchor === undefined)
      output.out('It comes from the built-in lab and was verified with the anchor of that lab.\n');
  }
  if (holds) return exitCodes.good;
  return exitCodes.fail;
}

type SavedProof = z.output<typeof proofSchema>;

/**
 * Returns the trust anchors that the flags name. Without such a flag, returns the lab's
 * anchors for a proof from the lab, else the anchors of the DNS root.
 */
function anchorsFor({ labAnchors }: SavedProof, verifyFlags: VerifyFlags): readonly TrustAnchor[] {
  if (verifyFlags.trustAnchor !== undefined) return readAnchors(verifyFlags.trustAnchor);
  if (!labAnchors) return rootAnchors;
  return unwrap('labAnchors', parseTrustAnchors(labAnchors.join('\n')), 'Create a new proof.');
}

/**
 * Reads a proof and validates the names in it; the schema checks only that they are text.
 */
function readProof(filePath: string): SavedProof {
  const proof = readJson(filePath, {
    what: 'proof',
    code: 'proof-invalid',
    kinds: [{ id: 'hermetic.proof/1', schema: proofSchema }],
  });
  for (const zoneName of [proof.name, ...proof.grounds.map((ground) => ground.name)])
    if (!Name.parse(zoneName).ok)
      throw new HermeticError('proof-invalid', `${filePath}: ${zoneName} is not a name`, {
        fix: 'Use a proof written by hermetic dnssec --proof.',
      });
  return proof;
}

/** Returns the answer, its faults, and its chain of trust. */
function formatAnswer(dnsAnswer: DnsAnswer, lineWidth: number): string {
  const { question, status, dnssec, records, aliases, failure } = dnsAnswer;
  const outputLines = [
    `${question.name.toString()} ${typeName(question.type)}: ${status}, ${dnssec}`,
  ];
  for (const { from, to, dnssec: link } of aliases)
    outputLines.push(`    ${from.toString()} is an alias of ${to.toString()} (${link})`);
  for (const resourceRecord of records) outputLines.push(`    ${formatRdata(resourceRecord)}`);
  if (dnsAnswer.unsupported) outputLines.push(`    ${sayUnsupported(dnsAnswer.unsupported)}`);
  if (failure)
    outputLines.push(`    ${sayFailure(failure)}`, `    ${findFailure(failure.code)?.fix ?? ''}`);
  const outputText = outputLines.map((textLine) => `${neutralise(textLine)}\n`).join('');
  if (dnsAnswer.proof) return `${outputText}\n${renderProof(dnsAnswer.proof as Proof, lineWidth)}`;
  return outputText;
}

/** Returns the answer as JSON members, records in presentation form. */
function asJson({
  question,
  status,
  dnssec,
  records,
  aliases,
  ttl,
  unsupported,
  failure,
  proof,
}: DnsAnswer): object {
  return {
    name: question.name.toLower(),
    type: typeName(question.type),
    status,
    dnssec,
    ttl,
    records: records.map(formatRdata),
    aliases: aliases.map(({ from, to, dnssec: link }) => ({
      from: from.toLower(),
      to: to.toLower(),
      dnssec: link,
    })),
    unsupported,
    failure: failure && { code: failure.code, detail: failure.detail },
    proof,
  };
}

/**
 * Returns the exit status of a security state: insecure is proved, so it is a success.
 */
function exitCodeOf({ dnssec }: DnsAnswer): number {
  if (dnssec === 'bogus') return exitCodes.fail;
  if (dnssec === 'indeterminate') return exitCodes.inconclusive;
  return exitCodes.good;
}

import { Command } from 'commander';
import { z } from 'zod';
import { HermeticError, Name, neutralise } from '../../base/index.js';
import {
  createResolver,
  formatRdata,
  rootAnchors,
  systemUpstreams,
  typeName,
  typeNumber,
  verifyProof,
  type DnsAnswer,
  type Proof,
} from '../../dns/index.js';
import { nodeNetwork } from '../../net/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { readFile } from '../read-file.js';
import { renderProof } from '../render-proof.js';
import { failureEntry, sayFailure } from '../say-failure.js';
import { sayUnsupported } from '../say-unsupported.js';
import { writeFile } from '../write-file.js';
import { formatJson } from '../format-json.js';
import {
  misuse,
  readAnchors,
  readResolverFlags,
  withResolver,
  type ResolverFlags,
} from './resolver-options.js';

interface DnssecFlags extends ResolverFlags {
  readonly json?: boolean;
  readonly proof?: string;
}

/**
 * `hermetic dnssec`: one question, its answer, and everything the answer rests on.
 * `dnssec verify`: the same again, offline.
 */
export function dnssecCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  const command = withResolver(
    new Command('dnssec').description('validate one DNS answer and show what it rests on'),
  )
    .argument('<name>', 'domain name')
    .argument('<type>', 'record type, such as MX or TLSA')
    .option('--json', 'answer and proof as JSON')
    .option('--proof <file>', 'write the proof, for hermetic dnssec verify')
    .option('--lab', 'ask the built-in lab')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic dnssec _25._tcp.mx.example.com TLSA\n  hermetic dnssec verify proof.json',
    )
    .action(async (name: string, type: string, flags: DnssecFlags) =>
      finish(await ask(name, type, flags, output, signal)),
    );
  command
    .command('verify')
    .description('validate a stored proof again, without the network')
    .argument('<file>', 'written by hermetic dnssec --proof')
    .option('--trust-anchor <file>', 'DNSSEC trust anchors: DS or DNSKEY lines')
    .option(
      '--at <date>',
      'judge signatures at this date instead of the one in the proof, such as 2026-11-23T12:00:00Z',
    )
    .addHelpText('after', '\nExample:\n  hermetic dnssec verify proof.json')
    .action(async (file: string, flags: { at?: string; trustAnchor?: string }) => {
      // Commander hands an option that parent and child share to the parent.
      const anchorFile = flags.trustAnchor ?? command.opts<ResolverFlags>().trustAnchor;
      finish(
        await verify(
          file,
          { ...flags, ...(anchorFile === undefined ? {} : { trustAnchor: anchorFile }) },
          output,
        ),
      );
    });
  return command;
}

async function ask(
  name: string,
  type: string,
  flags: DnssecFlags,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const parsed = Name.parse(name);
  if (!parsed.ok)
    throw new HermeticError(parsed.failure.code, `${name}: not a domain name`, {
      fix: 'Write a name such as _25._tcp.mx.example.com.',
    });
  const number = typeNumber(type);
  if (number === undefined)
    throw misuse(type, 'not a record type', 'Write a type such as MX, TLSA or TYPE65.');
  const lab = flags.lab ? await (await import('../../lab/index.js')).createLab() : undefined;
  try {
    const resolver = createResolver({
      network: nodeNetwork(),
      upstreams: systemUpstreams(),
      anchors: rootAnchors,
      ...readResolverFlags(flags),
      ...(lab ? { network: lab.network, upstreams: lab.upstreams, anchors: lab.anchors } : {}),
    });
    const answer = await resolver.ask(parsed.value, number, { signal });
    if (flags.proof !== undefined) {
      if (!answer.proof)
        throw new HermeticError('dnssec-no-proof', `${name}: there is nothing to prove`, {
          fix: 'A proof exists of secure answers only.',
        });
      writeFile(flags.proof, `${JSON.stringify(answer.proof, null, 2)}\n`, '--proof');
    }
    output.out(flags.json ? `${formatJson(asJson(answer), 2)}\n` : shown(answer, output.width));
    return statusOf(answer);
  } finally {
    await lab?.close();
  }
}

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
});

async function verify(
  file: string,
  flags: { readonly at?: string; readonly trustAnchor?: string },
  output: Output,
): Promise<number> {
  const proof = readProof(file);
  const at = flags.at === undefined ? Date.parse(proof.at) : Date.parse(flags.at);
  if (Number.isNaN(at))
    throw misuse('--at', `${flags.at ?? ''} is not a date`, 'Write it as 2026-11-23T12:00:00Z.');
  const answer = await verifyProof(
    proof,
    flags.trustAnchor === undefined ? rootAnchors : readAnchors(flags.trustAnchor),
    at,
  );
  const holds = answer.status === proof.status && answer.dnssec === proof.dnssec;
  output.out(shown(answer, output.width));
  output.out(
    holds
      ? `The proof holds at ${new Date(at).toISOString()}.\n`
      : `The proof does not hold at ${new Date(at).toISOString()}: it says ${proof.status} and ${proof.dnssec}.\n`,
  );
  return holds ? exitCodes.good : exitCodes.fail;
}

function readProof(file: string): Proof {
  const bad = (why: string): HermeticError =>
    new HermeticError('proof-invalid', `${file}: ${why}`, {
      fix: 'Give a file written by hermetic dnssec --proof.',
    });
  let value: unknown;
  try {
    value = JSON.parse(readFile(file, 'proof'));
  } catch (error) {
    if (error instanceof HermeticError) throw error;
    throw bad('not JSON');
  }
  const parsed = proofSchema.safeParse(value);
  if (!parsed.success)
    throw bad(
      `${parsed.error.issues[0]?.path.join('.') ?? ''} ${parsed.error.issues[0]?.message ?? ''}`.trim(),
    );
  for (const name of [parsed.data.name, ...parsed.data.grounds.map((g) => g.name)])
    if (!Name.parse(name).ok) throw bad(`${name} is not a name`);
  return parsed.data;
}

function shown(answer: DnsAnswer, width: number): string {
  const { question, status, dnssec, records, aliases, failure } = answer;
  const lines = [`${question.name.toString()} ${typeName(question.type)}: ${status}, ${dnssec}`];
  for (const { from, to, dnssec: link } of aliases)
    lines.push(`    ${from.toString()} is an alias of ${to.toString()} (${link})`);
  for (const rr of records) lines.push(`    ${formatRdata(rr)}`);
  if (answer.unsupported) lines.push(`    ${sayUnsupported(answer.unsupported)}`);
  if (failure)
    lines.push(`    ${sayFailure(failure)}`, `    ${failureEntry(failure.code)?.fix ?? ''}`);
  const text = lines.map((line) => `${neutralise(line)}\n`).join('');
  return answer.proof ? `${text}\n${renderProof(answer.proof as Proof, width)}` : text;
}

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
}: DnsAnswer): unknown {
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
    ...(failure ? { failure: { code: failure.code, detail: failure.detail } } : {}),
    ...(proof ? { proof } : {}),
  };
}

/**
 * Proved, be it that the zone is signed or that it is not: 0. Bogus: 1. Could not tell:
 * 3.
 */
function statusOf({ dnssec }: DnsAnswer): number {
  if (dnssec === 'bogus') return exitCodes.fail;
  return dnssec === 'indeterminate' ? exitCodes.inconclusive : exitCodes.good;
}

/**
 * Prints what one version of Node makes of the same input, as JSON: `judge FILE` for saved
 * chains and evidence, `collect` for a lab of its own.
 */
import { readFileSync } from 'node:fs';
import { grade, profiles, renderTerminal } from '../../../src/check/index.js';
import { checkDomains } from '../../../src/cli/check-domains.js';
import type { Evidence } from '../../../src/evidence/index.js';
import { createLab } from '../../../src/lab/index.js';
import { builtinTrustStore } from '../../../src/tls/index.js';
import {
  parseChain,
  readRoots,
  trustStore,
  verifyChain,
  type RootRow,
} from '../../../src/x509/index.js';
import { withoutChance } from './without-chance.js';

/** Input that every version gets in the same octets. */
export interface SameInput {
  readonly roots: readonly RootRow[];
  /** Certificates in base64, leaf first. */
  readonly chains: readonly { readonly name: string; readonly chain: readonly string[] }[];
  /** Milliseconds since 1970. */
  readonly validationTime: number;
  readonly evidence: readonly Evidence[];
}

/** The answers of one version. */
export interface Answers {
  readonly chains: Readonly<Record<string, string>>;
  /** The verdicts that the built-in list gives on the same chains. */
  readonly builtin: Readonly<Record<string, string>>;
  /** Results as JSON by domain and profile. */
  readonly results: Readonly<Record<string, string>>;
  readonly pages: Readonly<Record<string, string>>;
}

function judge({ roots, chains, validationTime, evidence }: SameInput): Answers {
  const { certificates, distrustAfter } = readRoots(roots);
  const toy = trustStore(certificates, [], { distrustAfter });
  const verdicts = (anchors: typeof toy): Record<string, string> =>
    Object.fromEntries(
      chains.map(({ name, chain }) => {
        const sent = parseChain(chain.map((der) => Buffer.from(der, 'base64')));
        const { chain: trust, validity, problems } = verifyChain({ sent, anchors, validationTime });
        return [name, [trust, validity, ...problems].join(' ')];
      }),
    );
  const results = evidence.flatMap((one) =>
    profiles.map((profile) => ({
      name: `${one.domain} by ${profile.name}`,
      result: grade(one, profile),
    })),
  );
  return {
    chains: verdicts(toy),
    builtin: verdicts(builtinTrustStore()),
    results: Object.fromEntries(results.map(({ name, result }) => [name, JSON.stringify(result)])),
    pages: Object.fromEntries(
      results.map(({ name, result }) => [name, renderTerminal(result, { width: 80 })]),
    ),
  };
}

/** Collects and grades every domain of a lab, without what differs between two labs. */
async function collectAll(): Promise<Record<string, string>> {
  const lab = await createLab();
  try {
    const found = await Promise.all(
      checkDomains(
        lab,
        lab.scenarios.map(({ domain }) => domain),
      ),
    );
    return Object.fromEntries(
      found.map((one) => [
        one.domain,
        JSON.stringify(withoutChance({ evidence: one, result: grade(one) })),
      ]),
    );
  } finally {
    await lab.close();
  }
}

const [mode, file] = process.argv.slice(2);
if (mode === 'judge' && file !== undefined)
  process.stdout.write(JSON.stringify(judge(JSON.parse(readFileSync(file, 'utf8')) as SameInput)));
if (mode === 'collect') process.stdout.write(JSON.stringify(await collectAll()));

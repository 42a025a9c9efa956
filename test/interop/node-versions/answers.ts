/**
 * Prints the results of one version of Node as JSON: `judge FILE` for saved chains and
 * evidence, `collect` for a lab of its own, `send` for one message, `send-to PORT` for one
 * message to a server of this machine.
 */
import { readFileSync } from 'node:fs';
import { grade, profiles, renderTerminal } from '../../../src/check/index.js';
import { checkDomains } from '../../../src/cli/check-domains.js';
import type { CheckResult, Evidence } from '../../../src/evidence/index.js';
import { createLab } from '../../../src/lab/index.js';
import type { Delivery } from '../../../src/send/index.js';
import { builtinTrustStore } from '../../../src/tls/index.js';
import {
  parseChain,
  readRoots,
  trustStore,
  verifyChain,
  type RootRow,
} from '../../../src/x509/index.js';
import { unjudged } from '../../../tools/attacks/unjudged.js';
import { mailTo, smallLab } from '../../conformance/testing-senders.js';
import { withoutChance } from './without-chance.js';

/** Input that is identical for every version of Node. */
export interface SameInput {
  readonly roots: readonly RootRow[];
  /** Certificates in base64, leaf first. */
  readonly chains: readonly { readonly name: string; readonly chain: readonly string[] }[];
  /** Milliseconds since 1970. */
  readonly validationTime: number;
  readonly evidence: readonly Evidence[];
}

/** The session in which a message was sent. */
export interface SentSession {
  readonly status: string;
  readonly group: string | undefined;
  readonly postQuantum: boolean | undefined;
  /** Number of connections of the delivery. */
  readonly attempts: number;
}

/** The results of one version of Node. */
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

/** Findings that depend on the TLS library of the servers, which is that of this Node. */
const ofLibrary: ReadonlySet<string> = new Set(['tls-pq-good', 'tls-pq-draft-good']);

/**
 * Collects and grades every domain of a lab: verdicts, trust, exposure and findings. The
 * servers run on the same Node, so the results omit the groups of its TLS library, the
 * sample of suites, and the number of connections: a hybrid group in an answer saves one
 * connection.
 */
async function collectAll(): Promise<Record<string, string>> {
  const lab = await createLab();
  try {
    const domains = lab.scenarios.map(({ domain }) => domain);
    const found = await Promise.all(checkDomains(lab, domains));
    return Object.fromEntries(
      found.map((one) => [one.domain, JSON.stringify(withoutChance(ofServers(grade(one))))]),
    );
  } finally {
    await lab.close();
  }
}

function ofServers({ hosts, findings, ...result }: CheckResult): unknown {
  const { verdict, exposure, route, mtaSts, tlsRpt, signatures, undecided } = result;
  return {
    facts: { verdict, exposure, route, mtaSts, tlsRpt, signatures, undecided },
    findings: findings.filter(({ id }) => !ofLibrary.has(id)),
    hosts: hosts.map(({ addresses, ...host }) => ({
      ...host,
      addresses: addresses.map(({ tls: { versions }, ...address }) => ({
        ...address,
        versions,
        decryptedLater: undefined,
        connections: undefined,
      })),
    })),
  };
}

/** Returns a delivery through a middlebox that loses large hellos. */
async function sendThroughMiddlebox(): Promise<SentSession> {
  const domain = 'one.example';
  const { lab, sender } = await smallLab([
    { ...unjudged(domain), sts: { mode: 'enforce' }, attack: { largeHellos: 'drop' } },
  ]);
  try {
    return sessionOf(await mailTo(sender, domain));
  } finally {
    await lab.close();
  }
}

/**
 * Returns a delivery without a policy to a server that listens on a port of 127.0.0.1.
 */
async function sendTo(port: number): Promise<SentSession> {
  const domain = 'one.example';
  const { lab, sender } = await smallLab([unjudged(domain)]);
  try {
    for (const { ip } of lab.hostsOf(domain)) lab.attach(ip, 25, { address: '127.0.0.1', port });
    return sessionOf(await mailTo(sender, domain));
  } finally {
    await lab.close();
  }
}

function sessionOf({ recipients, outcomes }: Delivery): SentSession {
  const attempts = outcomes.flatMap((outcome) => outcome.attempts);
  const session = attempts.at(-1)?.session;
  return {
    status: recipients.map(({ status }) => status).join(),
    group: session?.group,
    postQuantum: session?.postQuantum,
    attempts: attempts.length,
  };
}

const [mode, file] = process.argv.slice(2);
if (mode === 'judge' && file !== undefined)
  process.stdout.write(JSON.stringify(judge(JSON.parse(readFileSync(file, 'utf8')) as SameInput)));
if (mode === 'collect') process.stdout.write(JSON.stringify(await collectAll()));
if (mode === 'send') process.stdout.write(JSON.stringify(await sendThroughMiddlebox()));
if (mode === 'send-to') process.stdout.write(JSON.stringify(await sendTo(Number(file))));

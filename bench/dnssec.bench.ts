import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Name } from '../src/base/index.js';
import {
  createResolver,
  decodeMessage,
  encodeMessage,
  parseTrustAnchors,
  readDnskey,
  readRrsig,
  RRType,
  standardAlgorithms,
  validate,
  type CachedZone,
  type SigningAlgorithm,
  type TrustAnchor,
} from '../src/dns/index.js';
import { LabDns } from '../src/lab/index.js';
import { nodeNetwork } from '../src/net/index.js';
import { Bind } from '../test/interop/bind.js';
import { freePort } from '../test/support/free-port.js';
import { Unbound } from '../test/interop/unbound.js';

const NAMES = 3_000;
const NAMES_UDP = 12_000;
const ROUNDS = 3;
/** The wanted share of unbound's answers per CPU-second. */
const LEAST_OF_UNBOUND = 0.9;
const tlsa = (i: number): string => `TLSA 3 1 1 ${i.toString(16).padStart(64, '0')}`;

/**
 * Limits: the cost of a warm validation with its proof, relative to only the signature
 * checks over the same octets.
 */
const limits: readonly (readonly [SigningAlgorithm, string, number])[] = [
  [13, 'P-256', 0.75],
  [15, 'Ed25519', 0.7],
  [8, 'RSA-2048', 0.55],
];

export async function bench(args: readonly string[]): Promise<void> {
  if (!args.includes('--udp')) {
    console.log(
      'Warm validation of a TLSA answer, from its octets to the verdict with proof, beside bare crypto.verify over the same data:',
    );
    for (const [algorithm, label, least] of limits) await warm(algorithm, label, least);
  }
  if (!args.includes('--warm')) await endToEnd();
}

/**
 * Runs both programs alternately, so that a slow period of the machine affects both. The
 * fastest round of each program counts.
 */
async function warm(algorithm: SigningAlgorithm, label: string, least: number): Promise<void> {
  const now = Date.now();
  const records = Array.from({ length: NAMES }, (_, i) => `_25._tcp.mx${i} ${tlsa(i)}`).join('\n');
  const dns = new LabDns(
    [
      { apex: '.', signed: { algorithm: 13 } },
      { apex: 'bench.example', records, signed: { algorithm } },
    ],
    now,
  );
  const names = Array.from({ length: NAMES }, (_, i) => Name.of(`_25._tcp.mx${i}.bench.example`));
  const messages = names.map((name) => {
    const message = dns.answer(name, RRType.TLSA);
    if (!message) throw new Error('no answer');
    return encodeMessage({
      ...message,
      edns: { version: 0, udpSize: 1232, dnssecOk: true, options: [] },
    });
  });
  const cache = new Map<string, CachedZone>();
  const { anchors } = dns;
  const ask = (i: number): ReturnType<typeof validate> =>
    validate({
      name: names[i] ?? Name.root,
      type: RRType.TLSA,
      anchors,
      now,
      cache,
      fetch: (name, type) => {
        const honest = type === RRType.TLSA ? undefined : dns.answer(name, type);
        if (honest) return Promise.resolve({ ok: true, message: honest });
        const decoded = decodeMessage(messages[i] ?? new Uint8Array());
        return Promise.resolve(decoded.ok ? { ok: true, message: decoded.value } : decoded);
      },
    });
  await ask(0);
  const checks = bareChecks(dns, names, algorithm);
  let [ours, bare] = [Infinity, Infinity];
  for (let round = 0; round < 12; round++) {
    const bareStarted = performance.now();
    for (const check of checks) if (!check()) throw new Error('a bare check failed');
    const between = performance.now();
    for (let i = 0; i < NAMES; i++)
      if ((await ask(i)).dnssec !== 'secure') throw new Error('not secure');
    const ended = performance.now();
    [ours, bare] = [Math.min(ours, ended - between), Math.min(bare, between - bareStarted)];
  }
  const ratio = bare / ours;
  console.log(
    `  ${label.padEnd(9)} ${ratio.toFixed(2)} of bare checks (at least ${least}): ${micro(ours)} µs an answer, ${micro(bare)} µs a check${verdict(ratio, least)}`,
  );
}

const micro = (ms: number): string => ((ms * 1000) / NAMES).toFixed(0);
const verdict = (ratio: number, least: number): string => {
  if (ratio < least) process.exitCode = 1;
  return ratio < least ? '  NOT REACHED' : '';
};

function bareChecks(
  dns: LabDns,
  names: readonly Name[],
  algorithm: SigningAlgorithm,
): (() => boolean)[] {
  const published = dns
    .answer(Name.of('bench.example'), RRType.DNSKEY)
    ?.answers.find((rr) => rr.type === RRType.DNSKEY);
  const dnskey = published && readDnskey(published);
  const registered = standardAlgorithms.signatures.get(algorithm);
  const imported = dnskey?.ok && registered?.importKey(dnskey.value.publicKey);
  if (!imported) throw new Error('no key');
  const key: KeyObject = createPublicKey(imported.export({ format: 'pem', type: 'spki' }));
  const hash = algorithm === 15 ? null : 'sha256';
  return names.map((name) => {
    const answers = dns.answer(name, RRType.TLSA)?.answers ?? [];
    const data = answers.find((rr) => rr.type === RRType.TLSA);
    const signature = answers.find((rr) => rr.type === RRType.RRSIG);
    const rrsig = signature && readRrsig(signature);
    if (!data || !signature || !rrsig?.ok) throw new Error('not signed');
    const owner = name.wire;
    const head = signature.rdata.subarray(0, signature.rdata.length - rrsig.value.signature.length);
    const fixed = Buffer.alloc(10);
    fixed.writeUInt16BE(RRType.TLSA, 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt32BE(rrsig.value.originalTtl, 4);
    fixed.writeUInt16BE(data.rdata.length, 8);
    const signed = Buffer.concat([head, owner, fixed, data.rdata]);
    const wanted = algorithm === 13 ? { key, dsaEncoding: 'ieee-p1363' as const } : key;
    return () => verify(hash, signed, wanted, rrsig.value.signature);
  });
}

/**
 * Compares this resolver and unbound in front of the same named. Each question is new and
 * is sent from a separate port.
 */
async function endToEnd(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-'));
  const [auth, port] = [await freePort(), await freePort()];
  const bind = new Bind(folder, auth);
  const unbound = new Unbound(folder, port);
  try {
    const records = Array.from({ length: NAMES_UDP }, (_, i) => `_25._tcp.mx${i} ${tlsa(i)}`).join(
      '\n',
    );
    await bind.start([
      { name: 'bench.example', records },
      { name: 'example', records: 'ns A 127.0.0.1\nbench NS ns.example.' },
      { name: '.', records: 'example NS ns.example.\nns.example A 127.0.0.1' },
    ]);
    await unbound.forward(auth, bind.anchorFile);
    const names = Array.from({ length: NAMES_UDP }, (_, i) =>
      Name.of(`_25._tcp.mx${i}.bench.example`),
    );
    const anchors = parseTrustAnchors(readFileSync(bind.anchorFile, 'utf8'));
    if (!anchors.ok) throw new Error('no anchors');
    const upstream = { port: auth, anchors: anchors.value };
    const rates = { udp: 0, tcp: 0, unbound: 0 };
    // Runs all three alternately and uses the best round of each: a slow period affects
    // all.
    for (let round = 0; round < ROUNDS; round++) {
      rates.tcp = Math.max(rates.tcp, await ownRate(names, upstream, 'tcp'));
      rates.udp = Math.max(rates.udp, await ownRate(names, upstream));
      // A new process has none of the names in its cache.
      if (round > 0) await unbound.stop();
      if (round > 0) await unbound.forward(auth, bind.anchorFile);
      rates.unbound = Math.max(rates.unbound, await unboundRate(names, port, unbound.pid));
    }
    console.log('Validated TLSA answers per CPU-second, both forwarding to the same named:');
    const bare = await bareRate(names, auth);
    console.log(
      `  a bare datagram there and back from a port of its own, in Node ${process.versions.node}: ${bare.toFixed(0)}`,
    );
    const overUdp = rates.udp / rates.unbound;
    console.log(
      `  unbound ${rates.unbound.toFixed(0)}, ours over UDP ${rates.udp.toFixed(0)}: ratio ${overUdp.toFixed(2)}`,
    );
    const overTcp = rates.tcp / rates.unbound;
    console.log(
      `  ours over one TCP connection ${rates.tcp.toFixed(0)}: ratio ${overTcp.toFixed(2)} (at least ${LEAST_OF_UNBOUND})${verdict(overTcp, LEAST_OF_UNBOUND)}`,
    );
  } finally {
    await unbound.stop();
    await bind.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ownRate(
  names: readonly Name[],
  { port, anchors }: { readonly port: number; readonly anchors: readonly TrustAnchor[] },
  transport?: 'tcp',
): Promise<number> {
  const make = (): ReturnType<typeof createResolver> =>
    createResolver({
      network: nodeNetwork(),
      upstreams: [{ address: '127.0.0.1', port, label: 'named', transport }],
      anchors,
    });
  const run = async (): Promise<number> => {
    const resolver = make();
    const before = process.cpuUsage();
    await eachInFlight(names, async (name) => {
      const answer = await resolver.ask(name, RRType.TLSA);
      if (answer.dnssec !== 'secure')
        throw new Error(`${name.toString()} is ${answer.dnssec}: ${answer.failure?.code}`);
    });
    const used = process.cpuUsage(before);
    return names.length / ((used.user + used.system) / 1e6);
  };
  return run();
}

/**
 * Returns the cost of only sending and receiving: the limit of every resolver in this
 * runtime that uses a new port for each question.
 */
async function bareRate(names: readonly Name[], upstream: number): Promise<number> {
  const network = nodeNetwork();
  const run = async (): Promise<number> => {
    const before = process.cpuUsage();
    await eachInFlight(names, async (name) => {
      const sent = await network.exchange({
        to: { address: '127.0.0.1', port: upstream },
        query: queryFor(name, 1),
        accept: () => true,
      });
      if (!sent.ok) throw new Error(sent.failure.detail);
    });
    const used = process.cpuUsage(before);
    return names.length / ((used.user + used.system) / 1e6);
  };
  await run();
  return run();
}

const queryFor = (name: Name, id: number): Uint8Array =>
  encodeMessage({
    id,
    opcode: 0,
    rcode: 0,
    response: false,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: true,
    checkingDisabled: false,
    questions: [{ name, type: RRType.TLSA, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
    edns: { version: 0, udpSize: 1232, dnssecOk: true, options: [] },
  });

async function unboundRate(names: readonly Name[], port: number, pid: number): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const waiting = new Map<number, (secure: boolean) => void>();
  socket.on('message', (bytes) =>
    waiting.get(bytes.readUInt16BE(0))?.(((bytes[3] ?? 0) & 0x20) !== 0),
  );
  const before = cpuSeconds(pid);
  let id = 0;
  let failed = 0;
  await eachInFlight(names, async (name) => {
    const mine = id++ & 0xffff;
    const query = queryFor(name, mine);
    const secure = await new Promise<boolean>((resolve) => {
      waiting.set(mine, resolve);
      socket.send(query, port, '127.0.0.1');
    });
    // On a busy machine, unbound fails to resolve some questions.
    if (!secure) failed++;
  });
  if (failed > names.length / 100) throw new Error(`unbound did not validate ${failed} names`);
  const used = cpuSeconds(pid) - before;
  socket.close();
  return (names.length - failed) / used;
}

async function eachInFlight(
  names: readonly Name[],
  work: (name: Name) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let name = names[next++]; name; name = names[next++]) await work(name);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

/**
 * Returns the user and system time of a process, from the nanoseconds that the scheduler
 * counted.
 */
function cpuSeconds(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from './median.js';
import { startLoad, askAll, requestFor } from './socketmap/load.js';
import { startPeer } from './socketmap/peer.js';
import { startServer, type Server } from './socketmap/servers.js';

const DOMAINS = 1000;
const MANY = 100_000;
const ROUNDS = 7;
const WINDOW = 1000;

interface Pattern {
  readonly says: string;
  readonly connections: number;
  readonly depth: number;
  /** Minimum share of the echo server's rate, and maximum CPU time of one lookup. */
  readonly rate: number;
  readonly cpu?: number;
}

/**
 * Postfix has one request in progress on a connection; the second pattern shows the limit
 * with many concurrent requests.
 */
const patterns: readonly Pattern[] = [
  {
    says: '10 connections, 1 request under way on each',
    connections: 10,
    depth: 1,
    rate: 0.8,
    cpu: 1.35,
  },
  { says: '1 connection, 10 requests under way', connections: 1, depth: 10, rate: 0.7 },
];

/**
 * Compares warm lookups of the Postfix socketmap with a bare echo server in Node and with
 * Debian's postfix-mta-sts-resolver.
 */
export async function bench(): Promise<void> {
  const echo = await startServer('bare echo', 'echo-server.js', String(DOMAINS));
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-'));
  const ours = await startServer('hermetic', 'our-server.js', join(folder, 'store.db'));
  const peer = await peerOrReason();
  const servers = [echo, ours, ...(typeof peer === 'string' ? [] : [peer])];
  try {
    const keys = Array.from({ length: DOMAINS }, (_, i) => `d${i}.example`);
    const absent = Array.from({ length: DOMAINS }, (_, i) => `no${i}.example`);
    for (const server of servers) await warm(server, keys, 'OK secure');
    for (const server of [echo, ours]) await warm(server, absent, 'NOTFOUND');
    for (const pattern of patterns) await compare(pattern, servers, keys);
    if (typeof peer === 'string') console.log(`postfix-mta-sts-resolver was not measured: ${peer}`);
    await negatives(ours, keys, absent);
    await memory(ours);
  } finally {
    servers.forEach((server) => server.stop());
    rmSync(folder, { recursive: true, force: true });
  }
}

async function peerOrReason(): Promise<Server | string> {
  if (!existsSync('/usr/bin/mta-sts-daemon'))
    return 'it is not installed (apt-get install postfix-mta-sts-resolver)';
  if (process.getuid?.() !== 0) return 'it needs root for a resolv.conf of its own';
  return startPeer(100);
}

async function warm(server: Server, keys: readonly string[], wanted: string): Promise<void> {
  const some = server.name === 'postfix-mta-sts-resolver' ? keys.slice(0, 100) : keys;
  const replies = await askAll(
    server.port,
    some.map((key) => requestFor(server.map, key)),
  );
  const wrong = replies.find((reply) => !reply.startsWith(wanted));
  if (wrong !== undefined) throw new Error(`${server.name} answers ${wrong}`);
}

interface Measured {
  readonly rate: number;
  /** Microseconds of CPU time for one lookup. */
  readonly cpu: number;
}

async function measure(
  server: Server,
  { connections, depth }: Pick<Pattern, 'connections' | 'depth'>,
  keys: readonly string[],
): Promise<Measured> {
  const some = server.name === 'postfix-mta-sts-resolver' ? keys.slice(0, 100) : keys;
  const load = await startLoad({
    port: server.port,
    connections,
    depth,
    requests: some.map((key) => requestFor(server.map, key)),
  });
  await sleep(200);
  const [before, answered, began] = [await server.usage(), load.answered, performance.now()];
  await sleep(WINDOW);
  const [after, done, span] = [
    await server.usage(),
    load.answered - answered,
    performance.now() - began,
  ];
  load.stop();
  return { rate: (done / span) * 1000, cpu: (after.cpu - before.cpu) / done };
}

/**
 * Measures the servers alternately, so that a slow period of the machine affects all of
 * them. The result is the median of the ratios of all rounds.
 */
async function compare(
  pattern: Pattern,
  servers: readonly Server[],
  keys: readonly string[],
): Promise<void> {
  const rounds: Measured[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const turn: Measured[] = [];
    for (const server of servers) turn.push(await measure(server, pattern, keys));
    rounds.push(turn);
  }
  console.log(`\n${pattern.says}:`);
  servers.forEach((server, i) => {
    const of = (pick: (m: Measured) => number): number =>
      median(rounds.map((turn) => pick(turn[i] as Measured)));
    console.log(
      `  ${server.name.padEnd(26)} ${of((m) => m.rate)
        .toFixed(0)
        .padStart(8)} lookups/s ${of((m) => m.cpu)
        .toFixed(1)
        .padStart(7)} us of processor time each`,
    );
  });
  const ratio = (i: number, pick: (m: Measured) => number): number =>
    median(rounds.map((turn) => pick(turn[i] as Measured) / pick(turn[0] as Measured)));
  judge(
    'rate beside the echo',
    ratio(1, (m) => m.rate),
    pattern.rate,
    'least',
  );
  if (pattern.cpu !== undefined)
    judge(
      'processor time beside the echo',
      ratio(1, (m) => m.cpu),
      pattern.cpu,
      'most',
    );
  if (servers.length > 2) {
    console.log(
      `  rate beside postfix-mta-sts-resolver: ${(ratio(1, (m) => m.rate) / ratio(2, (m) => m.rate)).toFixed(1)} times`,
    );
  }
}

async function negatives(
  ours: Server,
  keys: readonly string[],
  absent: readonly string[],
): Promise<void> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const pattern = { connections: 10, depth: 1 };
    const positive = await measure(ours, pattern, keys);
    const negative = await measure(ours, pattern, absent);
    ratios.push(negative.cpu / positive.cpu);
  }
  console.log('\ndomains without a policy:');
  judge('processor time beside domains with one', median(ratios), 1.05, 'most');
}

async function memory(ours: Server): Promise<void> {
  const bare = await startServer('bare echo', 'echo-server.js', '0');
  const keys = Array.from({ length: MANY }, (_, i) => `d${i}.example`);
  for (let at = 0; at < MANY; at += 1000) await warm(ours, keys.slice(at, at + 1000), 'OK secure');
  await sleep(2000);
  const above = ((await ours.usage()).rss - (await bare.usage()).rss) / 1_048_576;
  bare.stop();
  console.log(`\n${MANY} domains warm, with their policies:`);
  judge('MiB above a bare Node process', above, 150, 'most');
}

function judge(what: string, value: number, limit: number, which: 'least' | 'most'): void {
  const good = which === 'least' ? value >= limit : value <= limit;
  console.log(`  ${what}: ${value.toFixed(2)} (at ${which} ${limit}) ${good ? 'ok' : 'MISSED'}`);
  if (!good) process.exitCode = 1;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

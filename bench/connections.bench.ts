import { parseArgs } from 'node:util';
import { grade, profiles } from '../src/check/index.js';
import type { Evidence } from '../src/evidence/index.js';
import { boundOf } from '../test/interop/matrix/bound.js';
import { Matrix, type MatrixServer } from '../test/interop/matrix/matrix.js';
import { unexplained } from '../test/interop/matrix/peer-faults.js';
import { nmap } from '../test/interop/matrix/peers/nmap.js';
import { timed, type Cost, type Peer } from '../test/interop/matrix/peers/peer.js';
import { sslscan } from '../test/interop/matrix/peers/sslscan.js';
import { testssl } from '../test/interop/matrix/peers/testssl.js';
import { differences, surfaceOf, type Surface } from '../test/interop/matrix/surface.js';
import { keep } from '../tools/kept-evidence.js';
import { writeResults } from './results-file.js';

/**
 * Limits: connections at depths triage and verdict under every profile, and the distance
 * of an inventory from its bound.
 */
const LIMITS = { triage: 1, verdict: 14, overBound: 3 };
/**
 * testssl.sh needs about a minute for each server: without `--full` it examines only
 * these.
 */
const FEW = /^(postfix-hardened|haproxy-intermediate)$/;

interface Row {
  readonly server: string;
  readonly triage: number;
  readonly verdict: number;
  readonly inventory: number;
  readonly bound: number;
  /** The comparison begins with Hermetic. */
  readonly looks: readonly (Cost & { readonly name: string; readonly connections: number })[];
  readonly faults: readonly string[];
}

/**
 * Counts the connections of each program to one address: a proxy in front of each server
 * of the matrix counts them. `--full` runs testssl.sh against every server, `--keep` adds
 * the inventories to the evidence that every version must grade alike, and names select
 * servers.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { full: { type: 'boolean' }, keep: { type: 'boolean' } },
  });
  const matrix = await Matrix.start();
  const rows: Row[] = [];
  const kept: Evidence[] = [];
  try {
    for (const server of matrix.servers) {
      if (positionals.length > 0 && !positionals.some((name) => server.name.includes(name)))
        continue;
      const peers = [sslscan, nmap, ...(values.full || FEW.test(server.name) ? [testssl] : [])];
      rows.push(await measure(matrix, server, peers, (evidence) => kept.push(evidence)));
      console.log(countsOf(rows.at(-1) as Row));
    }
  } finally {
    await matrix.stop();
  }
  for (const { server, faults } of rows)
    for (const fault of faults) console.log(`${server}: ${fault}`);
  if (rows.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
  const text = report(rows);
  console.log(text);
  if (positionals.length > 0) return;
  if (values.keep) keep(`servers-${new Date().toISOString().slice(0, 10)}`, kept);
  writeResults(
    `connections: \`npm run bench -- connections${values.full ? ' --full' : ''}\``,
    text,
  );
}

async function measure(
  matrix: Matrix,
  server: MatrixServer,
  peers: readonly Peer[],
  onEvidence: (evidence: Evidence) => void,
): Promise<Row> {
  const count = (): number => server.proxy.take().connections;
  count();
  await matrix.collect(server, { depth: 'triage' });
  const triage = count();
  let verdict = 0;
  for (const profile of profiles) {
    await matrix.collect(server, { depth: 'verdict', profile });
    verdict = Math.max(verdict, count());
  }
  const evidence = await matrix.collect(server, { depth: 'inventory' });
  const inventory = count();
  onEvidence(evidence);
  const ours = surfaceOf(grade(evidence), evidence);
  const bound = boundOf(ours);
  const looks = [{ name: 'hermetic', ...(await ourselves(matrix, server)), connections: count() }];
  const faults: string[] = [];
  for (const peer of peers) {
    const { surface, ...cost } = await peer.look(server);
    looks.push({ name: peer.name, ...cost, connections: count() });
    faults.push(...unlike(server, peer, ours, surface));
  }
  if (triage !== LIMITS.triage) faults.push(`triage took ${triage} connections`);
  if (verdict > LIMITS.verdict)
    faults.push(`a verdict took ${verdict} connections, at most ${LIMITS.verdict}`);
  if (inventory > bound + LIMITS.overBound)
    faults.push(`the inventory took ${inventory} connections, bound ${bound}`);
  return { server: server.name, triage, verdict, inventory, bound, looks, faults };
}

/** Returns the command as a user runs it, including the start of the process. */
function ourselves(matrix: Matrix, { domain, ip }: MatrixServer): Promise<Cost> {
  const args = [
    'dist/src/cli/main.js',
    'check',
    domain,
    '--mx',
    domain,
    '--address',
    ip,
    '--depth',
    'inventory',
    '--json',
    ...matrix.flags,
  ];
  return timed(process.execPath, args);
}

function unlike({ name }: MatrixServer, peer: Peer, ours: Surface, theirs: Surface): string[] {
  return unexplained(name, peer.name, differences(ours, theirs)).map(
    (line) => `${peer.name}: ${line}`,
  );
}

function countsOf({ server, triage, verdict, inventory, bound, looks }: Row): string {
  return `${server}: ${triage}, ${verdict}, ${inventory} (bound ${bound}); ${looks.map((l) => `${l.name} ${l.connections}`).join(', ')}`;
}

function report(rows: readonly Row[]): string {
  const names = ['testssl.sh', 'sslscan', 'nmap'];
  const of = ({ looks }: Row, name: string): Row['looks'][number] | undefined =>
    looks.find((look) => look.name === name);
  const ratio = (row: Row, name: string, what: 'wall' | 'cpu'): string => {
    const [mine, theirs] = [of(row, 'hermetic'), of(row, name)];
    return mine && theirs ? (theirs[what] / mine[what]).toPrecision(2) : '';
  };
  const counts = rows.map((row) => [
    row.server,
    ...[row.triage, row.verdict, row.inventory, row.bound].map(String),
    ...names.map((name) => String(of(row, name)?.connections ?? '')),
  ]);
  const costs = rows.map((row) => [
    row.server,
    ...names.flatMap((name) => [ratio(row, name, 'wall'), ratio(row, name, 'cpu')]),
  ]);
  return `TCP connections to one address, counted by a proxy. Verdict: the most of ${profiles.length} profiles, at most ${LIMITS.verdict}. Inventory: at most the bound and ${LIMITS.overBound}. testssl.sh is asked
for no more than the same inventory.

${table(['Server', 'Triage', 'Verdict', 'Inventory', 'Bound', ...names], counts)}

Time of the other program's run as a multiple of \`hermetic check --depth inventory\`, start of the process included: from start to end, and of the
processor.

${table(['Server', ...names.flatMap((name) => [`${name} wall`, 'CPU'])], costs)}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

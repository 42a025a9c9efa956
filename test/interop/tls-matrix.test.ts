import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { grade, profiles } from '../../src/check/index.js';
import type { CheckResult, Evidence } from '../../src/evidence/index.js';
import { boundOf } from './matrix/bound.js';
import { Matrix, type MatrixServer } from './matrix/matrix.js';
import { peerFaults, unexplained } from './matrix/peer-faults.js';
import { nmap } from './matrix/peers/nmap.js';
import type { Peer } from './matrix/peers/peer.js';
import { sslscan } from './matrix/peers/sslscan.js';
import { testssl } from './matrix/peers/testssl.js';
import { differences, surfaceOf, type Surface } from './matrix/surface.js';

/**
 * testssl.sh needs about a minute for each server: without `--full` it examines only
 * these.
 */
const few = process.env['HERMETIC_FULL'] ? /./ : /^(postfix-hardened|haproxy-intermediate)$/;

interface Whole {
  readonly evidence: Evidence;
  readonly surface: Surface;
  readonly connections: number;
}

let matrix: Matrix;
const whole = new Map<string, Whole>();

before(async () => {
  matrix = await Matrix.start();
  for (const server of matrix.servers) {
    const evidence = await matrix.collect(server, { depth: 'inventory' });
    const { connections } = server.proxy.take();
    whole.set(server.name, {
      evidence,
      surface: surfaceOf(grade(evidence), evidence),
      connections,
    });
  }
});
after(() => matrix.stop());

const wholeOf = ({ name }: MatrixServer): Whole => {
  const known = whole.get(name);
  assert.ok(known, name);
  return known;
};
const idsOf = ({ findings }: CheckResult, ...severities: readonly string[]): string[] =>
  [...new Set(findings.filter((f) => severities.includes(f.severity)).map((f) => f.id))].sort();

test('one connection shows the facts of a sender: STARTTLS, certificate, DANE', async () => {
  for (const server of matrix.servers) {
    const result = grade(await matrix.collect(server, { depth: 'triage' }));
    assert.equal(server.proxy.take().connections, 1, server.name);
    // Debian's OpenSMTPD cannot complete a handshake, and the result reports this fault.
    const broken = server.name.startsWith('opensmtpd');
    // GnuTLS's own server speaks no SMTP inside TLS.
    const mute = server.name.startsWith('gnutls');
    const faults = [
      ...(broken ? ['tls-handshake-failed'] : []),
      ...(mute ? ['tls-session-refused'] : []),
    ];
    assert.deepEqual(
      [result.verdict, idsOf(result, 'fail', 'warn')],
      [faults.length > 0 ? 'fail' : 'pass', faults],
      server.name,
    );
  }
});

test('an inventory needs at most three connections above the minimum', () => {
  for (const server of matrix.servers) {
    const { connections, surface } = wholeOf(server);
    const bound = boundOf(surface);
    assert.ok(
      connections <= bound + 3,
      `${server.name}: ${connections} connections, bound ${bound}`,
    );
  }
});

for (const profile of profiles)
  test(`${profile.name}: 14 connections give the verdict of the whole inventory`, async () => {
    for (const server of matrix.servers) {
      const brief = grade(await matrix.collect(server, { depth: 'verdict', profile }), profile);
      const { connections } = server.proxy.take();
      const full = grade(wholeOf(server).evidence, profile);
      assert.ok(connections <= 14, `${server.name}: ${connections} connections`);
      assert.deepEqual(
        [brief.verdict, idsOf(brief, 'fail')],
        [full.verdict, idsOf(full, 'fail')],
        server.name,
      );
    }
  });

/**
 * Returns the differences between a peer and Hermetic, without the known faults of the
 * peer.
 */
async function otherwise(
  peer: Peer,
  servers: readonly MatrixServer[],
): Promise<{ lines: string[]; met: Set<string> }> {
  const lines: string[] = [];
  const met = new Set<string>();
  for (const server of servers) {
    const found = differences(wholeOf(server).surface, (await peer.look(server)).surface);
    server.proxy.take();
    lines.push(
      ...unexplained(server.name, peer.name, found).map((line) => `${server.name}: ${line}`),
    );
    for (const { why, peer: of, line, server: at } of peerFaults)
      if (of.test(peer.name) && at.test(server.name) && found.some((text) => line.test(text)))
        met.add(why);
  }
  return { lines, met };
}

for (const peer of [sslscan, nmap])
  test(`${peer.name} sees the same facts of every server, except for its known faults`, async () => {
    const { lines, met } = await otherwise(peer, matrix.servers);
    assert.deepEqual(lines, []);
    const known = peerFaults
      .filter((fault) => fault.peer.test(peer.name))
      .map((fault) => fault.why);
    assert.deepEqual(
      [...met].sort(),
      known.sort(),
      'a fault that is no longer met does not explain anything',
    );
  });

test(
  'testssl.sh sees the same facts, except for its known faults',
  { timeout: 2_400_000 },
  async () => {
    const { lines } = await otherwise(
      testssl,
      matrix.servers.filter((server) => few.test(server.name)),
    );
    assert.deepEqual(lines, []);
  },
);

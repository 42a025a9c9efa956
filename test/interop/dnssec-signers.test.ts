import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { Name } from '../../src/base/index.js';
import {
  createResolver,
  parseTrustAnchors,
  parseUpstream,
  typeNumber,
  verifyProof,
  type DnsAnswer,
  type Proof,
} from '../../src/dns/index.js';
import { nodeNetwork } from '../../src/net/index.js';
import { knot, nsd, type ZoneToSign } from './authoritative.js';
import { freePort } from '../support/free-port.js';
import { runProgram } from './process.js';
import { Unbound } from './unbound.js';

const tlsa = '3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3';
const hosts = `mx A 192.0.2.1
_25._tcp.mx TLSA ${tlsa}
_25._tcp.other CNAME _25._tcp.mx
*.wild TXT "w"
a.deep.ent A 192.0.2.2
old DNAME mx
under.mx A 192.0.2.3
`;
const leaves = [
  ['rsa', 'RSASHA256', 'nsec'],
  ['p256', 'ECDSAP256SHA256', 'nsec3'],
  ['p384', 'ECDSAP384SHA384', 'nsec3-optout'],
  ['ed', 'ED25519', 'nsec'],
] as const;
const zones: readonly ZoneToSign[] = [
  ...leaves.map(([label, algorithm, denial]) => ({
    name: `${label}.example`,
    records: `${hosts}plain NS ns.example.\n`,
    signed: { algorithm, denial },
  })),
  { name: 'plain.example', records: hosts },
  {
    name: 'example',
    records: `ns A 127.0.0.1\n${[...leaves.map(([label]) => label), 'plain'].map((label) => `${label} NS ns`).join('\n')}\n`,
    signed: { algorithm: 'ED25519', denial: 'nsec3-optout' },
  },
  {
    name: '.',
    records: 'example NS ns.example.\nns.example. A 127.0.0.1\n',
    signed: { algorithm: 'ECDSAP256SHA256', denial: 'nsec' },
  },
];
const labels = [
  'mx A',
  'mx AAAA',
  '_25._tcp.mx TLSA',
  '_25._tcp.other TLSA',
  '_25._tcp.none TLSA',
  'x.wild TXT',
  'x.wild A',
  'x.y.wild TXT',
  'deep.ent A',
  'none.ent A',
  'under.old A',
  'plain DS',
];

for (const server of [nsd, knot]) {
  test(
    `${server.name}: every answer and denial is judged as unbound judges it`,
    { timeout: 120_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'hermetic-signers-'));
      const [port, resolverPort] = [await freePort(), await freePort()];
      const serving = await server.start(folder, port, zones);
      const unbound = new Unbound(folder, resolverPort);
      try {
        await unbound.start(
          port,
          zones.map((z) => z.name),
          serving.anchorFile,
        );
        const anchors = parseTrustAnchors(readFileSync(serving.anchorFile, 'utf8'));
        const upstream = parseUpstream(`127.0.0.1:${resolverPort}`);
        assert.ok(anchors.ok && upstream.ok);
        const resolver = createResolver({
          network: nodeNetwork(),
          upstreams: [upstream.value],
          anchors: anchors.value,
        });
        let secure = 0;
        for (const { name } of zones.slice(0, 5)) {
          for (const label of labels) {
            const [owner = '', type = ''] = label.split(' ');
            const question = `${owner}.${name} ${type}`;
            const ours = await resolver.ask(Name.of(`${owner}.${name}`), typeNumber(type) ?? 0);
            const { out } = await runProgram('dig', [
              '+dnssec',
              '@127.0.0.1',
              '-p',
              String(resolverPort),
              `${owner}.${name}`,
              type,
            ]);
            assert.deepEqual(
              [question, ours.dnssec, statusOf(ours)],
              [question, / ad[; ]/.test(out) ? 'secure' : 'insecure', told(out)],
            );
            if (ours.dnssec !== 'secure') continue;
            secure++;
            assert.equal(
              (await verifyProof(ours.proof as Proof, anchors.value)).dnssec,
              'secure',
              question,
            );
          }
        }
        // The unsigned zone is insecure and, under opt-out, some denials are too.
        assert.ok(secure >= 40, `${secure} secure answers`);
      } finally {
        await unbound.stop();
        await serving.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
}

function statusOf({ status }: DnsAnswer): string {
  return status === 'nxdomain' ? 'NXDOMAIN' : 'NOERROR';
}

function told(out: string): string {
  return /status: (\w+)/.exec(out)?.[1] ?? 'nothing';
}

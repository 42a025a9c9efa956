/** Findings on one host or address name the alternative that senders have. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { AddressEvidence, Evidence, Finding } from '../../evidence/index.js';
import { createCa, issue } from '../../pki/index.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { grade } from './grade.js';

const at = Date.parse('2026-06-01T12:00:00Z');
const [a, b] = ['a.planted.example', 'b.planted.example'];
const dates = { notBefore: at - 864e5, notAfter: at + 80 * 864e5 };
const { chain } = issue(createCa({ name: 'Root' }), { names: [a, b], ...dates });

const sent = (pkix: 'trusted' | 'self-signed', ip = '192.0.2.25'): AddressEvidence =>
  plantedAddress({ handshake: plantedHandshake(chain, { chain: pkix }) }, { ip });
const silent = (ip: string, reason: string): AddressEvidence => ({
  ip,
  status: reason === 'too-many' ? 'skipped' : 'unreachable',
  reason,
  connections: [],
});

type Hosts = readonly (readonly [
  name: string,
  preference: number,
  ...addresses: readonly AddressEvidence[],
])[];

function judged(hosts: Hosts, changes: Partial<Evidence> = {}) {
  return grade(
    plantedEvidence({
      hosts: hosts.map(([name, preference, ...addresses]) =>
        plantedHost({ name, preference, addresses }),
      ),
      mtaSts: plantedPolicy('enforce', [a, b]),
      ...changes,
    }),
  );
}

const why = (hosts: Hosts, id: string): string =>
  judged(hosts).findings.find((finding: Finding) => finding.id === id)?.why ?? '';

// RFC 5321 §5.1, RFC 8461 §5.
test('a certificate fault names the host or address that senders use instead', () => {
  const bad = sent('self-signed');
  const good = sent('trusted');
  const id = 'cert-self-signed';
  const text = (...hosts: Hosts): string => why(hosts, id);
  assert.match(text([a, 10, bad]), /apply the MTA-STS policy defer the mail; other senders/);
  assert.match(text([a, 10, bad], [b, 20, good]), /use b\.planted\.example instead;/);
  assert.match(text([a, 10, bad], [b, 10, good]), /use b\.planted\.example instead;/);
  assert.match(
    text([a, 10, good], [b, 20, bad]),
    /use a\.planted\.example, and defer the mail while it does not answer;/,
  );
  assert.match(
    text([a, 10, bad, sent('trusted', '192.0.2.26')]),
    /use another address of the host;/,
  );
  assert.match(text([a, 10, bad], [b, 20, bad]), /defer the mail; other senders/);
});

test('an unreachable address of a working host is not called an unreachable host', () => {
  const dead = silent('192.0.2.26', 'net-refused');
  const { findings } = judged([[a, 10, sent('trusted'), dead]]);
  const finding = findings.find(({ id }) => id === 'mx-unreachable');
  assert.equal(finding?.title, 'The address 192.0.2.26 of a.planted.example cannot be reached');
  assert.match(finding.why, /^Senders use another address of the host \(net-refused\)/);
  assert.match(why([[a, 10, dead]], 'mx-unreachable'), /^Senders defer the mail/);
  assert.match(
    why(
      [
        [a, 10, dead],
        [b, 20, sent('trusted')],
      ],
      'mx-unreachable',
    ),
    /^Senders use b\.planted\.example instead/,
  );
});

// RFC 5321 §5.1: senders try every address.
test('addresses and hosts beyond the limits leave a dead domain undetermined', () => {
  const dead = silent('192.0.2.26', 'net-refused');
  const left = judged([[a, 10, dead, silent('192.0.2.27', 'too-many')]]);
  assert.deepEqual([left.verdict, left.exposure.opportunistic.none], ['inconclusive', 'unknown']);
  const route = { kind: 'mx', dnssec: 'insecure', status: 'found', skipped: [b] } as const;
  assert.equal(judged([[a, 10, dead]], { route }).verdict, 'inconclusive');
  assert.equal(judged([[a, 10, dead]]).verdict, 'fail');
  const reached = judged([[a, 10, sent('trusted'), silent('192.0.2.27', 'too-many')]]);
  assert.equal(reached.exposure.mtaStsCached.none, 'verified');
});

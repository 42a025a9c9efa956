import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConnectionEvidence, HostEvidence } from '../../evidence/index.js';
import { createCa, issue, type Issued } from '../../pki/index.js';
import { parseCertificate, spkiSha256 } from '../../x509/index.js';
import {
  plantedAddress,
  plantedConnection,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
} from '../../../test/support/check/planted-evidence.js';
import { grade } from './grade.js';

const ca = createCa({ name: 'CA' });
const [old, renewed] = [
  issue(ca, { names: ['mx.planted.example'] }),
  issue(ca, { names: ['mx.planted.example'] }),
];
const rsa = issue(ca, { names: ['mx.planted.example'], algorithm: 'rsa-2048' });

function keyOf({ der }: Issued): string {
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok);
  return spkiSha256(parsed.value);
}

const now = ({ chain }: Issued): ConnectionEvidence =>
  plantedConnection({ handshake: plantedHandshake(chain) });
const earlier = (issued: Issued): ConnectionEvidence => ({ ...now(issued), earlier: true });

function judged(connections: readonly ConnectionEvidence[], records: readonly Issued[]) {
  const tlsa = {
    status: 'usable',
    base: 'mx.planted.example',
    dnssec: 'secure',
    records: records.map((r) => `3 1 1 ${keyOf(r)}`),
  } as const;
  const host: HostEvidence = plantedHost({
    dnssec: 'secure',
    tlsa,
    addresses: [plantedAddress({}, { connections })],
  });
  const result = grade(
    plantedEvidence({ route: { kind: 'mx', dnssec: 'secure', status: 'found' }, hosts: [host] }),
  );
  const [shown] = result.hosts;
  return {
    keys: shown?.addresses[0]?.certificates.map((c) => c.spkiSha256),
    roles: shown?.tlsa.roles,
    mismatch: result.findings.some((f) => f.id === 'dane-mismatch'),
  };
}

test('a key replaced since an earlier run is not a fault, and its record is stale', () => {
  assert.deepEqual(judged([now(renewed), earlier(old)], [renewed, old]), {
    keys: [keyOf(renewed)],
    roles: ['current', 'stale'],
    mismatch: false,
  });
});

test('without an earlier run the record may belong to a future key', () => {
  assert.deepEqual(judged([now(renewed)], [renewed, old]).roles, ['current', 'next']);
});

test('a key of another kind from an earlier run still needs its record', () => {
  assert.deepEqual(judged([now(renewed), earlier(rsa)], [renewed]), {
    keys: [keyOf(renewed), keyOf(rsa)],
    roles: ['current'],
    mismatch: true,
  });
});
